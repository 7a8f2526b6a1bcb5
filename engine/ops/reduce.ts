/**
 * Sums, means and maxima.
 *
 * @module
 */
import { nonFinite } from "../../kernels/reduce/reduce.ts";
import { linearWorkgroups } from "../device.ts";
import { commonDtype } from "../dtype.ts";
import { ShapeError } from "../errors.ts";
import { resolveAxis, sameShape } from "../shape.ts";
import { record } from "../tape.ts";
import { elementCount, type Shape, type Tensor } from "../tensor.ts";
import { cast } from "./cast.ts";
import { affine, multiply } from "./elementwise.ts";
import { broadcastTo, reshape } from "./movement.ts";
import { reduceMiddle } from "./reduction.ts";

/** Most parts that non-finite numbers are counted in. */
const PARTS = 1024;

/** Sum over axes [first, last], kept as size 1, times `scale`. */
function sumAxes(
  x: Tensor,
  first: number,
  last: number,
  scale: number,
): Tensor {
  const outer = elementCount(x.shape.slice(0, first));
  const length = elementCount(x.shape.slice(first, last + 1));
  const inner = elementCount(x.shape.slice(last + 1));
  const kept = x.shape.map((n, k) => k >= first && k <= last ? 1 : n);
  const y = reshape(
    reduceMiddle("sum", x, [outer, length, inner], scale),
    kept,
  );
  return record(
    y,
    [x],
    (g) => [broadcastTo(scale === 1 ? g : affine(g, scale), x.shape)],
  );
}

/** Runs of neighbouring axes, which are in order, last run first. */
function runs(axes: readonly number[]): [number, number][] {
  const found: [number, number][] = [];
  for (const axis of axes) {
    const last = found.at(-1);
    if (last && last[1] === axis - 1) last[1] = axis;
    else found.push([axis, axis]);
  }
  return found.reverse();
}

/** Options of reductions. */
export interface ReduceOptions {
  /** Axes to reduce, one named twice counting once; all when absent. */
  axes?: readonly number[];
  /** Keep reduced axes with size 1. */
  keep?: boolean;
}

/** The axes to reduce, each once and in order. */
function reducedAxes(x: Tensor, { axes }: ReduceOptions): number[] {
  const rank = x.shape.length;
  if (!axes) return x.shape.map((_, k) => k);
  return [...new Set(axes.map((a) => resolveAxis(a, rank)))]
    .sort((a, b) => a - b);
}

/** f16 is summed in f32, and only the result is rounded. */
function reduceSum(x: Tensor, options: ReduceOptions, scale: number): Tensor {
  if (x.dtype !== "f32") {
    return cast(reduceSum(cast(x, "f32"), options, scale), x.dtype);
  }
  const axes = reducedAxes(x, options);
  let y = x, factor = scale;
  for (const [first, last] of runs(axes)) {
    y = sumAxes(y, first, last, factor);
    factor = 1;
  }
  if (options.keep || x.shape.length === 0) return y;
  return reshape(y, x.shape.filter((_, k) => !axes.includes(k)));
}

/** Sum over axes. */
export function sum(x: Tensor, options: ReduceOptions = {}): Tensor {
  return reduceSum(x, options, 1);
}

/** Mean over axes. */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  const count = elementCount(reducedAxes(x, options).map((k) => x.shape[k]));
  return reduceSum(x, options, 1 / count);
}

/** Sizes of all but the last axes. */
function keptAxes(x: Tensor, axes: number): Shape {
  const rank = x.shape.length;
  if (Number.isInteger(axes) && axes >= 0 && axes <= rank) {
    return x.shape.slice(0, rank - axes);
  }
  throw new ShapeError(
    `There are no ${axes} last axes of [${x.shape}] to sum over.`,
  );
}

/**
 * Sum of squares over the last axes.
 *
 * @param axes how many of the last axes; all when absent
 */
export function sumOfSquares(x: Tensor, axes: number = x.shape.length): Tensor {
  if (x.dtype !== "f32") {
    return cast(sumOfSquares(cast(x, "f32"), axes), x.dtype);
  }
  const kept = keptAxes(x, axes);
  const outer = elementCount(kept), length = x.size / outer;
  const y = reduceMiddle("sumOfSquares", x, [outer, length, 1], 1).view(kept);
  return record(y, [x], (g) => [
    multiply(x, reshape(affine(g, 2), [...kept, ...ones(axes)])),
  ]);
}

/**
 * Sum of a b over the last axes, for tensors of one shape.
 *
 * @param axes how many of the last axes
 */
export function sumOfProducts(a: Tensor, b: Tensor, axes: number): Tensor {
  if (!sameShape(a.shape, b.shape)) {
    throw new ShapeError(
      `sumOfProducts takes tensors of one shape, not [${a.shape}] and [${b.shape}].`,
    );
  }
  if (commonDtype("sumOfProducts", [a, b]) !== "f32") {
    const single = sumOfProducts(cast(a, "f32"), cast(b, "f32"), axes);
    return cast(single, a.dtype);
  }
  const kept = keptAxes(a, axes);
  const outer = elementCount(kept), length = a.size / outer;
  const sizes = [outer, length, 1] as const;
  const y = reduceMiddle("sumOfProducts", a, sizes, 1, b).view(kept);
  return record(y, [a, b], (g, needs) => {
    const wide = reshape(g, [...kept, ...ones(axes)]);
    return [
      needs[0] ? multiply(b, wide) : null,
      needs[1] ? multiply(a, wide) : null,
    ];
  });
}

const ones = (count: number): number[] => new Array(count).fill(1);

/** Largest number along one axis, kept with size 1. No gradient. */
export function maxAlong(x: Tensor, axis: number): Tensor {
  const k = resolveAxis(axis, x.shape.length);
  const outer = elementCount(x.shape.slice(0, k)),
    inner = elementCount(x.shape.slice(k + 1));
  const y = reduceMiddle("maximum", x, [outer, x.shape[k], inner], 1);
  return y.view(x.shape.map((n, i) => i === k ? 1 : n));
}

/**
 * How many of the numbers of x are infinite or NaN, as a tensor of one number;
 * 0 when all is well. Takes any element type and has no gradient.
 */
export function countNonFinite(x: Tensor): Tensor {
  const words = x.bytes / 4;
  const parts = Math.min(PARTS, Math.ceil(words / 8));
  const counts = x.device.empty([parts]);
  x.device.run(nonFinite, {
    tensors: { x, y: counts },
    params: { n: x.size, words, parts },
    constants: { HALF: x.dtype === "f16" ? 1 : 0 },
    workgroups: linearWorkgroups(parts),
  });
  return sum(counts);
}

/** x summed over the axes along which `shape` was broadcast to it. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const skip = x.shape.length - shape.length;
  const axes = x.shape.map((_, k) => k)
    .filter((k) => k < skip || (shape[k - skip] === 1 && x.shape[k] !== 1));
  return axes.length === 0
    ? reshape(x, shape)
    : reshape(sum(x, { axes, keep: true }), shape);
}
