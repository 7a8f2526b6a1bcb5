/**
 * Kernels that work on whole rows: softmax and layer normalisation.
 *
 * @module
 */
import { defineKernel, type Kernel } from "../kernel.ts";
import softmaxSource from "./softmax.wgsl" with { type: "text" };
import softmaxBackwardSource from "./softmax_backward.wgsl" with {
  type: "text",
};
import softmaxBackwardLanesSource from "./softmax_backward_lanes.wgsl" with {
  type: "text",
};
import softmaxLanesSource from "./softmax_lanes.wgsl" with { type: "text" };
import layerNormSource from "./layer_norm.wgsl" with { type: "text" };
import layerNormBackwardSource from "./layer_norm_backward.wgsl" with {
  type: "text",
};
import affineSource from "./layer_norm_backward_affine.wgsl" with {
  type: "text",
};

/** Softmax of each row. */
export const softmaxForward: Kernel = defineKernel(
  "norm.softmax",
  softmaxSource,
);
/** Gradient of softmax. */
export const softmaxBackward: Kernel = defineKernel(
  "norm.softmax_backward",
  softmaxBackwardSource,
);
/** Softmax of each row by subgroups of 8 lanes. */
export const softmaxLanes: Kernel = defineKernel(
  "norm.softmax_lanes",
  softmaxLanesSource,
);
/** Gradient of softmax by subgroups of 8 lanes. */
export const softmaxBackwardLanes: Kernel = defineKernel(
  "norm.softmax_backward_lanes",
  softmaxBackwardLanesSource,
);
/** Layer normalisation of each row. */
export const layerNormForward: Kernel = defineKernel(
  "norm.layer_norm",
  layerNormSource,
);
/** Gradient of x. */
export const layerNormBackward: Kernel = defineKernel(
  "norm.layer_norm_backward",
  layerNormBackwardSource,
);
/** Partial sums of the gradients of weight and bias. */
export const layerNormBackwardAffine: Kernel = defineKernel(
  "norm.layer_norm_backward_affine",
  affineSource,
);
