/**
 * Between TensorFlow's layout of pictures, [batch, height, width, channels], and the engine's,
 * [batch, channels, height, width].
 *
 * @module
 */
import {
  type Device,
  permute,
  reshape,
  type Tensor,
} from "../../engine/mod.ts";
import type { WeightTensor } from "../../weights/mod.ts";

/** Axis of the engine's picture for an axis of TensorFlow's. */
const ENGINE_AXES = [0, 2, 3, 1];

/** A TensorFlow axis (negative: from the back) of a value that is in the engine's layout. */
export function engineAxis(axis: number, x: Tensor): number {
  const rank = x.shape.length;
  const positive = axis < 0 ? axis + rank : axis;
  return rank === 4 ? ENGINE_AXES[positive] : positive;
}

/** The numbers in TensorFlow's order; a permutation only where both extents matter. */
export function toTensorFlow(x: Tensor): Tensor {
  if (x.shape.length !== 4) return x;
  const [n, c, h, w] = x.shape;
  return c === 1 || h * w === 1
    ? reshape(x, [n, h, w, c])
    : permute(x, [0, 2, 3, 1]);
}

/** The numbers in the engine's order, from TensorFlow's. */
export function fromTensorFlow(x: Tensor): Tensor {
  if (x.shape.length !== 4) return x;
  const [n, h, w, c] = x.shape;
  return c === 1 || h * w === 1
    ? reshape(x, [n, c, h, w])
    : permute(x, [0, 3, 1, 2]);
}

/** Uploads a constant; one of four axes as a picture of the engine. */
export function toEngine(
  device: Device,
  { shape, data }: WeightTensor,
): Tensor {
  if (shape.length !== 4) return device.tensor(data, shape);
  const [n, h, w, c] = shape;
  return device.tensor(permuted(data, shape, [0, 3, 1, 2]), [n, c, h, w]);
}

/**
 * Uploads a filter: [h, w, in, out] becomes (out, in, h, w); a depthwise [h, w, channels,
 * multiplier] becomes (channels x multiplier, 1, h, w).
 */
export function filterToEngine(
  device: Device,
  { shape, data }: WeightTensor,
  depthwise: boolean,
): Tensor {
  const [h, w, inputs, outputs] = shape;
  return depthwise
    ? device.tensor(
      permuted(data, shape, [2, 3, 0, 1]),
      [inputs * outputs, 1, h, w],
    )
    : device.tensor(
      permuted(data, shape, [3, 2, 0, 1]),
      [outputs, inputs, h, w],
    );
}

/** The numbers of four axes in another order: axis k of the result is axis `order[k]`. */
function permuted(
  data: Float32Array,
  shape: readonly number[],
  order: readonly number[],
): Float32Array {
  const strides = [
    shape[1] * shape[2] * shape[3],
    shape[2] * shape[3],
    shape[3],
    1,
  ];
  const [n0, n1, n2, n3] = order.map((k) => shape[k]);
  const [s0, s1, s2, s3] = order.map((k) => strides[k]);
  const result = new Float32Array(data.length);
  let at = 0;
  for (let a = 0; a < n0; a++) {
    for (let b = 0; b < n1; b++) {
      for (let c = 0; c < n2; c++) {
        for (let d = 0; d < n3; d++) {
          result[at++] = data[a * s0 + b * s1 + c * s2 + d * s3];
        }
      }
    }
  }
  return result;
}
