/**
 * Reductions along one axis.
 *
 * @module
 */
import { defineKernel, type Kernel } from "../kernel.ts";
import columnsSource from "./columns.wgsl" with { type: "text" };
import joined from "./joined.wgsl" with { type: "text" };
import nonFiniteSource from "./non_finite.wgsl" with { type: "text" };
import reduceSource from "./reduce.wgsl" with { type: "text" };
import rowsSource from "./rows.wgsl" with { type: "text" };

/** Sum, maximum, sum of squares or of products over (outer, length, inner). */
export const reduce: Kernel = defineKernel("reduce.reduce", reduceSource);

/** The same along a long last axis, vec4 by vec4, up to one number per lane. */
export const reduceRows: Kernel = defineKernel(
  "reduce.rows",
  rowsSource + joined,
);

/** The same for a long inner axis, vec4 by vec4. */
export const reduceColumns: Kernel = defineKernel(
  "reduce.columns",
  columnsSource + joined,
);

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
