/**
 * Convolution and its two gradients: which kernel runs, with which numbers.
 *
 * Every direction has an always-right kernel (one invocation per few outputs,
 * no assumption about the device) and a fast one for each kind of device.
 *
 * @module
 */
import { type Constants, defineKernel, type Kernel } from "../kernel.ts";
import {
  alongTiles,
  bestRows,
  folded,
  LANE_TILE,
  TILE,
} from "../matmul/matmul.ts";
import type { Variant } from "../matmul/matmul.ts";
import {
  backwardWalks,
  forwardWalk,
  type Geometry,
  type Walk,
  walkParams,
} from "./walk.ts";
import backwardDataSource from "./backward_data.wgsl" with { type: "text" };
import backwardWeightSource from "./backward_weight.wgsl" with { type: "text" };
import backwardWeightLanesSource from "./backward_weight_lanes.wgsl" with {
  type: "text",
};
import backwardWeightTilesSource from "./backward_weight_tiles.wgsl" with {
  type: "text",
};
import forwardSource from "./forward.wgsl" with { type: "text" };
import forwardLanesSource from "./forward_lanes.wgsl" with { type: "text" };
import forwardTilesSource from "./forward_tiles.wgsl" with { type: "text" };

/** y = x * w, for every stride, dilation, padding and group count. */
export const forward: Kernel = defineKernel("conv2d.forward", forwardSource);
/** Gradient by the image: the transposed convolution. */
export const backwardData: Kernel = defineKernel(
  "conv2d.backward_data",
  backwardDataSource,
);
/** Gradient by the weight, in parts that are then summed. */
export const backwardWeight: Kernel = defineKernel(
  "conv2d.backward_weight",
  backwardWeightSource,
);
/** y = x * w by subgroups of 8 lanes. */
export const forwardLanes: Kernel = defineKernel(
  "conv2d.forward_lanes",
  forwardLanesSource,
);
/** One phase of the gradient by the image: the same walk with other steps. */
export const backwardDataLanes: Kernel = defineKernel(
  "conv2d.backward_data_lanes",
  forwardLanesSource,
);
/** Gradient by the weight by subgroups of 8 lanes. */
export const backwardWeightLanes: Kernel = defineKernel(
  "conv2d.backward_weight_lanes",
  backwardWeightLanesSource,
);
/** y = x * w by tiles in workgroup memory. */
export const forwardTiles: Kernel = defineKernel(
  "conv2d.forward_tiles",
  forwardTilesSource,
);
/** One phase of the gradient by the image, by tiles in workgroup memory. */
export const backwardDataTiles: Kernel = defineKernel(
  "conv2d.backward_data_tiles",
  forwardTilesSource,
);
/** Gradient by the weight by tiles in workgroup memory. */
export const backwardWeightTiles: Kernel = defineKernel(
  "conv2d.backward_weight_tiles",
  backwardWeightTilesSource,
);

/** A dispatch without its tensors. */
export interface ConvDispatch {
  /** What to run. */
  kernel: Kernel;
  /** Values of `Params`. */
  params: Record<string, number>;
  /** Values of `override` declarations. */
  constants: Constants;
  /** Workgroups in x, y, z. */
  workgroups: readonly [number, number, number];
}

const MAX_GROUPS = 65535;
const SIMPLE_GROUP = 64;

function linear(n: number): [number, number, number] {
  return [...folded(Math.ceil(n / SIMPLE_GROUP)), 1];
}

/** y (N, groups cout, oh, ow) from x (N, groups cin, h, w) and the weight. */
export function forwardDispatches(
  c: Geometry,
  variant: Variant,
): ConvDispatch[] {
  const walk = forwardWalk(c);
  const fast = walkVariant(c, walk, variant);
  if (fast === "lanes") return [walkDispatch(forwardLanes, c, walk)];
  if (fast === "tiles") return [walkDispatch(forwardTiles, c, walk)];
  const channels = c.cout === 1 ? 1 : 4;
  return [{
    kernel: forward,
    params: { ...c },
    constants: { CHANNELS: channels },
    workgroups: linear(
      c.n * c.groups * Math.ceil(c.cout / channels) * c.oh * c.ow,
    ),
  }];
}

