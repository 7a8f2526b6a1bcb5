/**
 * Bias, activation, gain and clamp, fused; optionally with the demodulation
 * and the noise that stand before the bias in a StyleGAN2 layer.
 *
 * Source: StyleGAN2/EG3D `bias_act` (order and default gains) and
 * `SynthesisLayer` (noise after demodulation, before the bias).
 *
 * @module
 */
import {
  ACTIVATIONS,
  biasActBackward,
  biasActBackwardNoise,
  biasActBackwardSums,
  biasActForward,
} from "../../kernels/bias_act/bias_act.ts";
import { linearWorkgroups } from "../device.ts";
import { ShapeError } from "../errors.ts";
import { resolveAxis } from "../shape.ts";
import { firstDerivative, record } from "../tape.ts";
import { elementCount, type Tensor } from "../tensor.ts";
import { cast } from "./cast.ts";
import { reshape } from "./movement.ts";
import { sum } from "./reduce.ts";

/** Names of the activations. */
export type Activation =
  | "linear"
  | "relu"
  | "lrelu"
  | "sigmoid"
  | "tanh"
  | "softplus"
  | "elu"
  | "selu"
  | "swish";

/** Options of {@linkcode biasAct}. */
export interface BiasActOptions {
  /** Activation; `"linear"` when absent. */
  act?: Activation;
  /** Slope of `"lrelu"` below 0; 0.2 when absent. */
  alpha?: number;
  /** Factor after the activation; the published default of `act` when absent. */
  gain?: number | null;
  /** The result is limited to [-clamp, clamp]; null for no limit. */
  clamp?: number | null;
  /** Axis of the channels; 1 when absent. */
  axis?: number;
  /** (N, C): x is multiplied by it before noise and bias; needs axis 1. */
  scale?: Tensor | null;
  /** (1 or N, 1, H, W): added before the bias; needs axis 1. */
  noise?: Tensor | null;
}

/** A call with everything that its kernels need. */
interface Call {
  tensors: { x: Tensor; b: Tensor; scale: Tensor; noise: Tensor };
  constants: Record<string, number>;
  params: Record<string, number>;
  outer: number;
  channels: number;
  inner: number;
}

/**
 * y = clamp(gain act(x scale + noise + b), -clamp, clamp).
 *
 * x may be f16, and the result and the gradient by x then are; b, scale and
 * noise may be f32 all the same. Gradients are computed in f32.
 *
 * @param x any shape with a channel axis
 * @param b (C), or null
 * @throws {ShapeError} when b, scale or noise do not fit x
 */
export function biasAct(
  x: Tensor,
  b: Tensor | null,
  options: BiasActOptions = {},
): Tensor {
  const y = elementwise(prepare(x, b, options), null);
  const { scale, noise } = options;
  const inputs = [x, b, scale, noise].filter((t) => !!t) as Tensor[];
  return record(y, inputs, (half, needs) => {
    const { single, g } = inSingle(x, b, options, half);
    const wants = (t: Tensor | null | undefined) =>
      !!t && needs[inputs.indexOf(t)];
    const once = (t: Tensor, of: Tensor) =>
      firstDerivative(cast(t, of.dtype), [...inputs, half], "biasAct");
    const sums = wants(b) || wants(scale) ? partialSums(single, g) : null;
    return inputs.map((t) => {
      if (!wants(t)) return null;
      if (t === x) return once(elementwise(single, g), t);
      if (t === b) {
        return once(reshape(sum(sums![0], { axes: [0, 2] }), t.shape), t);
      }
      if (t === scale) {
        return once(reshape(sum(sums![1], { axes: [2] }), t.shape), t);
      }
      return once(noiseGradient(single, g, t), t);
    });
  });
}

/** The call and the gradient of its result in f32, in which gradients are computed. */
function inSingle(
  x: Tensor,
  b: Tensor | null,
  options: BiasActOptions,
  g: Tensor,
): { single: Call; g: Tensor } {
  const single = <T extends Tensor | null | undefined>(t: T) =>
    (t ? cast(t, "f32") : t) as T;
  const { scale, noise } = options;
  return x.device.withoutTape(() => ({
    single: prepare(single(x), single(b), {
      ...options,
      scale: single(scale),
      noise: single(noise),
    }),
    g: single(g),
  }));
}

