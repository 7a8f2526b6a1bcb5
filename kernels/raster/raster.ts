/**
 * Triangle meshes on the screen: which triangle each pixel shows, and what the
 * mesh carries there.
 *
 * @module
 */
import { defineKernel, type Kernel } from "../kernel.ts";
import setupSource from "./setup.wgsl" with { type: "text" };
import binSource from "./bin.wgsl" with { type: "text" };
import coverSource from "./cover.wgsl" with { type: "text" };
import attributesSource from "./attributes.wgsl" with { type: "text" };
import textureSource from "./texture.wgsl" with { type: "text" };

/** Side of a tile in pixels; the kernels have it as a literal. */
export const TILE = 8;

/** Corners and pixel boxes of triangles. */
export const rasterSetup: Kernel = defineKernel("raster.setup", setupSource);
/** Triangles of each tile. */
export const rasterBin: Kernel = defineKernel("raster.bin", binSource);
/** Nearest triangle of each pixel. */
export const rasterCover: Kernel = defineKernel("raster.cover", coverSource);
/** Numbers of vertices or triangles at each pixel. */
export const rasterAttributes: Kernel = defineKernel(
  "raster.attributes",
  attributesSource,
);
/** A picture on the mesh. */
export const rasterTexture: Kernel = defineKernel(
  "raster.texture",
  textureSource,
);
