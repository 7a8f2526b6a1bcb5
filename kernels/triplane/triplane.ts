/**
 * Sampling of tri-planes and its adjoints.
 *
 * @module
 */
import { defineKernel, type Kernel } from "../kernel.ts";
import corners from "./corners.wgsl" with { type: "text" };
import lanes from "./lanes.wgsl" with { type: "text" };
import sampleSource from "./sample.wgsl" with { type: "text" };
import scatterSource from "./scatter.wgsl" with { type: "text" };
import scatterLanesSource from "./scatter_lanes.wgsl" with { type: "text" };
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
export const sample: Kernel = defineKernel(
  "triplane.sample",
  sampleSource + corners,
);
/** Gradient of the planes, in fixed point. */
export const scatter: Kernel = defineKernel(
  "triplane.scatter",
  scatterSource + corners,
);
/** Gradient of the planes by subgroups of 8 lanes. */
export const scatterLanes: Kernel = defineKernel(
  "triplane.scatter_lanes",
  scatterLanesSource + corners,
);
/** Gradient of the points. */
export const sampleBackwardPoints: Kernel = defineKernel(
  "triplane.sample_backward_points",
  sampleBackwardPointsSource,
);
/** Features at points through a decoder of two layers. */
export const decode: Kernel = defineKernel(
  "triplane.decode",
  decodeSource + corners,
);
/** Gradients of `decode`. */
export const decodeBackward: Kernel = defineKernel(
  "triplane.decode_backward",
  decodeBackwardSource,
);
/** `decode` by subgroups of 8 lanes. */
export const decodeLanes: Kernel = defineKernel(
  "triplane.decode_lanes",
  decodeLanesSource + corners + lanes,
);
/** `decodeBackward` by subgroups of 8 lanes. */
export const decodeBackwardLanes: Kernel = defineKernel(
  "triplane.decode_backward_lanes",
  decodeBackwardLanesSource + lanes,
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
