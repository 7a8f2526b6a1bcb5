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
  matmulMethods,
  type Side,
  type Variant,
} from "../matmul/matmul.ts";
import type { Geometry } from "./walk.ts";
import divide from "./winograd_divide.wgsl" with { type: "text" };
import gradientSource from "./winograd_gradient.wgsl" with { type: "text" };
import inputSource from "./winograd_input.wgsl" with { type: "text" };
import outputSource from "./winograd_output.wgsl" with { type: "text" };
import weightSource from "./winograd_weight.wgsl" with { type: "text" };
import weightGradientSource from "./winograd_weight_gradient.wgsl" with {
  type: "text",
};

/** u = G w G'. */
export const winogradWeight: Kernel = defineKernel(
  "conv2d.winograd_weight",
  weightSource,
);
/** v = B' x B. */
export const winogradInput: Kernel = defineKernel(
  "conv2d.winograd_input",
  inputSource + divide,
);
/** y = A' m A. */
export const winogradOutput: Kernel = defineKernel(
  "conv2d.winograd_output",
  outputSource + divide,
);

/** u = A g A'. */
export const winogradGradient: Kernel = defineKernel(
  "conv2d.winograd_gradient",
  gradientSource + divide,
);
/** y = G' m G. */
export const winogradWeightGradient: Kernel = defineKernel(
  "conv2d.winograd_weight_gradient",
  weightGradientSource,
);

/** One convolution, or a gradient of one, as transforms and products. */
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
const CHUNK_BYTES = { simple: 2 ** 22, lanes: 2 ** 22, tiles: 2 ** 26 };
/** The same for a gradient by the weight, which is summed over chunks. */
const SUM_BYTES = 2 ** 25;

/** The convolution, or its gradient by the image or by the weight. */
export type Direction = "forward" | "data" | "weight";

/** Size of the result and tiles of one image. */
function tiling(
  c: Geometry,
  direction: Direction,
): { oh: number; ow: number; tiles: number } {
  const [oh, ow] = direction === "data" ? [c.h, c.w] : [c.oh, c.ow];
  return { oh, ow, tiles: Math.ceil(oh / 2) * Math.ceil(ow / 2) };
}

/**
 * Whether Winograd's method computes a convolution, or a gradient, on a device.
 *
 * @param bytes the most that the device binds: the transform of a weight is
 * larger than itself
 */
export function winogradApplies(
  c: Geometry,
  variant: Variant,
  direction: Direction,
  bytes: number,
): boolean {
  return c.kh === 3 && c.kw === 3 && c.stride === 1 && c.dilation === 1 &&
    c.groups === 1 && variant !== "simple" &&
    c.n * tiling(c, direction).tiles < 2 ** 24 &&
    Math.max(c.cin, c.cout) < 65536 && 64 * c.cin * c.cout <= bytes;
}

/** Whether it is expected to be faster. */
export function winogradPays(
  c: Geometry,
  direction: Direction,
): boolean {
  return Math.min(c.cin, c.cout) >= FEWEST.channels &&
    c.n * tiling(c, direction).tiles >= FEWEST.tiles;
}

/** How to run a convolution, or a gradient, to which Winograd's method applies. */
export function winograd(
  c: Geometry,
  variant: Variant,
  direction: Direction,
): Winograd {
  const flip = direction === "data", area = c.kh * c.kw;
  const { oh, ow, tiles } = tiling(c, direction), allTiles = c.n * tiles;
  const most = Math.max(c.cin, c.cout);
  const bytes = direction === "weight" ? SUM_BYTES : CHUNK_BYTES[variant];
  const chunk = Math.floor(bytes / (64 * most));
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
    chunk: Math.max(1, Math.min(allTiles, chunk)),
  };
}

/** The 16 products of `count` tiles: (16, rows, count) from u and v. */
export function winogradProducts(
  w: Winograd,
  count: number,
  variant: Variant,
): MatmulDispatch {
  const left: Side = {
    batch: 16,
    size: w.rows,
    depth: w.depth,
    batchStride: w.rows * w.depth,
    stride: w.depth,
    depthStride: 1,
  };
  const right: Side = {
    batch: 16,
    size: count,
    depth: w.depth,
    batchStride: w.depth * count,
    stride: 1,
    depthStride: count,
  };
  const [method] = matmulMethods(left, right, variant);
  return matmulDispatch(left, right, method, 1);
}

/**
 * The 16 products that sum over `count` tiles: (16, rows, depth) from
 * transformed gradients (16, rows, pitch) and pixels (16, depth, pitch).
 */
export function winogradSums(
  w: Winograd,
  count: number,
  pitch: number,
  variant: Variant,
): MatmulDispatch {
  const side = (size: number): Side => ({
    batch: 16,
    size,
    depth: count,
    batchStride: size * pitch,
    stride: pitch,
    depthStride: 1,
  });
  const left = side(w.rows), right = side(w.depth);
  const [method] = matmulMethods(left, right, variant);
  return matmulDispatch(left, right, method, 1);
}

/**
 * Distance of the rows of transforms that sums over tiles read: rows a power
 * of two apart would share few lines of a cache.
 */
export function winogradPitch(count: number): number {
  return count + 16;
}

/** Parameters of the pixel transforms for `count` tiles from `first` on. */
export function winogradParams(
  w: Winograd,
  first: number,
  count: number,
  pitch: number = count,
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
    pitch,
  };
}