/** The gradient by x from that of y (N, groups cout, oh, ow) and the weight. */
export function backwardDataDispatches(
  c: Geometry,
  variant: Variant,
): ConvDispatch[] {
  const walks = backwardWalks(c);
  const fast = walkVariant(c, walks[0], variant);
  if (fast !== "simple") {
    const kernel = fast === "lanes" ? backwardDataLanes : backwardDataTiles;
    return walks.map((walk) => walkDispatch(kernel, c, walk));
  }
  const channels = c.cin === 1 ? 1 : 4;
  return [{
    kernel: backwardData,
    params: { ...c },
    constants: { CHANNELS: channels },
    workgroups: linear(
      c.n * c.groups * Math.ceil(c.cin / channels) * c.h * c.w,
    ),
  }];
}

/** Fewest channels for which a tile of 64 beats one invocation per 4. */
const NARROW = 8;

/** What a walk of this shape runs on a device of the given variant. */
function walkVariant(c: Geometry, walk: Walk, variant: Variant): Variant {
  // pixels are divided in floating point, and z counts the images
  const fits = walk.oh * walk.ow < 2 ** 24 && c.n * c.groups <= MAX_GROUPS;
  if (!fits || (variant === "tiles" && walk.rows < NARROW)) return "simple";
  return variant;
}

/** Workgroups that keep every core of a CPU busy, and of a GPU. */
const BUSY = { simple: 64, lanes: 16, tiles: 512 };
/** Bytes that the parts of a weight gradient may take. */
const PARTS_BYTES = 2 ** 26;

/**
 * The gradient by the weight, in `parts` that have to be summed: y is
 * (parts, groups cout, cin, kh, kw).
 */
export function backwardWeightDispatch(
  c: Geometry,
  variant: Variant,
): { parts: number; dispatch: ConvDispatch } {
  const columns = c.cin * c.kh * c.kw, size = c.groups * c.cout * columns;
  const narrow = variant === "tiles" ? NARROW : 2;
  const fast = c.cout < narrow ? "simple" : variant;
  const rows = fast === "lanes" ? bestRows(c.cout) : TILE;
  const blocks = Math.ceil(c.cout / rows);
  const tiles = Math.ceil(columns / (fast === "lanes" ? LANE_TILE : TILE));
  const groups = fast === "simple"
    ? Math.ceil(size / SIMPLE_GROUP)
    : tiles * blocks * c.groups;
  const most = Math.max(1, Math.floor(PARTS_BYTES / (4 * size)));
  const { lines, parts } = split(
    c.n * c.oh,
    Math.min(Math.ceil(BUSY[fast] / groups), most),
  );
  if (fast === "simple" || parts * c.groups > MAX_GROUPS) {
    return {
      parts,
      dispatch: {
        kernel: backwardWeight,
        params: { ...c, parts, rows: lines },
        constants: {},
        workgroups: linear(parts * size),
      },
    };
  }
  return {
    parts,
    dispatch: {
      kernel: fast === "lanes" ? backwardWeightLanes : backwardWeightTiles,
      params: { ...c, lines, height: rows },
      constants: fast === "lanes" ? { ROWS: rows } : {},
      workgroups: [tiles, blocks, parts * c.groups],
    },
  };
}

/** `total` lines in about `wanted` parts of equally many `lines`. */
function split(
  total: number,
  wanted: number,
): { lines: number; parts: number } {
  const lines = Math.ceil(total / Math.max(1, wanted));
  return { lines, parts: Math.ceil(total / lines) };
}

function walkDispatch(kernel: Kernel, c: Geometry, walk: Walk): ConvDispatch {
  const { y, x } = walk, lanes = kernel.overrides.has("ROWS");
  const rows = lanes ? bestRows(walk.rows) : TILE;
  const blocks = Math.ceil(walk.rows / rows);
  const tiles = Math.ceil(y.size * x.size / (lanes ? LANE_TILE : TILE));
  const weights = walk.rows * walk.depth * y.taps * x.taps;
  return {
    kernel,
    constants: lanes ? { ROWS: rows } : {},
    workgroups: [...folded(blocks * tiles), c.n * c.groups],
    params: {
      height: rows,
      blocks,
      tiles,
      along_tiles: alongTiles(weights, walk.depth * walk.sh * walk.sw),
      groups: c.groups,
      ...walkParams(c, walk),
    },
  };
}
