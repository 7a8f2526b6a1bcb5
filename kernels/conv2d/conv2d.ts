/**
 * Convolution and its two gradients: which kernel runs, with which numbers.
 *
 * Every direction has an always-right kernel (one invocation per few outputs,
 * no assumption about the device) and a fast one for each kind of device.
 *
 * @module
 */
import { withBlocks } from "../blocks/mod.ts";
import { type Constants, defineKernel, type Kernel } from "../kernel.ts";
import { alongTiles, folded, LANE_TILE } from "../matmul/matmul.ts";
import { type Method, tileConstants } from "../method.ts";
import { depthwiseDispatch, depthwiseWeightDispatch } from "./depthwise.ts";
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
  withBlocks(forwardLanesSource),
);
/** One phase of the gradient by the image: the same walk with other steps. */
export const backwardDataLanes: Kernel = defineKernel(
  "conv2d.backward_data_lanes",
  withBlocks(forwardLanesSource),
);
/** Gradient by the weight by subgroups of 8 lanes. */
export const backwardWeightLanes: Kernel = defineKernel(
  "conv2d.backward_weight_lanes",
  withBlocks(backwardWeightLanesSource),
);
/** y = x * w by tiles in workgroup memory. */
export const forwardTiles: Kernel = defineKernel(
  "conv2d.forward_tiles",
  withBlocks(forwardTilesSource),
);
/** One phase of the gradient by the image, by tiles in workgroup memory. */
export const backwardDataTiles: Kernel = defineKernel(
  "conv2d.backward_data_tiles",
  withBlocks(forwardTilesSource),
);
/** Gradient by the weight by tiles in workgroup memory. */
export const backwardWeightTiles: Kernel = defineKernel(
  "conv2d.backward_weight_tiles",
  withBlocks(backwardWeightTilesSource),
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

/**
 * y (N, groups cout, oh, ow) from x (N, groups cin, h, w) and the weight.
 *
 * @param method one of `forwardMethods`, not `winograd`
 */
export function forwardDispatches(
  c: Geometry,
  method: Method,
): ConvDispatch[] {
  const walk = forwardWalk(c);
  switch (method.kernels) {
    case "depthwise":
      return [depthwiseDispatch(c, "forward")];
    case "lanes":
      return [walkDispatch(forwardLanes, c, walk, method)];
    case "tiles":
      return [walkDispatch(forwardTiles, c, walk, method)];
  }
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

/**
 * The gradient by x from that of y (N, groups cout, oh, ow) and the weight.
 *
 * @param method one of `backwardDataMethods`, not `winograd`
 */
export function backwardDataDispatches(
  c: Geometry,
  method: Method,
): ConvDispatch[] {
  const walks = (kernel: Kernel) =>
    backwardWalks(c).map((walk) => walkDispatch(kernel, c, walk, method));
  switch (method.kernels) {
    case "depthwise":
      return [depthwiseDispatch(c, "data")];
    case "lanes":
      return walks(backwardDataLanes);
    case "tiles":
      return walks(backwardDataTiles);
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

/** Workgroups that keep every core of a CPU busy, and of a GPU. */
const BUSY = { simple: 64, lanes: 16, tiles: 512 };
/** Bytes that the parts of a weight gradient may take. */
const PARTS_BYTES = 2 ** 26;

/**
 * The gradient by the weight, in `parts` that have to be summed: y is
 * (parts, groups cout, cin, kh, kw).
 *
 * @param method one of `backwardWeightMethods`
 */
export function backwardWeightDispatch(
  c: Geometry,
  method: Method,
): { parts: number; dispatch: ConvDispatch } {
  const { kernels } = method;
  if (kernels === "depthwise") return depthwiseWeightDispatch(c);
  const columns = c.cin * c.kh * c.kw, size = c.groups * c.cout * columns;
  if (kernels !== "lanes" && kernels !== "tiles") return simpleWeight(c, size);
  const [rows, lanes] = blockOf(method);
  const blocks = Math.ceil(c.cout / rows), tiles = Math.ceil(columns / lanes);
  const { lines, parts } = split(
    c,
    size,
    BUSY[kernels],
    tiles * blocks * c.groups,
  );
  if (parts * c.groups > MAX_GROUPS) return simpleWeight(c, size);
  return {
    parts,
    dispatch: {
      kernel: kernels === "lanes" ? backwardWeightLanes : backwardWeightTiles,
      params: { ...c, lines, height: rows },
      constants: specialisation(method),
      workgroups: [tiles, blocks, parts * c.groups],
    },
  };
}

function simpleWeight(
  c: Geometry,
  size: number,
): { parts: number; dispatch: ConvDispatch } {
  const groups = Math.ceil(size / SIMPLE_GROUP);
  const { lines, parts } = split(c, size, BUSY.simple, groups);
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

/**
 * The N oh output lines in parts of equally many `lines`, so that `busy`
 * workgroups run though a part has only `groups`, and parts of `size` numbers
 * fit the memory for them.
 */
function split(
  c: Geometry,
  size: number,
  busy: number,
  groups: number,
): { lines: number; parts: number } {
  const total = c.n * c.oh;
  const most = Math.max(1, Math.floor(PARTS_BYTES / (4 * size)));
  const lines = Math.ceil(total / Math.min(Math.ceil(busy / groups), most));
  return { lines, parts: Math.ceil(total / lines) };
}

/** Rows and columns that a workgroup of a fast kernel makes. */
function blockOf({ rows, tile }: Method): readonly [number, number] {
  return tile ? [tile.rows, tile.lanes] : [rows ?? 16, LANE_TILE];
}

function specialisation({ rows, tile }: Method): Constants {
  return tile ? tileConstants(tile) : { ROWS: rows ?? 16 };
}

function walkDispatch(
  kernel: Kernel,
  c: Geometry,
  walk: Walk,
  method: Method,
): ConvDispatch {
  const { y, x } = walk, [rows, lanes] = blockOf(method);
  const blocks = Math.ceil(walk.rows / rows);
  const tiles = Math.ceil(y.size * x.size / lanes);
  const weights = walk.rows * walk.depth * y.taps * x.taps;
  return {
    kernel,
    constants: specialisation(method),
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
