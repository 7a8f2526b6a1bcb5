/**
 * Resizing by tables of taps.
 *
 * @module
 */
import { defineKernel, type Kernel } from "../kernel.ts";
import resampleSource from "./resample.wgsl" with { type: "text" };

/** A separable linear map along rows and columns. */
export const resample: Kernel = defineKernel(
  "interpolate.resample",
  resampleSource,
);
