/**
 * Conformance cases of StyleGAN2's layers. The reference of the modulated
 * convolution modulates the weights, as it is defined, and not the pictures.
 *
 * @module
 */
import { biasActReference } from "../ops/bias_act.reference.ts";
import type {
  CaseInput,
  NumberArray,
  OperatorCase,
} from "../ops/conformance.ts";
import {
  conv2dReference,
  convTranspose2dReference,
} from "../ops/conv2d.reference.ts";
import { build, reader } from "../ops/reference.ts";
import { upfirdn2dReference } from "../ops/upfirdn2d.reference.ts";
import {
  modulatedConv2d,
  type ModulatedConv2dOptions,
  RESAMPLE_FILTER,
} from "./modulated_conv2d.ts";

type Plain = Omit<ModulatedConv2dOptions, "noise" | "bias">;

/** One picture of the batch, as a batch of its own. */
function sample(x: NumberArray, n: number): NumberArray {
  const size = x.data.length / x.shape[0];
  return {
    data: x.data.slice(n * size, (n + 1) * size),
    shape: [1, ...x.shape.slice(1)],
  };
}

/** w s_i, then divided by its norm for each output channel. */
function modulatedWeight(
  weight: NumberArray,
  style: Float64Array,
  demodulate: boolean,
): NumberArray {
  const [co, ci, kh, kw] = weight.shape, at = reader(weight);
  const scaled = build(
    weight.shape,
    ([o, i, y, x]) => at(o, i, y, x) * style[i],
  );
  if (!demodulate) return scaled;
  const taps = ci * kh * kw;
  for (let o = 0; o < co; o++) {
    const own = scaled.data.subarray(o * taps, (o + 1) * taps);
    const norm = Math.sqrt(own.reduce((sum, v) => sum + v * v, 1e-8));
    own.forEach((v, k) => own[k] = v / norm);
  }
  return scaled;
}

/** `modulatedConv2d`, sample by sample. */
export function modulatedConv2dReference(
  arrays: Record<string, NumberArray>,
  { up = 1, demodulate = true, act, gain, clamp }: Plain = {},
): NumberArray {
  const { x, weight, styles, noise, bias } = arrays;
  const [n, ci] = styles.shape, pad = (weight.shape[2] - 1) / 2;
  const parts = Array.from({ length: n }, (_, b) => {
    const style = styles.data.slice(b * ci, (b + 1) * ci);
    const w = modulatedWeight(weight, style, demodulate), own = sample(x, b);
    if (up === 1) return conv2dReference(own, w, { padding: pad });
    const at = reader(w), [co, , kh, kw] = w.shape;
    const turned = build([ci, co, kh, kw], ([i, o, r, s]) => at(o, i, r, s));
    const wide = convTranspose2dReference(own, turned, { stride: 2 });
    const around = 2 - pad;
    return upfirdn2dReference(wide, [...RESAMPLE_FILTER], {
      padding: [around, around, around, around],
      gain: 4,
    });
  });
  const data = new Float64Array(n * parts[0].data.length);
  parts.forEach((part, b) => data.set(part.data, b * part.data.length));
  const y = { data, shape: [n, ...parts[0].shape.slice(1)] };
  return biasActReference({ x: y, b: bias, noise }, {
    act,
    gain: gain ?? undefined,
    clamp,
  });
}

/** Without noise, bias and activation it is linear in x, and without demodulation in all three. */
function linearInputs(
  { demodulate = true, noise, bias, act, clamp }: Plain & {
    noise?: number;
    bias?: boolean;
  },
): string[] {
  if (noise || bias || act || clamp) return [];
  return demodulate ? ["x"] : ["x", "weight", "styles"];
}

function convCase(
  name: string,
  [n, ci, co, side]: number[],
  options: Plain & { size?: number; noise?: number; bias?: boolean } = {},
): OperatorCase {
  const { size = 3, noise, bias, ...plain } = options;
  const wide = side * (plain.up ?? 1);
  const inputs: Record<string, CaseInput> = {
    // as for the convolution, which is Winograd's for many channels
    x: {
      shape: [n, ci, side, side],
      nonFinite: ci < 32 ? "exact" : "spreads",
    },
    weight: { shape: [co, ci, size, size], nonFinite: "spreads" },
    styles: { shape: [n, ci], shift: 1.5 },
  };
  if (noise) inputs.noise = { shape: [noise, 1, wide, wide] };
  if (bias) inputs.bias = { shape: [co] };
  return {
    operator: "modulatedConv2d",
    name,
    inputs,
    run: ({ x, weight, styles, noise, bias }) =>
      modulatedConv2d(x, weight, styles, { ...plain, noise, bias }),
    reference: (a) => modulatedConv2dReference(a, plain),
    linear: linearInputs(options),
  };
}

/** Cases of the layers in `modulated_conv2d.ts`. */
export const modulatedConv2dCases: OperatorCase[] = [
  convCase("plain", [2, 5, 3, 6]),
  convCase("not demodulated", [2, 5, 3, 6], { demodulate: false }),
  convCase("1x1, not demodulated, bias", [1, 7, 3, 5], {
    size: 1,
    demodulate: false,
    bias: true,
  }),
  convCase("1x1, demodulated", [2, 4, 5, 4], { size: 1 }),
  convCase("up", [2, 4, 3, 5], { up: 2 }),
  convCase("up, not demodulated", [1, 3, 4, 4], { up: 2, demodulate: false }),
  convCase("up, noise, bias, activation", [2, 4, 3, 4], {
    up: 2,
    noise: 1,
    bias: true,
    act: "lrelu",
  }),
  convCase("noise per sample, gain and clamp", [2, 4, 3, 5], {
    noise: 2,
    bias: true,
    act: "lrelu",
    gain: 1.3,
    clamp: 0.9,
  }),
  convCase("one pixel", [1, 2, 2, 1]),
  convCase("32 channels", [1, 32, 32, 16], { bias: true, act: "lrelu" }),
];
