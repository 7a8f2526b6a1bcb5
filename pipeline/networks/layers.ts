/**
 * Layers of published networks on the device, their weights looked up by the
 * names of the state dict.
 *
 * @module
 */
import {
  type Activation,
  add,
  biasAct,
  conv2d,
  type Conv2dOptions,
  type Device,
  matmul,
  multiply,
  reshape,
  type Tensor,
} from "../../engine/mod.ts";
import type { Parameters } from "./network_state.ts";

/** Weights of a network on a device, by name. */
export type NetworkWeights = ReadonlyMap<string, Tensor>;

/** Uploads the layers of a network. They belong to the scope that is open, or else to the caller. */
export function uploadLayers(
  device: Device,
  layers: readonly Parameters[],
): NetworkWeights {
  const weights = new Map<string, Tensor>();
  for (const layer of layers) {
    for (const [name, { data, shape }] of layer) {
      weights.set(name, device.tensor(data, shape));
    }
  }
  return weights;
}

/** Frees a network's weights. */
export function releaseLayers(weights: NetworkWeights): void {
  for (const tensor of weights.values()) tensor.release();
}

/** Options of {@linkcode convolution}. */
export interface ConvolutionOptions extends Conv2dOptions {
  /** What follows the bias, without StyleGAN's gain; nothing when absent. */
  act?: Activation;
  /** Slope of `"lrelu"` below 0; 0.2 when absent. */
  slope?: number;
}

/**
 * act(W * x + b) with `NAME.weight` (Co, Ci, kh, kw) and `NAME.bias` (Co).
 *
 * @param x (N, Ci, H, W)
 */
export function convolution(
  weights: NetworkWeights,
  name: string,
  x: Tensor,
  { act = "linear", slope, ...options }: ConvolutionOptions = {},
): Tensor {
  const y = conv2d(x, weights.get(`${name}.weight`)!, options);
  const bias = weights.get(`${name}.bias`) ?? null;
  return bias || act !== "linear"
    ? biasAct(y, bias, { act, gain: 1, alpha: slope })
    : y;
}

/**
 * act(x W^T + b) with `NAME.weight` (out, in) and `NAME.bias` (out).
 *
 * @param x (N, in)
 */
export function linear(
  weights: NetworkWeights,
  name: string,
  x: Tensor,
  act: Activation = "linear",
): Tensor {
  const y = matmul(x, weights.get(`${name}.weight`)!, { transposeB: true });
  return biasAct(y, weights.get(`${name}.bias`) ?? null, { act, gain: 1 });
}

/**
 * scale x + shift per channel, a batch normalisation as `network_state.ts` leaves
 * it, with `NAME.weight` (C) and `NAME.bias` (C).
 *
 * @param x (N, C, ...)
 */
export function channelAffine(
  weights: NetworkWeights,
  name: string,
  x: Tensor,
): Tensor {
  const wide = [x.shape[1], ...x.shape.slice(2).map(() => 1)];
  const scale = reshape(weights.get(`${name}.weight`)!, wide);
  const shift = reshape(weights.get(`${name}.bias`)!, wide);
  return add(multiply(x, scale), shift);
}
