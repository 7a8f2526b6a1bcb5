/**
 * Pooling that is not linear; average pooling is one of the separable maps of
 * `interpolate/resample.wgsl`.
 *
 * @module
 */
import { defineKernel, type Kernel } from "../kernel.ts";
import maxSource from "./max_pool2d.wgsl" with { type: "text" };
import maxBackwardSource from "./max_pool2d_backward.wgsl" with {
  type: "text",
};

/** Largest number of each window, and where it is. */
export const maxPool: Kernel = defineKernel("pool.max_pool2d", maxSource);
/** Gradient of x. */
export const maxPoolBackward: Kernel = defineKernel(
  "pool.max_pool2d_backward",
  maxBackwardSource,
);
