/**
 * Sampling of tri-planes and its adjoints.
 *
 * @module
 */
import { defineKernel, type Kernel } from "../kernel.ts";
import sampleSource from "./sample.wgsl" with { type: "text" };
import scatterSource from "./scatter.wgsl" with { type: "text" };
import sampleBackwardPointsSource from "./sample_backward_points.wgsl" with {
  type: "text",
};
import decodeSource from "./decode.wgsl" with { type: "text" };
import decodeBackwardSource from "./decode_backward.wgsl" with { type: "text" };
import decodeLanesSource from "./decode_lanes.wgsl" with { type: "text" };
import decodeBackwardLanesSource from "./decode_backward_lanes.wgsl" with {
  type: "text",
};
import fixedPointUnitSource from "./fixed_point_unit.wgsl" with {
  type: "text",
};
import fixedPointValueSource from "./fixed_point_value.wgsl" with {
  type: "text",
};

/** Features at points. */
export const sample: Kernel = defineKernel("triplane.sample", sampleSource);
/** Gradient of the planes, in fixed point. */
export const scatter: Kernel = defineKernel("triplane.scatter", scatterSource);
/** Gradient of the points. */
export const sampleBackwardPoints: Kernel = defineKernel(
  "triplane.sample_backward_points",
  sampleBackwardPointsSource,
);
/** Features at points through a decoder of two layers. */
export const decode: Kernel = defineKernel("triplane.decode", decodeSource);
/** Gradients of `decode`. */
export const decodeBackward: Kernel = defineKernel(
  "triplane.decode_backward",
  decodeBackwardSource,
);
/** `decode` by subgroups of 8 lanes. */
export const decodeLanes: Kernel = defineKernel(
  "triplane.decode_lanes",
  decodeLanesSource,
);
/** `decodeBackward` by subgroups of 8 lanes. */
export const decodeBackwardLanes: Kernel = defineKernel(
  "triplane.decode_backward_lanes",
  decodeBackwardLanesSource,
);
/** Unit of the fixed-point sums. */
export const fixedPointUnit: Kernel = defineKernel(
  "triplane.fixed_point_unit",
  fixedPointUnitSource,
);
/** Fixed-point sums as numbers. */
export const fixedPointValue: Kernel = defineKernel(
  "triplane.fixed_point_value",
  fixedPointValueSource,
);
