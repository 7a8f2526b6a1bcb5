/**
 * Tri-plane features through a decoder of two layers, fused.
 *
 * @module
 */
import { decode, decodeBackward } from "../../kernels/triplane/triplane.ts";
import { linearWorkgroups } from "../device.ts";
import { ShapeError } from "../errors.ts";
import { record } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { matmul } from "./matmul.ts";
import { pad, transpose } from "./movement.ts";
import { sum } from "./reduce.ts";
import { planesGradient, type TriplaneOptions } from "./triplane.ts";

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
  { w1, b1, w2, b2 }: DecoderWeights,
  options: Omit<TriplaneOptions, "mean">,
): Tensor {
  const device = planes.device;
  const [batch, , height, width, channels] = planes.shape;
  const [hidden, inputs] = w1.shape,
    outputs = w2.shape[0],
    count = points.shape[1];
  if (batch !== 1 || inputs !== channels || channels % 4 !== 0) {
    throw new ShapeError(
      `The fused decoder takes planes (1, 3, H, W, C) with C = ${inputs}, a multiple of 4, not [${planes.shape}].`,
    );
  }
  const shared = { AXES: options.axes === "corrected" ? 1 : 0 };
  const constants = { ...shared, C4: channels / 4, O4: Math.ceil(outputs / 4) };
  const params = {
    points: count,
    hidden,
    outputs,
    width,
    height,
    scale: 2 / options.boxWarp,
  };
  const rest = constants.O4 * 4 - outputs;
  const packed = device.withoutTape(() => ({
    w1,
    b1,
    w2: pad(transpose(w2), [[0, 0], [0, rest]]),
    b2: pad(b2, [[0, rest]]),
  }));
  const raw = device.empty([count, outputs]);
  device.run(decode, {
    tensors: { planes, points, ...packed, raw },
    params,
    constants,
    workgroups: linearWorkgroups(count),
  });
  return record(raw, [planes, w1, b1, w2, b2], (g, needs) => {
    const tuned = needs[1] || needs[2] || needs[3] || needs[4];
    const spare = tuned ? count : 1;
    const df = device.empty([1, count, channels]);
    const features = device.empty([spare, channels]);
    const units = device.empty([spare, hidden]),
      dpre = device.empty([spare, hidden]);
    device.run(decodeBackward, {
      tensors: {
        planes,
        points,
        w1,
        b1,
        w2: packed.w2,
        g,
        df,
        features,
        units,
        dpre,
      },
      params,
      constants: { ...constants, WEIGHTS: tuned ? 1 : 0 },
      workgroups: linearWorkgroups(count),
    });
    const call = {
      planes,
      points,
      batch,
      count,
      channels,
      params: { n: count, points: count, width, height, scale: params.scale },
      constants: { ...shared, MEAN: 1 },
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
