/**
 * The head of a tri-plane as a mesh: marching cubes on its density, as EG3D's
 * `gen_samples.py --shapes` extracts it, with the decoder's colour at each
 * vertex.
 *
 * @module
 */
import {
  broadcastTo,
  concat,
  type DecoderWeights,
  decodeTriplane,
  type Device,
  largestComponent,
  marchField,
  permute,
  pointsOnRays,
  reshape,
  slice,
  type Tensor,
  type TriplaneOptions,
} from "../../engine/mod.ts";
import type { GeneratorConfig } from "../../weights/mod.ts";
import { UsageError } from "../errors.ts";
import type { ColouredMesh } from "../media/mesh.ts";
import { decoderOf, densityOnly } from "./renderer/decoder.ts";
import { volume } from "./renderer/march.ts";
import { samplePoints } from "./renderer/renderer.ts";
import type { Generator } from "./state.ts";

/** Options of {@linkcode headMesh}. */
export interface MeshOptions {
  /** Grid points along a side of the generator's box; 256 when absent. */
  resolution?: number;
  /** Density before its activation that counts as surface; 10 when absent, as published. */
  level?: number;
  /**
   * Share of the box that is cut off on each side, where walls stand that no
   * camera has seen; 30 / 256 when absent, as published.
   */
  margin?: number;
  /**
   * Everything behind this z is cut off; for the mannequin what is behind
   * {@linkcode MANNEQUIN_BACK}, for other generators nothing when absent.
   */
  back?: number;
  /** Which of the separate pieces are kept; the largest when absent. */
  pieces?: "largest" | "all";
}

/** Just in front of the backdrop that hangs inside the mannequin's volume and joins its head. */
export const MANNEQUIN_BACK: number = -0.16;

/** What is cut off is less than any level. */
const EMPTY = -1000;

/** Points whose density is asked for at a time. */
const CHUNK = 1 << 20;

/** Points whose colour is asked for at a time: all of the decoder's outputs are held. */
const COLOUR_CHUNK = 1 << 18;

/** The part of the box that is looked at. */
interface Grid {
  /** Points along x, y and z. */
  readonly counts: readonly [number, number, number];
  /** Where the first of them lies. */
  readonly start: readonly [number, number, number];
  /** From point to point. */
  readonly spacing: number;
}

/**
 * The largest piece of a head's surface, closed where the box is cut.
 *
 * @param planes (1, 3, C, H, W)
 * @returns positions in world units (x right, y up, z to the frontal camera)
 * @throws {UsageError} when nothing of the box is left
 */
export async function headMesh(
  generator: Generator,
  planes: Tensor,
  options: MeshOptions = {},
): Promise<ColouredMesh> {
  const device = planes.device, { config } = generator;
  const grid = gridOf(config, options);
  const { counts: [nx, ny, nz], start, spacing } = grid;
  using _scope = device.scope();
  const head = device.withoutTape(() => ({
    planes: permute(planes, [0, 1, 3, 4, 2]),
    decoder: densityOnly(decoderOf(generator)),
    box: volume(generator),
  }));
  const surface = await marchField(
    {
      device,
      // with a layer of nothing around it
      shape: [nz + 2, ny + 2, nx + 2],
      planes: (first, count) => layers(head, grid, first - 1, count),
    },
    options.level ?? 10,
    {
      origin: [start[0] - spacing, start[1] - spacing, start[2] - spacing],
      spacing: [spacing, spacing, spacing],
    },
  );
  const mesh = options.pieces === "all" ? surface : largestComponent(surface);
  return {
    ...mesh,
    colours: await coloursAt(generator, planes, mesh.positions),
  };
}

