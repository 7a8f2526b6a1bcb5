/**
 * Small tools of the float64 references.
 *
 * @module
 */
import { broadcastShapes, broadcastStrides, stridesOf } from "../shape.ts";
import { elementCount } from "../tensor.ts";
import type { NumberArray } from "./conformance.ts";

/** An array whose number at each index is `value(index)`. */
export function build(
  shape: readonly number[],
  value: (index: readonly number[], k: number) => number,
): NumberArray {
  const data = new Float64Array(elementCount(shape));
  const index = new Array<number>(shape.length).fill(0);
  for (let k = 0; k < data.length; k++) {
    data[k] = value(index, k);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
  return { data, shape: [...shape] };
}

/** A function that reads an array at an index, and 0 outside of it. */
export function reader(
  { data, shape }: NumberArray,
): (...index: number[]) => number {
  const strides = stridesOf(shape);
  return (...index) => {
    let k = 0;
    for (let axis = 0; axis < shape.length; axis++) {
      if (index[axis] < 0 || index[axis] >= shape[axis]) return 0;
      k += index[axis] * strides[axis];
    }
    return data[k];
  };
}

/** f of every number. */
export function map(x: NumberArray, f: (v: number) => number): NumberArray {
  return { data: x.data.map(f), shape: x.shape };
}

/** f of every pair, broadcast by NumPy's rule. */
export function zip(
  a: NumberArray,
  b: NumberArray,
  f: (u: number, v: number) => number,
): NumberArray {
  const shape = broadcastShapes(a.shape, b.shape);
  const sa = broadcastStrides(a.shape, shape);
  const sb = broadcastStrides(b.shape, shape);
  return build(shape, (index) => {
    let ia = 0, ib = 0;
    for (let k = 0; k < index.length; k++) {
      ia += index[k] * sa[k];
      ib += index[k] * sb[k];
    }
    return f(a.data[ia], b.data[ib]);
  });
}
