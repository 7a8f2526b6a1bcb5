/**
 * Pseudo-random numbers on the device.
 *
 * @module
 */
import { defineKernel, type Kernel } from "../kernel.ts";
import uniformSource from "./uniform.wgsl" with { type: "text" };

/** Uniform numbers in [0, 1). */
export const uniform: Kernel = defineKernel("random.uniform", uniformSource);
