/**
 * Tri-plane features through a decoder of two layers, fused.
 *
 * @module
 */
import type { Kernel } from "../../kernels/kernel.ts";
import {
  decode,
  decodeBackward,
  decodeBackwardLanes,
  decodeLanes,
} from "../../kernels/triplane/triplane.ts";
import { linearWorkgroups } from "../device.ts";
import { ShapeError } from "../errors.ts";
import { record } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { matmul } from "./matmul.ts";
import { concat, pad, transpose } from "./movement.ts";
import { sum } from "./reduce.ts";
import { planesGradient, type TriplaneOptions } from "./triplane.ts";
import { variantOf } from "./variant.ts";

/** Weights of a decoder, with their gains already applied. */
export interface DecoderWeights {
  /** (hidden, C). */
  w1: Tensor;
  /** (hidden). */
  b1: Tensor;
  /** (outputs, hidden). */
  w2: Tensor;
  /** (outputs). */
  b2: Tensor;
}

/** What both directions launch. */
interface Fused {
  forward: Kernel;
  backward: Kernel;
  /** Weights in the layout of the kernels, without the last bias. */
  weights: Record<string, Tensor>;
  b2: Tensor;
  constants: Record<string, number>;
  workgroups: [number, number];
}

/**
 * W2 softplus(W1 f(p) + b1) + b2 at points, f being the mean over the planes
 * (EG3D's OSGDecoder before its activations).
 *
 * @param planes (1, 3, H, W, C), channels last, C a multiple of 4
 * @param points (1, N, 3) in world units; no gradient
 * @returns (N, outputs)
 * @throws {ShapeError} when sizes do not fit
 */
export function decodeTriplane(
  planes: Tensor,
  points: Tensor,
  decoder: DecoderWeights,
  options: Omit<TriplaneOptions, "mean">,
): Tensor {
  const device = planes.device, { w1, b1, w2, b2 } = decoder;
  const [batch, , height, width, channels] = planes.shape;
  const [hidden, inputs] = w1.shape, outputs = w2.shape[0], count = points.shape[1];
  if (batch !== 1 || inputs !== channels || channels % 4 !== 0) {
    throw new ShapeError(
      `The fused decoder takes planes (1, 3, H, W, C) with C = ${inputs}, a multiple of 4, not [${planes.shape}].`,
    );
  }
  const AXES = options.axes === "corrected" ? 1 : 0;
  const fused = device.withoutTape(() => fuse(decoder, count));
  const constants = { ...fused.constants, AXES };
  const scale = 2 / options.boxWarp;
  const params = { points: count, hidden, outputs, width, height, scale };
  const raw = device.empty([count, outputs]);
  device.run(fused.forward, {
    tensors: { planes, points, ...fused.weights, b2: fused.b2, raw },
    params,
    constants,
    workgroups: fused.workgroups,
  });
  return record(raw, [planes, w1, b1, w2, b2], (g, needs) => {
    const tuned = needs[1] || needs[2] || needs[3] || needs[4];
    const spare = tuned ? count : 1;
    const df = device.empty([1, count, channels]);
    const features = device.empty([spare, channels]);
    const units = device.empty([spare, hidden]);
    const dpre = device.empty([spare, hidden]);
    device.run(fused.backward, {
      tensors: { planes, points, ...fused.weights, g, df, features, units, dpre },
      params,
      constants: { ...constants, WEIGHTS: tuned ? 1 : 0 },
      workgroups: fused.workgroups,
    });
    const call = {
      planes,
      points,
      batch,
      count,
      channels,
      params: { n: count, points: count, width, height, scale },
      constants: { AXES, MEAN: 1 },
    };
    return [
      needs[0] ? planesGradient(call, df) : null,
      needs[1] ? matmul(dpre, features, { transposeA: true }) : null,
      needs[2] ? sum(dpre, { axes: [0] }) : null,
      needs[3] ? matmul(g, units, { transposeA: true }) : null,
      needs[4] ? sum(g, { axes: [0] }) : null,
    ];
  });
}

/** Kernels for the device, and weights as they read them. */
function fuse({ w1, b1, w2, b2 }: DecoderWeights, count: number): Fused {
  const channels = w1.shape[1], outputs = w2.shape[0];
  const C4 = channels / 4;
  if (variantOf(w1.device) === "lanes") {
    const C8 = Math.ceil(channels / 8), O8 = Math.ceil(outputs / 8);
    return {
      forward: decodeLanes,
      backward: decodeBackwardLanes,
      weights: { packed: concat([widen(w1, 8 * C8), widen(transpose(w2), 8 * O8)], 1), b1 },
      b2: widen(b2, 8 * O8),
      constants: { C4, C8, O8 },
      workgroups: linearWorkgroups(count, 32),
    };
  }
  const O4 = Math.ceil(outputs / 4);
  return {
    forward: decode,
    backward: decodeBackward,
    weights: { w1, b1, w2: widen(transpose(w2), 4 * O4) },
    b2: widen(b2, 4 * O4),
    constants: { C4, O4 },
    workgroups: linearWorkgroups(count),
  };
}

/** Zeros behind the last axis up to a width. */
function widen(x: Tensor, width: number): Tensor {
  const last = x.shape.length - 1;
  return pad(x, x.shape.map((n, k) => [0, k === last ? width - n : 0] as const));
}
