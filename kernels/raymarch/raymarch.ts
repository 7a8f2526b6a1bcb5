/**
 * Rays, depths along them, and the ray marcher with its adjoint.
 *
 * @module
 */
import { defineKernel, type Kernel } from "../kernel.ts";
import raysSource from "./rays.wgsl" with { type: "text" };
import rayPointsSource from "./ray_points.wgsl" with { type: "text" };
import stratifiedSource from "./stratified.wgsl" with { type: "text" };
import importanceSource from "./importance.wgsl" with { type: "text" };
import transmittanceSource from "./transmittance.wgsl" with { type: "text" };
import transmittanceBackwardSource from "./transmittance_backward.wgsl" with {
  type: "text",
};
import boxLimitsSource from "./box_limits.wgsl" with { type: "text" };
import boxLimitsFillSource from "./box_limits_fill.wgsl" with { type: "text" };
import expectedDepthSource from "./expected_depth.wgsl" with { type: "text" };
import expectedDepthBackwardSource from "./expected_depth_backward.wgsl" with {
  type: "text",
};
import compositeSource from "./composite.wgsl" with { type: "text" };
import compositeBackwardSource from "./composite_backward.wgsl" with {
  type: "text",
};

/** Rays of a camera through pixel centres. */
export const rays: Kernel = defineKernel("raymarch.rays", raysSource);
/** Points on rays. */
export const rayPoints: Kernel = defineKernel(
  "raymarch.ray_points",
  rayPointsSource,
);
/** Stratified depths. */
export const stratified: Kernel = defineKernel(
  "raymarch.stratified",
  stratifiedSource,
);
/** Importance samples joined with the coarse depths. */
export const importance: Kernel = defineKernel(
  "raymarch.importance",
  importanceSource,
);
/** Weights of the intervals. */
export const transmittance: Kernel = defineKernel(
  "raymarch.transmittance",
  transmittanceSource,
);
/** Gradient of the densities. */
export const transmittanceBackward: Kernel = defineKernel(
  "raymarch.transmittance_backward",
  transmittanceBackwardSource,
);
/** Colour, depth and opacity of a ray. */
export const composite: Kernel = defineKernel(
  "raymarch.composite",
  compositeSource,
);
/** Gradient of the colours. */
export const compositeBackward: Kernel = defineKernel(
  "raymarch.composite_backward",
  compositeBackwardSource,
);
/** Where rays enter and leave a cube. */
export const boxLimits: Kernel = defineKernel(
  "raymarch.box_limits",
  boxLimitsSource,
);
/** Limits of rays that miss the cube. */
export const boxLimitsFill: Kernel = defineKernel(
  "raymarch.box_limits_fill",
  boxLimitsFillSource,
);
/** Mean distance of what a ray sees. */
export const expectedDepth: Kernel = defineKernel(
  "raymarch.expected_depth",
  expectedDepthSource,
);
/** Gradients of `expectedDepth`. */
export const expectedDepthBackward: Kernel = defineKernel(
  "raymarch.expected_depth_backward",
  expectedDepthBackwardSource,
);
