/**
 * Reductions along one axis.
 *
 * @module
 */
import { defineKernel, type Kernel } from "../kernel.ts";
import reduceSource from "./reduce.wgsl" with { type: "text" };

/** Sum, maximum, sum of squares or of products over (outer, length, inner). */
export const reduce: Kernel = defineKernel("reduce.reduce", reduceSource);

/** Values of the kernel's OP. */
export const REDUCE = {
  sum: 0,
  maximum: 1,
  sumOfSquares: 2,
  sumOfProducts: 3,
} as const;
