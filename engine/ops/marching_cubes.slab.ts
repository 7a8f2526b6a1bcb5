/**
 * Marching cubes on one slab of a grid: what will there be, and the mesh itself
 * once it is known how much room it takes.
 *
 * @module
 */
import { CASE_WORDS, RUN, SPAN } from "../../kernels/raster/marching_cubes.ts";
import {
  marchingCubesClassify,
  marchingCubesOffsets,
  marchingCubesTotals,
  marchingCubesTriangles,
  marchingCubesVertices,
} from "../../kernels/raster/raster.ts";
import { linearWorkgroups } from "../device.ts";
import type { Tensor } from "../tensor.ts";

/** Neighbouring planes of a grid, some of which are turned into a mesh. */
export interface Slab {
  /** (depth, H, W): a plane before and two behind the ones that are turned, as far as the grid has them. */
  readonly values: Tensor;
  /** The plane of the grid that is plane 0 of `values`. */
  readonly base: number;
  /** The plane of `values` that is the first to be turned. */
  readonly first: number;
  /** How many are turned: the cells above them, the edges that leave their points. */
  readonly planes: number;
}

/** What {@linkcode countSlab} found. */
export interface SlabCounts {
  /** Corners and crossings of each cell, u32 words. */
  readonly codes: Tensor;
  /** (runs + 1, 2), u32 words: vertices and triangles of the runs before each run. */
  readonly offsets: Tensor;
  /** The cases of a cell as the kernels read them. */
  readonly cases: Tensor;
  /** Runs of a row. */
  readonly across: number;
  /** Runs of the planes that are turned; `offsets` has their totals there. */
  readonly runs: number;
}

/** Where the grid lies. */
export interface GridPlacement {
  /** Where its first point lies. */
  readonly origin: readonly [number, number, number];
  /** From point to point along x, y and z. */
  readonly spacing: readonly [number, number, number];
}

/** The mesh of a slab. */
export interface SlabMesh {
  /** (V, 3). */
  positions: Tensor;
  /** (V, 3), of length 1. */
  normals: Tensor;
  /** (T, 3), u32 words. */
  triangles: Tensor;
}

/** How much room the mesh of a slab takes. */
export interface SlabSize {
  /** Vertices; room for one is made when there are none. */
  readonly vertices: number;
  /** Triangles; room for one is made when there are none. */
  readonly triangles: number;
  /** Vertices of the slabs before. */
  readonly verticesBefore: number;
}

/** Looks at every cell of a slab. */
export function countSlab(
  { values, first, planes }: Slab,
  level: number,
): SlabCounts {
  const device = values.device, [depth, height, width] = values.shape;
  // triangles also refer to vertices of the plane that follows
  const counted = Math.min(planes + 1, depth - first);
  const across = Math.ceil(width / RUN);
  const total = counted * height * across;
  const cases = device.empty([256, 8]);
  device.writeWords(cases, CASE_WORDS);
  const codes = device.empty([counted, height, width]);
  const offsets = device.empty([total + 1, 2]);
  device.run(marchingCubesClassify, {
    tensors: { values, cases, codes, counts: offsets },
    params: { runs: total, across, width, height, depth, first, level },
    workgroups: linearWorkgroups(total + 1),
  });
  exclusiveSum(offsets);
  return { codes, offsets, cases, across, runs: planes * height * across };
}

/** Replaces pairs of u32 by the sums of the pairs before them. */
function exclusiveSum(items: Tensor): void {
  const device = items.device, n = items.shape[0];
  using starts = device.zeros([Math.ceil(n / SPAN), 2]);
  const launch = (workers: number) => ({
    params: { n },
    workgroups: linearWorkgroups(workers),
  });
  if (n > SPAN) {
    device.run(marchingCubesTotals, {
      tensors: { items, totals: starts },
      ...launch(starts.shape[0]),
    });
    exclusiveSum(starts);
  }
  device.run(marchingCubesOffsets, {
    tensors: { starts, items },
    ...launch(starts.shape[0]),
  });
}

/** Writes the mesh of a slab. */
export function meshSlab(
  { values, base, first }: Slab,
  { codes, offsets, cases, across, runs }: SlabCounts,
  level: number,
  size: SlabSize,
  { origin, spacing }: GridPlacement,
): SlabMesh {
  const device = values.device, [depth, height, width] = values.shape;
  const positions = device.empty([Math.max(1, size.vertices), 3]);
  const normals = device.empty(positions.shape);
  const triangles = device.empty([Math.max(1, size.triangles), 3]);
  const workgroups = linearWorkgroups(runs);
  const grid = { runs, across, width, height };
  device.run(marchingCubesVertices, {
    tensors: { values, codes, offsets, positions, normals },
    params: {
      ...{ ...grid, depth, first, base, level },
      ...{ origin_x: origin[0], origin_y: origin[1], origin_z: origin[2] },
      ...{ spacing_x: spacing[0], spacing_y: spacing[1] },
      spacing_z: spacing[2],
    },
    workgroups,
  });
  device.run(marchingCubesTriangles, {
    tensors: { codes, offsets, cases, triangles },
    params: { ...grid, vertices: size.verticesBefore },
    workgroups,
  });
  return { positions, normals, triangles };
}
