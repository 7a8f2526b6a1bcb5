/**
 * Triangle meshes on the screen: which triangle each pixel shows, and what the
 * mesh carries there. And meshes from volumes: marching cubes.
 *
 * @module
 */
import { defineKernel, type Kernel } from "../kernel.ts";
import setupSource from "./setup.wgsl" with { type: "text" };
import binSource from "./bin.wgsl" with { type: "text" };
import coverSource from "./cover.wgsl" with { type: "text" };
import attributesSource from "./attributes.wgsl" with { type: "text" };
import textureSource from "./texture.wgsl" with { type: "text" };
import classifySource from "./marching_cubes_classify.wgsl" with {
  type: "text",
};
import fieldSource from "./marching_cubes_field.wgsl" with { type: "text" };
import offsetsSource from "./marching_cubes_offsets.wgsl" with { type: "text" };
import totalsSource from "./marching_cubes_totals.wgsl" with { type: "text" };
import trianglesSource from "./marching_cubes_triangles.wgsl" with {
  type: "text",
};
import verticesSource from "./marching_cubes_vertices.wgsl" with {
  type: "text",
};

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
/** Corners and crossings of the cells of a slab, and how much each run will write. */
export const marchingCubesClassify: Kernel = defineKernel(
  "raster.marching_cubes_classify",
  classifySource + fieldSource,
);
/** Sums of spans: a prefix sum on its way up. */
export const marchingCubesTotals: Kernel = defineKernel(
  "raster.marching_cubes_totals",
  totalsSource,
);
/** Sums of what lies before: a prefix sum on its way down. */
export const marchingCubesOffsets: Kernel = defineKernel(
  "raster.marching_cubes_offsets",
  offsetsSource,
);
/** A vertex for each edge that crosses the level. */
export const marchingCubesVertices: Kernel = defineKernel(
  "raster.marching_cubes_vertices",
  verticesSource + fieldSource,
);
/** The triangles of each cell. */
export const marchingCubesTriangles: Kernel = defineKernel(
  "raster.marching_cubes_triangles",
  trianglesSource,
);
