/**
 * How the binary kernel walks over two operands that broadcast.
 *
 * @module
 */
import { MOST_GROUPS } from "../device.ts";
import { broadcastStrides, padRank, sameShape } from "../shape.ts";
import { elementCount, type Shape } from "../tensor.ts";
import type { Neighbours } from "./neighbours.ts";

/** What a launch of the binary kernel takes beside its tensors. */
export interface BinaryLayout {
  /** The kernel's `LAYOUT`. */
  layout: 0 | 2;
  /** Sizes and strides of six axes. */
  params: Record<string, number>;
  /** Workgroups in x, y, z. */
  workgroups: [number, number, number?];
}

/** How a launch finds the operands of an element, their shapes being different; see binary.wgsl. */
export function binaryLayout(
  a: Shape,
  b: Shape,
  shape: Shape,
  { step, workgroups }: Neighbours,
): BinaryLayout {
  const d = padRank(shape, 1);
  const sa = padRank(broadcastStrides(a, shape), 0);
  const sb = padRank(broadcastStrides(b, shape), 0);
  const params: Record<string, number> = {};
  for (let k = 0; k < d.length; k++) {
    params[`d${k}`] = d[k];
    params[`a${k}`] = sa[k];
    params[`b${k}`] = sb[k];
  }
  const n = elementCount(shape), inner = rowLength(a, b, shape);
  const across = Math.ceil(inner / (64 * step));
  // y and z count rows, so that a row of more workgroups cannot be folded
  if (inner === 0 || across > MOST_GROUPS) {
    return { layout: 0, params, workgroups };
  }
  const rows = n / inner, y = Math.min(rows, MOST_GROUPS);
  return {
    layout: 2,
    params: { ...params, d1: elementCount(b), d5: inner },
    workgroups: [across, y, Math.ceil(rows / y)],
  };
}

/** Length of rows along which b is one number, if a fills the shape and b repeats by rows; else 0. */
function rowLength(a: Shape, b: Shape, shape: Shape): number {
  if (!sameShape(a, shape)) return 0;
  const own = [...new Array(shape.length - b.length).fill(1), ...b];
  let last = shape.length;
  while (last > 0 && own[last - 1] === 1) last--;
  const inner = elementCount(shape.slice(last));
  let first = last;
  while (first > 0 && own[first - 1] === shape[first - 1]) first--;
  const repeats = own.slice(0, first).every((n) => n === 1);
  return repeats && inner >= 16 ? inner : 0;
}