/** The published grid, whose first and last points lie on the box, without what is cut off. */
function gridOf(config: GeneratorConfig, options: MeshOptions): Grid {
  const { resolution = 256, margin = 30 / 256 } = options;
  const back = options.back ??
    (config.semantics === "mannequin" ? MANNEQUIN_BACK : -Infinity);
  const side = config.box_warp, spacing = side / (resolution - 1);
  const cut = Math.floor(margin * resolution);
  const behind = Math.max(cut, Math.ceil((back + side / 2) / spacing));
  const across = resolution - 2 * cut, deep = resolution - cut - behind;
  if (!(resolution >= 2 && across >= 1 && deep >= 1)) {
    throw new UsageError(
      `A mesh of ${resolution} points a side with a margin of ${margin} and a back at ${back} has nothing in it; take more points or cut off less.`,
    );
  }
  const place = (points: number) => points * spacing - side / 2;
  return {
    counts: [across, across, deep],
    start: [place(cut), place(cut), place(behind)],
    spacing,
  };
}

/** What the density of a head is decoded from. */
interface Density {
  /** (1, 3, H, W, C). */
  readonly planes: Tensor;
  /** With one output. */
  readonly decoder: DecoderWeights;
  /** Where the planes lie. */
  readonly box: Omit<TriplaneOptions, "mean">;
}

/** Densities of layers z of the grid and of the empty ones before and after it. */
function layers(
  { planes, decoder, box }: Density,
  grid: Grid,
  first: number,
  count: number,
): Tensor {
  const device = planes.device, [nx, ny, nz] = grid.counts;
  using scope = device.scope();
  const from = Math.max(first, 0), end = Math.min(first + count, nz);
  const empty = (layers: number) =>
    layers > 0 ? [device.full([layers, ny + 2, nx + 2], EMPTY)] : [];
  const parts = empty(from - first);
  for (let z = from; z < end;) {
    const deep = Math.min(end - z, Math.max(1, Math.floor(CHUNK / (nx * ny))));
    using chunk = device.scope();
    const points = latticePoints(device, grid, z, deep);
    const sigma = decodeTriplane(planes, points, decoder, box);
    parts.push(chunk.keep(surround(reshape(sigma, [deep, ny, nx]))));
    z += deep;
  }
  parts.push(...empty(first + count - end));
  return scope.keep(concat(parts, 0));
}

/** Layers z to z + deep - 1 as (1, N, 3), x fastest: each row is a ray along x. */
function latticePoints(
  device: Device,
  { counts: [nx, ny], start, spacing }: Grid,
  z: number,
  deep: number,
): Tensor {
  const rows = new Float32Array(6 * deep * ny);
  for (let row = 0; row < deep * ny; row++) {
    const y = start[1] + spacing * (row % ny);
    const depth = start[2] + spacing * (z + Math.floor(row / ny));
    rows.set([start[0], y, depth, 1, 0, 0], 6 * row);
  }
  const steps = Float32Array.from({ length: nx }, (_, x) => spacing * x);
  const points = pointsOnRays(
    device.tensor(rows, [deep * ny, 6]),
    broadcastTo(device.tensor(steps, [1, nx]), [deep * ny, nx]),
  );
  return reshape(points, [1, deep * ny * nx, 3]);
}

/** Nothing around layers (Z, Y, X): (Z, Y + 2, X + 2). */
function surround(x: Tensor): Tensor {
  const [nz, ny, nx] = x.shape, device = x.device;
  const side = device.full([nz, ny, 1], EMPTY);
  const edge = device.full([nz, 1, nx + 2], EMPTY);
  return concat([edge, concat([side, x, side], 2), edge], 1);
}

/** What the raw picture shows of each point: the first three colours, in [0, 1]. */
async function coloursAt(
  generator: Generator,
  planes: Tensor,
  positions: Float32Array,
): Promise<Float32Array> {
  const device = planes.device, colours = new Float32Array(positions.length);
  for (let at = 0; at < positions.length; at += 3 * COLOUR_CHUNK) {
    using _chunk = device.scope();
    const part = positions.subarray(at, at + 3 * COLOUR_CHUNK);
    const shown = device.withoutTape(() => {
      const points = device.tensor(part, [1, part.length / 3, 3]);
      const { rgb } = samplePoints(generator, planes, points);
      return slice(rgb, [0, 0, 0], points.shape);
    });
    colours.set(await shown.data(), at);
  }
  return colours.map((v) => Math.min(Math.max(v, 0), 1));
}
