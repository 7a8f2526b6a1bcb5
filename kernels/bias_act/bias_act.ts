/**
 * Bias, activation, gain and clamp in one kernel, in StyleGAN's order, with
 * the per-channel scale and the noise picture that modulated convolution puts
 * in front of them.
 *
 * @module
 */
import { defineKernel, type Kernel } from "../kernel.ts";
import activation from "./activation.wgsl" with { type: "text" };
import forwardSource from "./forward.wgsl" with { type: "text" };
import backwardSource from "./backward.wgsl" with { type: "text" };
import sumsSource from "./backward_sums.wgsl" with { type: "text" };
import noiseSource from "./backward_noise.wgsl" with { type: "text" };

/** y from x. */
export const biasActForward: Kernel = defineKernel(
  "bias_act.forward",
  forwardSource + activation,
);
/** Gradient of x. */
export const biasActBackward: Kernel = defineKernel(
  "bias_act.backward",
  backwardSource + activation,
);
/** Partial sums for the gradients of bias and scale. */
export const biasActBackwardSums: Kernel = defineKernel(
  "bias_act.backward_sums",
  sumsSource + activation,
);
/** Gradient of the noise. */
export const biasActBackwardNoise: Kernel = defineKernel(
  "bias_act.backward_noise",
  noiseSource + activation,
);

/** Values of the kernels' ACT with the published default gain and alpha. */
export const ACTIVATIONS = {
  linear: { code: 0, gain: 1, alpha: 0 },
  relu: { code: 1, gain: Math.SQRT2, alpha: 0 },
  lrelu: { code: 2, gain: Math.SQRT2, alpha: 0.2 },
  sigmoid: { code: 3, gain: 1, alpha: 0 },
  tanh: { code: 4, gain: 1, alpha: 0 },
  softplus: { code: 5, gain: 1, alpha: 0 },
  elu: { code: 6, gain: 1, alpha: 0 },
  selu: { code: 7, gain: 1, alpha: 0 },
  swish: { code: 8, gain: Math.SQRT2, alpha: 0 },
} as const;
