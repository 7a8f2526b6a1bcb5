/**
 * Matrix products: which kernel runs, with which numbers.
 *
 * @module
 */
import { withBlocks } from "../blocks/mod.ts";
import { type Constants, defineKernel, type Kernel } from "../kernel.ts";
import {
  type Method,
  SIMPLE,
  type Tile,
  TILE_METHODS,
  tileConstants,
} from "../method.ts";
import matmulSource from "./matmul.wgsl" with { type: "text" };
import matmulLanesSource from "./matmul_lanes.wgsl" with { type: "text" };
import matmulTilesSource from "./matmul_tiles.wgsl" with { type: "text" };

/** y = A B, batched, through strides; no assumption about the device. */
export const matmul: Kernel = defineKernel("matmul.matmul", matmulSource);
/** y = A B by subgroups of 8 lanes. */
export const matmulLanes: Kernel = defineKernel(
  "matmul.matmul_lanes",
  withBlocks(matmulLanesSource),
);

/** y = A B by tiles in workgroup memory. */
export const matmulTiles: Kernel = defineKernel(
  "matmul.matmul_tiles",
  withBlocks(matmulTilesSource),
);

/**
 * Which kernels a device runs: `lanes` needs subgroups of exactly 8, `tiles`
 * the fast workgroup memory of a GPU, `simple` nothing.
 */
export type Variant = "simple" | "lanes" | "tiles";

/** One side of a product: sizes and strides of the matrix as it is multiplied. */
export interface Side {
  /** Matrices. */
  batch: number;
  /** Rows of the left side, columns of the right one. */
  size: number;
  /** Length of the inner axis. */
  depth: number;
  /** Distance of two matrices; 0 when one is shared. */
  batchStride: number;
  /** Distance of two rows (left) or columns (right). */
  stride: number;
  /** Distance of neighbours on the inner axis. */
  depthStride: number;
}

/** A dispatch of a product (batch, m, n), possibly in parts, without its tensors. */
export interface MatmulDispatch {
  /** What to run. */
  kernel: Kernel;
  /** Whether the kernel's `a` is the right side and its `b` the left one. */
  swapped: boolean;
  /** Products of parts of the inner axis, (parts, batch, m, n), that have to be summed. */
  parts: number;
  /** Values of `Params`. */
  params: Record<string, number>;
  /** Values of `override` declarations. */
  constants: Constants;
  /** Workgroups in x, y, z. */
  workgroups: readonly [number, number, number];
}

const MAX_GROUPS = 65535;
/** Lanes of a workgroup tile: 8 lanes of 4. */
export const LANE_TILE = 32;

/** Time of one gather in multiply-adds of 8 lanes, on llvmpipe. */
const GATHER = 6;

/** Relative time that `size` rows take in blocks of `rows`. */
function rowsCost(size: number, rows: number): number {
  return Math.ceil(size / rows) *
    (GATHER * (Math.ceil(rows / 8) + 4) + 4 * rows);
}

/** Height of the row blocks (1, 4, 8, 12 or 16) that wastes least on `size` rows. */
export function bestRows(size: number): number {
  // each height is a pipeline to compile, so a small gain is not worth another
  return [16, 12, 8, 4, 1].reduce((a, b) =>
    rowsCost(size, b) < 0.9 * rowsCost(size, a) ? b : a
  );
}

/** Heights of row blocks that are worth trying. */
const HEIGHTS = [16, 12, 8, 4];

/**
 * Ways to compute the product of two sides on a device, the one that is taken
 * without tuning first.
 */
export function matmulMethods(
  left: Side,
  right: Side,
  variant: Variant,
): readonly Method[] {
  const batch = Math.max(left.batch, right.batch);
  if (variant === "simple" || batch * MAX_PARTS > MAX_GROUPS) return [SIMPLE];
  if (variant === "tiles") return [...TILE_METHODS, SIMPLE];
  const cost = (rows: number, lanes: number) =>
    rowsCost(rows, bestRows(rows)) * Math.ceil(lanes / LANE_TILE);
  const swapped = cost(right.size, left.size) < cost(left.size, right.size);
  const first: Method = {
    kernels: "lanes",
    rows: bestRows(swapped ? right.size : left.size),
    swapped,
  };
  const others = [false, true].flatMap((swapped) =>
    HEIGHTS.map((rows): Method => ({ kernels: "lanes", rows, swapped }))
  );
  const fits = ({ rows, swapped }: Method) =>
    rows! < 2 * (swapped ? right.size : left.size);
  const rest = others.filter((m) =>
    fits(m) && (m.rows !== first.rows || m.swapped !== swapped)
  );
  return [first, ...rest, SIMPLE];
}

