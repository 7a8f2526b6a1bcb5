/**
 * Optimiser steps, one fused kernel per parameter.
 *
 * @module
 */
import { defineKernel, type Kernel } from "../kernel.ts";
import adamSource from "./adam.wgsl" with { type: "text" };

/** Adam in place. */
export const adam: Kernel = defineKernel("optim.adam", adamSource);
