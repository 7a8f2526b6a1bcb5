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
} from "../../kernels/triplane/triplane.ts";
import { linearWorkgroups } from "../device.ts";
import { ShapeError } from "../errors.ts";
import { record } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { maxAlong } from "./reduce.ts";
import { pad, permute, slice } from "./movement.ts";

/** Options of {@linkcode sampleTriplane}. */
export interface TriplaneOptions {
  /** Side of the cube that the planes span, in world units. */
  boxWarp: number;
  /** Mean over the planes (default) or one row per plane. */
  mean?: boolean;
  /**
   * `published`: XY, XZ, ZX, as the published weights were trained;
   * `corrected`: XY, YZ, ZX, so that every pair of axes has its plane.
   */
  axes?: "published" | "corrected";
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
 * @param planes (batch, 3, C, H, W), C a multiple of 4
 * @param points (batch, N, 3) in world units
 * @returns (batch, N, C), or (batch, 3, N, C) with `mean: false`
 * @throws {ShapeError} when the shapes are others
 */
export function sampleTriplane(
  planes: Tensor,
  points: Tensor,
  options: TriplaneOptions,
): Tensor {
  const [batch, three, channels] = planes.shape;
  if (
    planes.shape.length !== 5 || three !== 3 || points.shape[0] !== batch ||
    points.shape[2] !== 3
  ) {
    throw new ShapeError(
      `Tri-plane sampling takes planes (batch, 3, C, H, W) and points (batch, N, 3), not [${planes.shape}] and [${points.shape}].`,
    );
  }
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

function padChannels(planes: Tensor): Tensor {
  const missing = (4 - planes.shape[2] % 4) % 4;
  return pad(
    planes,
    planes.shape.map((_, k) => [0, k === 2 ? missing : 0] as const),
  );
}

/**
 * As {@linkcode sampleTriplane}, for planes that already have their channels
 * last: (batch, 3, H, W, C). Saves a copy when many chunks of points are
 * sampled from the same planes.
 */
export function sampleChannelsLast(
  planes: Tensor,
  points: Tensor,
  options: TriplaneOptions,
): Tensor {
  const [batch, , height, width, channels] = planes.shape;
  const count = points.shape[1], mean = options.mean ?? true;
  const constants = {
    AXES: options.axes === "corrected" ? 1 : 0,
    MEAN: mean ? 1 : 0,
  };
  const params = {
    n: batch * count,
    points: count,
    width,
    height,
    scale: 2 / options.boxWarp,
  };
  const call: TriplaneCall = {
    planes,
    points,
    batch,
    count,
    channels,
    params,
    constants,
  };
  const y = planes.device.empty(
    mean ? [batch, count, channels] : [batch, 3, count, channels],
  );
  planes.device.run(sample, {
    tensors: { planes, points, y },
    params: { ...params, c4: channels / 4 },
    constants,
    workgroups: linearWorkgroups(batch * count),
  });
  return record(y, [planes, points], (g, needs) => [
    needs[0] ? planesGradient(call, g) : null,
    needs[1] ? pointsGradient(call, g) : null,
  ]);
}

function pointsGradient(
  { planes, points, channels, params, constants }: TriplaneCall,
  g: Tensor,
): Tensor {
  const dp = points.device.empty(points.shape);
  points.device.run(sampleBackwardPoints, {
    tensors: { planes, points, g, dp },
    params: { ...params, c4: channels / 4 },
    constants,
    workgroups: linearWorkgroups(points.size / 3),
  });
  return dp;
}

/**
 * Gradient of channels-last planes from that of the features. Two scatters:
 * the first finds how large a sum can get, the second adds.
 */
export function planesGradient(call: TriplaneCall, g: Tensor): Tensor {
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
