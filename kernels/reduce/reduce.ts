/**
 * Reductions along one axis.
 *
 * @module
 */
import { defineKernel, type Kernel } from "../kernel.ts";
import nonFiniteSource from "./non_finite.wgsl" with { type: "text" };
import reduceSource from "./reduce.wgsl" with { type: "text" };

/** Sum, maximum, sum of squares or of products over (outer, length, inner). */
export const reduce: Kernel = defineKernel("reduce.reduce", reduceSource);

/** Number of infinities and NaN in each part. */
export const nonFinite: Kernel = defineKernel(
  "reduce.non_finite",
  nonFiniteSource,
);

/** Values of the reduce kernel's OP. */
export const REDUCE = {
  sum: 0,
  maximum: 1,
  sumOfSquares: 2,
  sumOfProducts: 3,
} as const;
