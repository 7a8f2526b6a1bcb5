/**
 * Up-sampling by zeros, padding or cropping, FIR filtering, down-sampling.
 *
 * @module
 */
import { defineKernel, type Kernel } from "../kernel.ts";
import generalSource from "./general.wgsl" with { type: "text" };
import fir4Source from "./fir4.wgsl" with { type: "text" };
import up2Source from "./up2.wgsl" with { type: "text" };

/** Any factors, padding and filter. */
export const upfirdn2dGeneral: Kernel = defineKernel(
  "upfirdn2d.general",
  generalSource,
);
/** Separable, at most four taps, no up-sampling, down-sampling by 1 or 2. */
export const upfirdn2dFir4: Kernel = defineKernel("upfirdn2d.fir4", fir4Source);
/** Separable, at most four taps, up-sampling by 2. */
export const upfirdn2dUp2: Kernel = defineKernel("upfirdn2d.up2", up2Source);
