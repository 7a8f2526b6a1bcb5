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
