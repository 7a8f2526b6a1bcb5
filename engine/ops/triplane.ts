/**
 * Features of tri-planes at points (EG3D's plane projection and grid_sample).
 *
 * @module
 */
import {
  fixedPointUnit,
  fixedPointValue,
  sample,
  sampleBackwardPoints,
  scatter,
  scatterLanes,
} from "../../kernels/triplane/triplane.ts";
import { linearWorkgroups } from "../device.ts";
import { ShapeError } from "../errors.ts";
import { firstDerivative, record } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { pad, permute, slice } from "./movement.ts";
import { maxAlong, sum } from "./reduce.ts";
import { variantOf } from "./variant.ts";

/** Which two coordinates (0 is x) each of the three planes sees, first along its width. */
export type PlaneAxes = readonly (readonly [number, number])[];

/** XY, XZ, ZX, as the published weights were trained: no plane sees YZ. */
export const PUBLISHED_AXES: PlaneAxes = [[0, 1], [0, 2], [2, 0]];

/** XY, YZ, ZX: every pair of coordinates has its plane. */
export const CORRECTED_AXES: PlaneAxes = [[0, 1], [1, 2], [2, 0]];

/** Options of {@linkcode sampleTriplane}. */
export interface TriplaneOptions {
  /** Side of the cube that the planes span, in world units. */
  boxWarp: number;
  /** Mean over the planes (default) or one row per plane. */
  mean?: boolean;
  /** Coordinates that the planes see; {@linkcode PUBLISHED_AXES} when absent. */
  axes?: PlaneAxes;
}

/** What the adjoint for the planes needs to know of a sampling. */
export interface TriplaneCall {
  /** (batch, 3, H, W, C). */
  planes: Tensor;
  /** (batch, N, 3). */
  points: Tensor;
  /** Number of heads. */
  batch: number;
  /** Points of a head. */
  count: number;
  /** Channels of a plane. */
  channels: number;
  /** Parameters that the kernels share. */
  params: Record<string, number>;
  /** Constants that the kernels share. */
  constants: Record<string, number>;
}

/**
 * Bilinear features of tri-planes at points, zero outside the planes.
 *
 * @param planes (batch, 3, C, H, W); fastest with C a multiple of 4
 * @param points (batch, N, 3) in world units
 * @returns (batch, N, C), or (batch, 3, N, C) with `mean: false`
 * @throws {ShapeError} when the shapes are others
 */
export function sampleTriplane(
  planes: Tensor,
  points: Tensor,
  options: TriplaneOptions,
): Tensor {
  requireHeads(planes, points, "C, H, W");
  const channels = planes.shape[2];
  const whole = channels % 4 === 0 ? planes : padChannels(planes);
  const features = sampleChannelsLast(
    permute(whole, [0, 1, 3, 4, 2]),
    points,
    options,
  );
  if (whole === planes) return features;
  const rank = features.shape.length;
  return slice(features, new Array(rank).fill(0), [
    ...features.shape.slice(0, -1),
    channels,
  ]);
}

/** Fails unless planes and points are of the same heads. */
function requireHeads(planes: Tensor, points: Tensor, last: string): void {
  const [batch, three] = planes.shape, [heads, , axes] = points.shape;
  const fits = planes.shape.length === 5 && three === 3 &&
    points.shape.length === 3 && heads === batch && axes === 3;
  if (fits) return;
  throw new ShapeError(
    `Tri-plane sampling takes planes (batch, 3, ${last}) and points (batch, N, 3), not [${planes.shape}] and [${points.shape}].`,
  );
}

function padChannels(planes: Tensor): Tensor {
  const missing = (4 - planes.shape[2] % 4) % 4;
  return pad(
    planes,
    planes.shape.map((_, k) => [0, k === 2 ? missing : 0] as const),
  );
}

/**
 * As {@linkcode sampleTriplane}, for planes that already have their channels
 * last: (batch, 3, H, W, C), C a multiple of 4. Saves a copy when many chunks
 * of points are sampled from the same planes.
 *
 * @throws {ShapeError} when the shapes are others
 */
export function sampleChannelsLast(
  planes: Tensor,
  points: Tensor,
  options: TriplaneOptions,
): Tensor {
  const call = triplaneCall(planes, points, options);
  const { batch, count, channels } = call;
  const y = planes.device.empty(
    call.constants.MEAN
      ? [batch, count, channels]
      : [batch, 3, count, channels],
  );
  planes.device.run(sample, {
    tensors: { planes, points, y },
    params: { ...call.params, c4: channels / 4 },
    constants: call.constants,
    workgroups: linearWorkgroups(batch * count),
  });
  const once = (t: Tensor, g: Tensor) =>
    firstDerivative(t, [planes, points, g], "sampleTriplane");
  return record(y, [planes, points], (g, needs) => [
    needs[0] ? once(planesGradient(call, g), g) : null,
    needs[1] ? once(pointsGradient(call, g), g) : null,
  ]);
}