function prepare(x: Tensor, b: Tensor | null, options: BiasActOptions): Call {
  const axis = resolveAxis(options.axis ?? 1, x.shape.length);
  const outer = elementCount(x.shape.slice(0, axis));
  const channels = x.shape[axis];
  const inner = elementCount(x.shape.slice(axis + 1));
  const { scale = null, noise = null, clamp = null } = options;
  if (b && b.size !== channels) {
    throw new ShapeError(
      `A bias of shape [${b.shape}] does not fit axis ${axis} of [${x.shape}].`,
    );
  }
  if (scale && (axis !== 1 || scale.size !== outer * channels)) {
    throw new ShapeError(
      `A scale of shape [${scale.shape}] does not fit [${x.shape}]: it must be (N, C).`,
    );
  }
  if (
    noise &&
    (axis !== 1 || noise.size !== inner && noise.size !== outer * inner)
  ) {
    throw new ShapeError(
      `Noise of shape [${noise.shape}] does not fit [${x.shape}]: it must be (1 or N, 1, H, W).`,
    );
  }
  const act = ACTIVATIONS[options.act ?? "linear"];
  return {
    tensors: { x, b: b ?? x, scale: scale ?? x, noise: noise ?? x },
    constants: {
      ACT: act.code,
      BIASED: b ? 1 : 0,
      SCALED: scale ? 1 : 0,
      NOISY: noise ? 1 : 0,
      CLAMPED: clamp === null ? 0 : 1,
    },
    params: {
      channels,
      inner,
      noise_step: noise && noise.size === outer * inner ? inner : 0,
      alpha: options.alpha ?? act.alpha,
      gain: options.gain ?? act.gain,
      limit: clamp ?? 0,
    },
    outer,
    channels,
    inner,
  };
}

/** The forward pass, or dx when there is a gradient g. */
function elementwise(call: Call, g: Tensor | null): Tensor {
  const { x } = call.tensors;
  const y = x.device.empty(x.shape, x.dtype);
  const step = stepOf(x, call.inner);
  x.device.run(g ? biasActBackward : biasActForward, {
    tensors: g ? { ...call.tensors, g, dx: y } : { ...call.tensors, y },
    params: { ...call.params, n: x.size },
    constants: { ...call.constants, STEP: step },
    workgroups: linearWorkgroups(x.size / step),
  });
  return y;
}

/**
 * Numbers per invocation. A CPU runs long ones best as long as every core has
 * some; a GPU wants neighbouring lanes to read neighbouring numbers.
 */
function stepOf(x: Tensor, inner: number): number {
  const long = x.device.profile === "cpu" && x.size >= 65536;
  if (long && inner % 16 === 0) return 16;
  return inner % 4 === 0 ? 4 : 1;
}

/** Invocations that the partial sums should at least have. */
const LANES = 1024;

/** Sums over the inner axis of dv and dv x: (outer, channels, parts) each. */
function partialSums(call: Call, g: Tensor): [Tensor, Tensor] {
  const { x } = call.tensors, planes = call.outer * call.channels;
  const parts = Math.max(
    1,
    Math.min(Math.ceil(LANES / planes), Math.ceil(call.inner / 16)),
  );
  const shape = [call.outer, call.channels, parts];
  const shares = x.device.empty(shape), products = x.device.empty(shape);
  x.device.run(biasActBackwardSums, {
    tensors: { ...call.tensors, g, shares, products },
    params: { ...call.params, n: shares.size, parts },
    constants: call.constants,
    workgroups: linearWorkgroups(shares.size),
  });
  return [shares, products];
}

function noiseGradient(call: Call, g: Tensor, noise: Tensor): Tensor {
  const dnoise = noise.device.empty(noise.shape);
  noise.device.run(biasActBackwardNoise, {
    tensors: { ...call.tensors, g, dnoise },
    params: {
      ...call.params,
      n: noise.size,
      repeat: call.outer * call.inner / noise.size,
    },
    constants: call.constants,
    workgroups: linearWorkgroups(noise.size),
  });
  return dnoise;
}
