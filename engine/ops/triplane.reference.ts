/**
 * Tri-plane sampling and the decoder behind it in plain TypeScript and float64.
 *
 * @module
 */
import type { NumberArray } from "./conformance.ts";
import { softplus } from "./elementwise.reference.ts";
import { build, reader } from "./reference.ts";
import { PUBLISHED_AXES, type TriplaneOptions } from "./triplane.ts";

/** What PyTorch's grid_sample does: bilinear, zeros outside, corners not aligned. */
function bilinear(
  at: (y: number, x: number) => number,
  [height, width]: readonly [number, number],
  u: number,
  v: number,
): number {
  const x = ((u + 1) * width - 1) / 2, y = ((v + 1) * height - 1) / 2;
  const x0 = Math.floor(x), y0 = Math.floor(y), fx = x - x0, fy = y - y0;
  return (1 - fy) * ((1 - fx) * at(y0, x0) + fx * at(y0, x0 + 1)) +
    fy * ((1 - fx) * at(y0 + 1, x0) + fx * at(y0 + 1, x0 + 1));
}

/** `sampleTriplane` of planes (batch, 3, C, H, W) at points (batch, N, 3). */
export function sampleTriplaneReference(
  planes: NumberArray,
  points: NumberArray,
  options: TriplaneOptions,
): NumberArray {
  const [batch, , channels, height, width] = planes.shape;
  const count = points.shape[1], read = reader(planes);
  const axes = options.axes ?? PUBLISHED_AXES;
  const sampled = build([batch, 3, count, channels], ([b, k, n, c]) => {
    const [u, v] = axes[k].map((axis) =>
      points.data[(b * count + n) * 3 + axis] * 2 / options.boxWarp
    );
    return bilinear((y, x) => read(b, k, c, y, x), [height, width], u, v);
  });
  if (!(options.mean ?? true)) return sampled;
  const one = reader(sampled);
  return build(
    [batch, count, channels],
    ([b, n, c]) => (one(b, 0, n, c) + one(b, 1, n, c) + one(b, 2, n, c)) / 3,
  );
}

/** The four tensors of a decoder. */
export interface DecoderArrays {
  /** (hidden, C). */
  w1: NumberArray;
  /** (hidden). */
  b1: NumberArray;
  /** (outputs, hidden). */
  w2: NumberArray;
  /** (outputs). */
  b2: NumberArray;
}

/** `decodeTriplane` of planes (1, 3, H, W, C) at points (1, N, 3). */
export function decodeTriplaneReference(
  planes: NumberArray,
  points: NumberArray,
  { w1, b1, w2, b2 }: DecoderArrays,
  options: Omit<TriplaneOptions, "mean">,
): NumberArray {
  const [batch, three, height, width, channels] = planes.shape;
  const read = reader(planes);
  const first = build(
    [batch, three, channels, height, width],
    ([b, k, c, y, x]) => read(b, k, y, x, c),
  );
  const features = sampleTriplaneReference(first, points, options);
  const units = layer(features.data, w1, b1).map(softplus);
  return {
    data: layer(units, w2, b2),
    shape: [points.shape[1], w2.shape[0]],
  };
}

/** w x + b for every row of x. */
function layer(
  x: Float64Array,
  w: NumberArray,
  b: NumberArray,
): Float64Array {
  const [outputs, inputs] = w.shape, rows = x.length / inputs;
  const y = new Float64Array(rows * outputs);
  for (let n = 0; n < rows; n++) {
    for (let o = 0; o < outputs; o++) {
      let sum = b.data[o];
      for (let i = 0; i < inputs; i++) {
        sum += w.data[o * inputs + i] * x[n * inputs + i];
      }
      y[n * outputs + o] = sum;
    }
  }
  return y;
}
