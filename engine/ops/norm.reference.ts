/**
 * Softmax and layer normalisation in plain TypeScript and float64.
 *
 * @module
 */
import type { NumberArray } from "./conformance.ts";

/** f of each row along the last axis. */
function rows(
  x: NumberArray,
  f: (row: Float64Array) => ArrayLike<number>,
): NumberArray {
  const columns = x.shape.at(-1) ?? 1, data = new Float64Array(x.data.length);
  for (let k = 0; k < data.length; k += columns) {
    data.set(f(x.data.subarray(k, k + columns)), k);
  }
  return { data, shape: x.shape };
}

/** Softmax along the last axis. */
export function softmaxReference(x: NumberArray): NumberArray {
  return rows(x, (row) => {
    const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
    const e = row.map((v) => Math.exp(v - largest));
    const total = e.reduce((a, b) => a + b, 0);
    return e.map((v) => v / total);
  });
}

/** Layer normalisation along the last axis. */
export function layerNormReference(
  x: NumberArray,
  w: NumberArray,
  b: NumberArray,
  eps: number,
): NumberArray {
  return rows(x, (row) => {
    const mean = row.reduce((a, v) => a + v, 0) / row.length;
    const variance = row.reduce((a, v) => a + (v - mean) ** 2, 0) / row.length;
    const factor = 1 / Math.sqrt(variance + eps);
    return row.map((v, k) => (v - mean) * factor * w.data[k] + b.data[k]);
  });
}
