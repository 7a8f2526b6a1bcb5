/**
 * Arithmetic on shapes: strides, broadcasting, axes.
 *
 * @module
 */
import { ShapeError } from "./errors.ts";
import type { Shape } from "./tensor.ts";

/** Axes that the strided kernels handle. */
export const MAX_RANK = 6;

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let k = shape.length - 2; k >= 0; k--) {
    strides[k] = strides[k + 1] * shape[k + 1];
  }
  return strides;
}

/** Whether two shapes are equal. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((n, k) => n === b[k]);
}

/**
 * The shape that two shapes broadcast to, by NumPy's rule.
 *
 * @throws {ShapeError} when they do not broadcast
 */
export function broadcastShapes(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, k) => {
    const m = a[k - rank + a.length] ?? 1, n = b[k - rank + b.length] ?? 1;
    if (m !== n && m !== 1 && n !== 1) {
      throw new ShapeError(`Shapes [${a}] and [${b}] do not broadcast.`);
    }
    return Math.max(m, n);
  });
}

/** Strides that read `shape` as if it had the shape `target`; 0 on broadcast axes. */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const strides = stridesOf(shape), skip = target.length - shape.length;
  return target.map((n, k) =>
    k < skip || (shape[k - skip] === 1 && n !== 1) ? 0 : strides[k - skip]
  );
}

/**
 * Puts `fill` in front until there are {@linkcode MAX_RANK} entries.
 *
 * @throws {ShapeError} when there are more already
 */
export function padRank(values: readonly number[], fill: number): number[] {
  if (values.length > MAX_RANK) {
    throw new ShapeError(
      `A tensor of ${values.length} axes is more than the strided kernels take (${MAX_RANK}): merge axes with reshape.`,
    );
  }
  return [...new Array<number>(MAX_RANK - values.length).fill(fill), ...values];
}

/**
 * An axis counted from the front; negative ones count from the back.
 *
 * @throws {ShapeError} when there is no such axis
 */
export function resolveAxis(axis: number, rank: number): number {
  const k = axis < 0 ? axis + rank : axis;
  if (k < 0 || k >= rank) {
    throw new ShapeError(
      `There is no axis ${axis} in a tensor of ${rank} axes.`,
    );
  }
  return k;
}