/**
 * Sizes, parameters and constants of a sampling of channels-last planes.
 *
 * @throws {ShapeError} when planes or points have another shape
 */
export function triplaneCall(
  planes: Tensor,
  points: Tensor,
  options: TriplaneOptions,
): TriplaneCall {
  requireHeads(planes, points, "H, W, C");
  const [batch, , height, width, channels] = planes.shape;
  if (channels % 4 !== 0) {
    throw new ShapeError(
      `Planes with their channels last, [${planes.shape}], need a multiple of 4 channels: pad them with zeros.`,
    );
  }
  const count = points.shape[1];
  return {
    planes,
    points,
    batch,
    count,
    channels,
    params: {
      n: batch * count,
      points: count,
      width,
      height,
      scale: 2 / options.boxWarp,
    },
    constants: {
      AXES: axesCode(options.axes ?? PUBLISHED_AXES),
      MEAN: options.mean ?? true ? 1 : 0,
    },
  };
}

/** Two bits for each coordinate, as the kernels read them. */
function axesCode(axes: PlaneAxes): number {
  return axes.reduce((code, [u, v], k) => code | (u | v << 2) << 4 * k, 0);
}

function pointsGradient(call: TriplaneCall, g: Tensor): Tensor {
  const { planes, points } = call, dp = points.device.empty(points.shape);
  points.device.run(sampleBackwardPoints, {
    tensors: { planes, points, g, dp },
    params: { ...call.params, c4: call.channels / 4 },
    constants: call.constants,
    workgroups: linearWorkgroups(points.size / 3),
  });
  return dp;
}

/** Gradient of channels-last planes from that of the features. */
export function planesGradient(call: TriplaneCall, g: Tensor): Tensor {
  return variantOf(g.device) === "lanes"
    ? walkedGradient(call, g)
    : scatteredGradient(call, g);
}

/** Workgroups that keep the cores of a CPU busy. */
const BUSY = 6;

/** Each subgroup walks over a part of the points for 8 channels of a plane. */
function walkedGradient(call: TriplaneCall, g: Tensor): Tensor {
  const { batch, count, channels, planes } = call, device = g.device;
  const groups = [Math.ceil(channels / 8), batch * 3] as const;
  const wanted = Math.min(
    Math.ceil(BUSY / (groups[0] * groups[1])),
    Math.ceil(count / 4096),
    Math.floor(device.maxTensorBytes / planes.bytes),
  );
  const share = Math.ceil(count / Math.max(wanted, 1) / 8) * 8;
  const parts = Math.ceil(count / share);
  const dplanes = device.empty([parts, ...planes.shape]);
  device.run(scatterLanes, {
    tensors: { g, points: call.points, dplanes },
    params: { ...call.params, share, channels },
    constants: call.constants,
    workgroups: [...groups, parts],
  });
  return parts === 1 ? dplanes.view(planes.shape) : sum(dplanes, { axes: [0] });
}

/**
 * Points add in any order, in fixed point. Two scatters: the first finds how
 * large a sum can get, the second adds.
 */
function scatteredGradient(call: TriplaneCall, g: Tensor): Tensor {
  const device = g.device;
  const one = device.full([1], 1);
  const [batch, three, height, width] = call.planes.shape;
  const weights = device.zeros([batch, three, height, width]);
  launchScatter(call, g, one, weights, 1);
  const unit = device.empty([1]);
  device.run(fixedPointUnit, {
    tensors: {
      largest: largest(g, one, true),
      weights: largest(weights, one, false),
      unit,
    },
    workgroups: [1],
  });
  const sums = device.zeros(call.planes.shape);
  launchScatter(call, g, unit, sums, 0);
  return words(sums, unit, 0);
}

function launchScatter(
  call: TriplaneCall,
  g: Tensor,
  unit: Tensor,
  accumulator: Tensor,
  weights: 0 | 1,
): void {
  g.device.run(scatter, {
    tensors: { g, points: call.points, unit, accumulator },
    params: { ...call.params, channels: call.channels },
    constants: { ...call.constants, WEIGHTS: weights },
    workgroups: linearWorkgroups(call.batch * call.count),
  });
}

/** Largest |x|, or largest word of x as a number. */
function largest(x: Tensor, one: Tensor, absolute: boolean): Tensor {
  return maxAlong(words(x, one, absolute ? 1 : 0).view([x.size]), 0);
}

function words(x: Tensor, unit: Tensor, absolute: 0 | 1): Tensor {
  const y = x.device.empty(x.shape);
  x.device.run(fixedPointValue, {
    tensors: { x, unit, y },
    params: { n: x.size },
    constants: { ABSOLUTE: absolute },
    workgroups: linearWorkgroups(x.size),
  });
  return y;
}
