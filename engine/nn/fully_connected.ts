/**
 * StyleGAN2's fully connected layer.
 *
 * @module
 */
import { type Activation, biasAct } from "../ops/bias_act.ts";
import { affine } from "../ops/elementwise.ts";
import { matmul } from "../ops/matmul.ts";
import type { Tensor } from "../tensor.ts";

/** Weights of a fully connected layer. */
export interface FullyConnectedWeights {
  /** (out, in). */
  weight: Tensor;
  /** (out). */
  bias: Tensor | null;
}

/** Options of {@linkcode fullyConnected}. */
export interface FullyConnectedOptions {
  /** Activation; linear when absent. */
  act?: Activation;
  /** Learning-rate multiplier that the weights were stored with; 1 when absent. */
  lrMul?: number;
  /** Further factor on weight and bias, as for toRGB's styles; 1 when absent. */
  gain?: number;
}

/**
 * act(x (g W)^T + l b) with g = lrMul / sqrt(in) and l = lrMul (equalised
 * learning rate).
 *
 * @param x (M, in)
 * @returns (M, out)
 */
export function fullyConnected(
  x: Tensor,
  { weight, bias }: FullyConnectedWeights,
  { act = "linear", lrMul = 1, gain = 1 }: FullyConnectedOptions = {},
): Tensor {
  const g = gain * lrMul / Math.sqrt(weight.shape[1]), l = gain * lrMul;
  // whichever is smaller is scaled, and with it a smaller gradient
  const product = x.size < weight.size
    ? matmul(affine(x, g), weight, { transposeB: true })
    : matmul(x, affine(weight, g), { transposeB: true });
  const shift = bias && l !== 1 ? affine(bias, l) : bias;
  return act === "linear" && !shift
    ? product
    : biasAct(product, shift, { act });
}
