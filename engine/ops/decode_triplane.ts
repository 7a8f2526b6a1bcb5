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
import { firstDerivative, record } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { matmul } from "./matmul.ts";
import { concat, pad, transpose } from "./movement.ts";
import { sum } from "./reduce.ts";
import {
  planesGradient,
  triplaneCall,
  type TriplaneOptions,
} from "./triplane.ts";
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
  checkSizes(planes, decoder);
  const call = triplaneCall(planes, points, { ...options, mean: true });
  const { count, channels } = call, inputs = [planes, w1, b1, w2, b2];
  const saved = device.recording && inputs.some((t) => t.tracked);
  const fused = device.withoutTape(() => fuse(decoder, count));
  const raw = device.empty([count, w2.shape[0]]);
  const features = device.empty(saved ? [count, channels] : [1, 4]);
  device.run(fused.forward, {
    tensors: { planes, points, ...fused.weights, b2: fused.b2, raw, features },
    params: { ...call.params, hidden: w1.shape[0] },
    constants: {
      ...fused.constants,
      AXES: call.constants.AXES,
      SAVE: saved ? 1 : 0,
    },
    workgroups: fused.workgroups,
  });
  return record(raw, inputs, (g, needs) => {
    const tuned = needs.slice(1).some((wanted) => wanted);
    const { df, units, dpre } = decodeGradients(fused, features, g, tuned);
    const parts = [
      () => planesGradient(call, df),
      () => matmul(dpre, features, { transposeA: true }),
      () => sum(dpre, { axes: [0] }),
      () => matmul(g, units, { transposeA: true }),
      () => sum(g, { axes: [0] }),
    ];
    return parts.map((part, k) =>
      needs[k]
        ? firstDerivative(part(), [...inputs, g], "decodeTriplane")
        : null
    );
  });
}

function checkSizes(planes: Tensor, { w1, b1, w2, b2 }: DecoderWeights): void {
  const [batch, , , , channels] = planes.shape, [hidden, inputs] = w1.shape;
  if (batch !== 1 || inputs !== channels) {
    throw new ShapeError(
      `The fused decoder takes planes (1, 3, H, W, C) with C = ${inputs}, not [${planes.shape}].`,
    );
  }
  if (
    b1.size !== hidden || w2.shape[1] !== hidden || b2.size !== w2.shape[0]
  ) {
    throw new ShapeError(
      `The layers of a decoder, [${w1.shape}] + [${b1.shape}] and [${w2.shape}] + [${b2.shape}], do not fit each other.`,
    );
  }
}

/** Gradient of the features and, where weights are tuned, what theirs are products of. */
function decodeGradients(
  { backward, weights, constants, workgroups }: Fused,
  features: Tensor,
  g: Tensor,
  tuned: boolean,
): { df: Tensor; units: Tensor; dpre: Tensor } {
  const device = g.device, [count, channels] = features.shape;
  const hidden = weights.b1.size, rows = tuned ? count : 1;
  const df = device.empty([1, count, channels]);
  const units = device.empty([rows, hidden]);
  const dpre = device.empty([rows, hidden]);
  device.run(backward, {
    tensors: { features, ...weights, g, df, units, dpre },
    params: { points: count, hidden },
    constants: { ...constants, WEIGHTS: tuned ? 1 : 0 },
    workgroups,
  });
  return { df, units, dpre };
}

/** Kernels for the device, and weights as they read them. */
function fuse({ w1, b1, w2, b2 }: DecoderWeights, count: number): Fused {
  const channels = w1.shape[1], outputs = w2.shape[0];
  const constants = { C4: channels / 4, OUTPUTS: outputs };
  if (variantOf(w1.device) === "lanes") {
    const left = widen(w1, 8), right = widen(transpose(w2), 8);
    return {
      forward: decodeLanes,
      backward: decodeBackwardLanes,
      weights: { packed: concat([left, right], 1), b1 },
      b2,
      constants,
      workgroups: linearWorkgroups(count, 32),
    };
  }
  return {
    forward: decode,
    backward: decodeBackward,
    weights: { w1, b1, w2: widen(transpose(w2), 4) },
    b2: widen(b2, 4),
    constants,
    workgroups: linearWorkgroups(count),
  };
}

/** Zeros behind the last axis up to a multiple of a width. */
function widen(x: Tensor, width: number): Tensor {
  const last = x.shape.length - 1;
  const missing = Math.ceil(x.shape[last] / width) * width - x.shape[last];
  return pad(x, x.shape.map((_, k) => [0, k === last ? missing : 0] as const));
}
