/**
 * Kernels that draw heads. They know of faces, which the engine's do not.
 *
 * @module
 */
import { defineKernel, type Kernel } from "../../kernels/mod.ts";
import bodySource from "./paint_body.wgsl" with { type: "text" };
import hairSource from "./paint_hair.wgsl" with { type: "text" };
import projectSource from "./project.wgsl" with { type: "text" };
import triangleSource from "./triangle.wgsl" with { type: "text" };
import nearestSource from "./nearest.wgsl" with { type: "text" };
import developSource from "./develop.wgsl" with { type: "text" };

/** Colours of the body's vertices, with the light on them. */
export const paintBody: Kernel = defineKernel("heads.paint_body", bodySource);
/** Colours of the hair's vertices, with the light on them. */
export const paintHair: Kernel = defineKernel("heads.paint_hair", hairSource);
/** Vertices on the screen. */
export const project: Kernel = defineKernel("heads.project", projectSource);
/** The nearest triangle of each sample, in two stages. */
export const nearest: Kernel = defineKernel(
  "heads.nearest",
  nearestSource + triangleSource,
);
/** Pixels from samples. */
export const develop: Kernel = defineKernel(
  "heads.develop",
  developSource + triangleSource,
);
