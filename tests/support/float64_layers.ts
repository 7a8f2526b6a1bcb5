/**
 * Layers of networks in plain TypeScript and float64, straight from their
 * definitions, on weights by formula: what networks with few channels are held
 * to.
 *
 * @module
 */
import type { NumberArray } from "../../engine/ops/conformance.ts";
import type { Conv2dOptions } from "../../engine/ops/conv2d.ts";
import { conv2dReference } from "../../engine/ops/conv2d.reference.ts";
import { formula } from "../../engine/ops/formula.ts";
import { build } from "../../engine/ops/reference.ts";
import type { WeightTensor } from "../../weights/mod.ts";

/** Weights by name. */
export type State = Map<string, WeightTensor>;

/** Numbers by formula in double precision. */
export function numbers(
  name: string,
  shape: number[],
  scale = 1,
  shift = 0,
): NumberArray {
  const data = Float64Array.from(formula(name, shape, scale, shift));
  return { shape, data };
}

function put(
  state: State,
  name: string,
  shape: number[],
  scale: number,
  shift = 0,
): void {
  state.set(name, { shape, data: formula(name, shape, scale, shift) });
}

/** Adds `NAME.weight` of the given shape, and `NAME.bias` unless told not to. */
export function putLayer(
  state: State,
  name: string,
  shape: number[],
  biased = true,
): void {
  const inputs = shape.slice(1).reduce((a, b) => a * b, 1);
  put(state, `${name}.weight`, shape, Math.sqrt(3 / inputs));
  if (biased) put(state, `${name}.bias`, [shape[0]], 0.2);
}

/** Adds the four parameters of a batch normalisation. */
export function putNorm(state: State, name: string, channels: number): void {
  put(state, `${name}.weight`, [channels], 0.3, 1);
  put(state, `${name}.bias`, [channels], 0.2);
  put(state, `${name}.running_mean`, [channels], 0.2);
  put(state, `${name}.running_var`, [channels], 0.4, 1);
}

/** Adds the slopes of a PReLU. */
export function putSlopes(state: State, name: string, channels: number): void {
  put(state, `${name}.weight`, [channels], 0.2, 0.3);
}

function numbersOf(state: State, name: string): Float64Array {
  const found = state.get(name);
  if (!found) throw new Error(`The test has no ${name}.`);
  return Float64Array.from(found.data);
}

/** Applies a function to every number; it also receives the number's channel (axis 1). */
export function perChannel(
  x: NumberArray,
  value: (v: number, channel: number) => number,
): NumberArray {
  const inner = x.shape.slice(2).reduce((a, b) => a * b, 1);
  return {
    shape: x.shape,
    data: x.data.map((v, k) => value(v, Math.floor(k / inner) % x.shape[1])),
  };
}

/** Largest of v and 0. */
export const relu = (x: NumberArray): NumberArray =>
  perChannel(x, (v) => Math.max(0, v));

/** Convolution and bias. */
export function layer(
  state: State,
  name: string,
  x: NumberArray,
  options: Conv2dOptions = {},
): NumberArray {
  const { shape } = state.get(`${name}.weight`)!;
  const w = { shape: [...shape], data: numbersOf(state, `${name}.weight`) };
  const y = conv2dReference(x, w, options);
  if (!state.has(`${name}.bias`)) return y;
  const bias = numbersOf(state, `${name}.bias`);
  return perChannel(y, (v, c) => v + bias[c]);
}

/** x (N, I) times the transposed weight (O, I), and bias. */
export function dense(state: State, name: string, x: NumberArray): NumberArray {
  const { shape: [out, inputs] } = state.get(`${name}.weight`)!;
  const w = numbersOf(state, `${name}.weight`);
  const bias = numbersOf(state, `${name}.bias`);
  return build([x.shape[0], out], ([n, o]) => {
    let sum = bias[o];
    for (let k = 0; k < inputs; k++) {
      sum += w[o * inputs + k] * x.data[n * inputs + k];
    }
    return sum;
  });
}

/** (x - running_mean) / sqrt(running_var + eps) * weight + bias. */
export function norm(
  state: State,
  name: string,
  x: NumberArray,
  eps = 1e-5,
): NumberArray {
  const [weight, bias, mean, variance] = [
    "weight",
    "bias",
    "running_mean",
    "running_var",
  ].map((part) => numbersOf(state, `${name}.${part}`));
  return perChannel(
    x,
    (v, c) =>
      (v - mean[c]) / Math.sqrt(variance[c] + eps) * weight[c] + bias[c],
  );
}

/** v where positive, else its channel's slope times v. */
export function slopes(
  state: State,
  name: string,
  x: NumberArray,
): NumberArray {
  const slope = numbersOf(state, `${name}.weight`);
  return perChannel(x, (v, c) => v > 0 ? v : slope[c] * v);
}

/** Means over pixels: (N, C, 1, 1). */
export function means(x: NumberArray): NumberArray {
  const [n, c, h, w] = x.shape, pixels = h * w;
  return build([n, c, 1, 1], (_, k) => {
    let sum = 0;
    for (let p = 0; p < pixels; p++) sum += x.data[k * pixels + p];
    return sum / pixels;
  });
}

/** a + b, of one shape. */
export function plus(a: NumberArray, b: NumberArray): NumberArray {
  return { shape: a.shape, data: a.data.map((v, k) => v + b.data[k]) };
}

/**
 * Largest of windows, `stride` apart, around which `padding` does not count;
 * with `hangs`, a last window may lie partly outside (`ceil_mode`).
 */
export function pooled(
  x: NumberArray,
  { kernel = 2, stride = 2, padding = 0, hangs = false } = {},
): NumberArray {
  const [n, c, h, w] = x.shape, round = hangs ? Math.ceil : Math.floor;
  const count = (length: number) =>
    round((length + 2 * padding - kernel) / stride) + 1;
  return build([n, c, count(h), count(w)], ([i, j, row, column]) => {
    let best = -Infinity;
    const top = row * stride - padding, left = column * stride - padding;
    for (let a = Math.max(top, 0); a < Math.min(top + kernel, h); a++) {
      for (let b = Math.max(left, 0); b < Math.min(left + kernel, w); b++) {
        best = Math.max(best, x.data[((i * c + j) * h + a) * w + b]);
      }
    }
    return best;
  });
}

/** Channels of a, then those of b. */
export function joined(a: NumberArray, b: NumberArray): NumberArray {
  const [n, c, h, w] = a.shape, d = b.shape[1];
  return build([n, c + d, h, w], ([i, j, y, x]) => {
    const [from, k, of] = j < c ? [a, j, c] : [b, j - c, d];
    return from.data[((i * of + k) * h + y) * w + x];
  });
}
