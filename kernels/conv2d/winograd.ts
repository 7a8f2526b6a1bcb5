/**
 * Winograd's F(2x2, 3x3): a 3 x 3 convolution of stride 1 with 16 instead of
 * 36 multiplications for each four pixels, for the price of three transforms.
 *
 * @module
 */
import { defineKernel, type Kernel } from "../kernel.ts";
import {
  type MatmulDispatch,
  matmulDispatch,
  type Variant,
} from "../matmul/matmul.ts";
import type { Geometry } from "./walk.ts";
import inputSource from "./winograd_input.wgsl" with { type: "text" };
import outputSource from "./winograd_output.wgsl" with { type: "text" };
import weightSource from "./winograd_weight.wgsl" with { type: "text" };

/** u = G w G'. */
export const winogradWeight: Kernel = defineKernel(
  "conv2d.winograd_weight",
  weightSource,
);
/** v = B' x B. */
export const winogradInput: Kernel = defineKernel(
  "conv2d.winograd_input",
  inputSource,
);
/** y = A' m A. */
export const winogradOutput: Kernel = defineKernel(
  "conv2d.winograd_output",
  outputSource,
);

/** One convolution, or its gradient by the image, as transforms and products. */
export interface Winograd {
  /** Channels made. */
  rows: number;
  /** Channels summed over. */
  depth: number;
  /** Whether it is the gradient: the weight's taps are reversed. */
  flip: boolean;
  /** Strides of the weight. */
  wRow: number;
  /** See `wRow`. */
  wDepth: number;
  /** Size of the source. */
  h: number;
  /** See `h`. */
  w: number;
  /** First pixel that the first tile reads. */
  sy: number;
  /** See `sy`. */
  sx: number;
  /** Size of the result. */
  oh: number;
  /** See `oh`. */
  ow: number;
  /** Tiles of 2 x 2 pixels, of one image and of all. */
  tiles: number;
  /** See `tiles`. */
  allTiles: number;
  /** Tiles that are transformed at a time, so that the transforms stay small. */
  chunk: number;
}

/** Fewest channels on both sides, and fewest tiles, for which it pays. */
const FEWEST = { channels: 32, tiles: 32 };
/** Bytes of one transform of a chunk: a CPU's cache, or enough to fill a GPU. */
const CHUNK_BYTES = { simple: 0, lanes: 2 ** 22, tiles: 2 ** 26 };

/**
 * How to run a convolution by Winograd's method, or null when that does not
 * apply or not pay.
 *
 * @param direction the convolution, or its gradient by the image
 */
export function winograd(
  c: Geometry,
  variant: Variant,
  direction: "forward" | "data",
): Winograd | null {
  const flip = direction === "data", area = c.kh * c.kw;
  const applies = c.kh === 3 && c.kw === 3 && c.stride === 1 &&
    c.dilation === 1 && c.groups === 1 && variant !== "simple";
  const [oh, ow] = flip ? [c.h, c.w] : [c.oh, c.ow];
  const tiles = Math.ceil(oh / 2) * Math.ceil(ow / 2), allTiles = c.n * tiles;
  const most = Math.max(c.cin, c.cout);
  const pays = Math.min(c.cin, c.cout) >= FEWEST.channels &&
    allTiles >= FEWEST.tiles && allTiles < 2 ** 24 && most < 65536;
  if (!applies || !pays) return null;
  return {
    rows: flip ? c.cin : c.cout,
    depth: flip ? c.cout : c.cin,
    flip,
    wRow: flip ? area : c.cin * area,
    wDepth: flip ? c.cin * area : area,
    h: flip ? c.oh : c.h,
    w: flip ? c.ow : c.w,
    sy: flip ? c.top - 2 : -c.top,
    sx: flip ? c.left - 2 : -c.left,
    oh,
    ow,
    tiles,
    allTiles,
    chunk: Math.min(allTiles, Math.floor(CHUNK_BYTES[variant] / (64 * most))),
  };
}

/** The 16 products of `count` tiles: (16, rows, count) from u and v. */
export function winogradProducts(
  w: Winograd,
  count: number,
  variant: Variant,
): MatmulDispatch {
  return matmulDispatch(
    {
      batch: 16,
      size: w.rows,
      depth: w.depth,
      batchStride: w.rows * w.depth,
      stride: w.depth,
      depthStride: 1,
    },
    {
      batch: 16,
      size: count,
      depth: w.depth,
      batchStride: w.depth * count,
      stride: 1,
      depthStride: count,
    },
    variant,
    1,
  );
}

/** Parameters of both pixel transforms for `count` tiles from `first` on. */
export function winogradParams(
  w: Winograd,
  first: number,
  count: number,
): Record<string, number> {
  const tilesX = Math.ceil(w.ow / 2);
  return {
    rows: w.rows,
    depth: w.depth,
    h: w.h,
    w: w.w,
    sy: w.sy,
    sx: w.sx,
    oh: w.oh,
    ow: w.ow,
    tiles: w.tiles,
    tiles_x: tilesX,
    inverse_tiles: 1 / w.tiles,
    inverse_tiles_x: 1 / tilesX,
    first,
    count,
  };
}