/**
 * The product of two sides.
 *
 * @param most parts that the inner axis may be cut into
 */
export function matmulDispatch(
  left: Side,
  right: Side,
  method: Method,
  most = MAX_PARTS,
): MatmulDispatch {
  const batch = Math.max(left.batch, right.batch);
  const { kernels, tile, rows = 16, swapped = false } = method;
  if (tile) return tilesDispatch(left, right, batch, tile, most);
  return kernels === "lanes"
    ? lanesDispatch(left, right, batch, { rows, swapped }, most)
    : simpleDispatch(left, right, batch);
}

function simpleDispatch(
  left: Side,
  right: Side,
  batch: number,
): MatmulDispatch {
  const blocks = batch * Math.ceil(left.size / 4);
  return {
    kernel: matmul,
    swapped: false,
    parts: 1,
    constants: {},
    params: {
      batch,
      m: left.size,
      n: right.size,
      k: left.depth,
      ab: left.batchStride,
      am: left.stride,
      ak: left.depthStride,
      bb: right.batchStride,
      bk: right.depthStride,
      bn: right.stride,
    },
    workgroups: [...folded(Math.ceil(right.size / 32) * blocks), 1],
  };
}

/** Most parts of the inner axis. */
const MAX_PARTS = 256;
/** Shortest part of the inner axis that is worth a part of its own. */
const SHORTEST = 256;
/** Workgroups that keep a CPU's cores busy, and a GPU's. */
const BUSY = { lanes: 32, tiles: 512 };

function lanesDispatch(
  left: Side,
  right: Side,
  batch: number,
  { rows, swapped }: Required<Pick<Method, "rows" | "swapped">>,
  most: number,
): MatmulDispatch {
  return {
    kernel: matmulLanes,
    swapped,
    constants: { ROWS: rows },
    ...tiled(left, right, batch, swapped, [rows, LANE_TILE], [
      BUSY.lanes,
      most,
    ]),
  };
}

function tilesDispatch(
  left: Side,
  right: Side,
  batch: number,
  tile: Tile,
  most: number,
): MatmulDispatch {
  return {
    kernel: matmulTiles,
    swapped: false,
    constants: {
      A_ALONG_K: left.depthStride === 1 ? 1 : 0,
      B_ALONG_K: right.depthStride === 1 ? 1 : 0,
      ...tileConstants(tile),
    },
    ...tiled(left, right, batch, false, [tile.rows, tile.lanes], [
      BUSY.tiles,
      most,
    ]),
  };
}

/** Numbers that stay in a core's second-level cache beside what streams by. */
const CACHED = 2 ** 18;

/**
 * Whether neighbouring workgroups should share rows (1) or lanes (0): the side
 * that fits the cache is the one to walk along.
 *
 * @param rows numbers of the side of the rows
 * @param lanes numbers of the side of the lanes
 */
export function alongTiles(rows: number, lanes: number): 0 | 1 {
  return rows > CACHED && rows > lanes ? 1 : 0;
}

/** Workgroups in x and y for `count` of them. */
export function folded(count: number): [number, number] {
  const x = Math.min(count, MAX_GROUPS);
  return [x, Math.ceil(count / x)];
}

/** What the lane and the tile kernel have in common. */
function tiled(
  left: Side,
  right: Side,
  batch: number,
  swapped: boolean,
  tile: readonly [number, number],
  [busy, most]: readonly [number, number],
): Pick<MatmulDispatch, "parts" | "params" | "workgroups"> {
  const [a, b] = swapped ? [right, left] : [left, right];
  const blocks = Math.ceil(a.size / tile[0]);
  const tiles = Math.ceil(b.size / tile[1]);
  const wanted = Math.min(
    Math.ceil(busy / (blocks * tiles * batch)),
    Math.max(1, Math.floor(a.depth / SHORTEST)),
    most,
  );
  const chunk = Math.ceil(a.depth / wanted);
  const parts = Math.ceil(a.depth / chunk);
  return {
    parts,
    workgroups: [...folded(blocks * tiles), batch * parts],
    params: {
      height: tile[0],
      blocks,
      tiles,
      along_tiles: alongTiles(a.size * chunk, b.size * chunk),
      batch,
      rows: a.size,
      lanes: b.size,
      depth: a.depth,
      chunk,
      a_batch: a.batchStride,
      a_row: a.stride,
      a_k: a.depthStride,
      b_batch: b.batchStride,
      b_lane: b.stride,
      b_k: b.depthStride,
      y_batch: left.size * right.size,
      y_row: swapped ? 1 : right.size,
      y_lane: swapped ? right.size : 1,
    },
  };
}
