/**
 * `biasAct` in plain TypeScript and float64.
 *
 * @module
 */
import { ACTIVATIONS } from "../../kernels/bias_act/bias_act.ts";
import { resolveAxis } from "../shape.ts";
import type { Activation, BiasActOptions } from "./bias_act.ts";
import type { NumberArray } from "./conformance.ts";
import { sigmoid, softplus } from "./elementwise.reference.ts";
import { build } from "./reference.ts";

const SELU_SCALE = 1.0507009873554805, SELU_ALPHA = 1.6732632423543772;

/** Activations in float64. */
export const activationReferences: Record<
  Activation,
  (v: number, alpha: number) => number
> = {
  linear: (v) => v,
  relu: (v) => Math.max(v, 0),
  lrelu: (v, alpha) => v > 0 ? v : alpha * v,
  sigmoid,
  tanh: Math.tanh,
  softplus,
  elu: (v) => v > 0 ? v : Math.expm1(v),
  selu: (v) => SELU_SCALE * (v > 0 ? v : SELU_ALPHA * Math.expm1(v)),
  swish: (v) => v * sigmoid(v),
};

/** clamp(gain act(x scale + noise + b), -clamp, clamp), any of b, scale, noise absent. */
export function biasActReference(
  arrays: {
    x: NumberArray;
    b?: NumberArray;
    scale?: NumberArray;
    noise?: NumberArray;
  },
  options: Omit<BiasActOptions, "scale" | "noise"> = {},
): NumberArray {
  const { x, b, scale, noise } = arrays, { axis = 1 } = options;
  const { act = "linear", clamp = null } = options;
  const alpha = options.alpha ?? ACTIVATIONS[act].alpha;
  const gain = options.gain ?? ACTIVATIONS[act].gain;
  const place = resolveAxis(axis, x.shape.length);
  const channels = x.shape[place];
  const inner = x.shape.slice(place + 1).reduce((p, n) => p * n, 1);
  return build(x.shape, (index, k) => {
    const plane = Math.floor(k / inner);
    const batch = noise && noise.shape[0] > 1 ? index[0] : 0;
    const v = x.data[k] * (scale?.data[plane] ?? 1) +
      (noise?.data[batch * inner + k % inner] ?? 0) +
      (b?.data[plane % channels] ?? 0);
    const y = activationReferences[act](v, alpha) * gain;
    return clamp === null ? y : Math.min(Math.max(y, -clamp), clamp);
  });
}
