/**
 * Conformance cases of `biasAct`.
 *
 * @module
 */
import { ACTIVATIONS } from "../../kernels/bias_act/bias_act.ts";
import { type Activation, biasAct, type BiasActOptions } from "./bias_act.ts";
import { biasActReference } from "./bias_act.reference.ts";
import type { CaseInput, OperatorCase } from "./conformance.ts";

interface Extras {
  bias?: boolean;
  scale?: boolean;
  noise?: 1 | "batch";
}

function biasActCase(
  name: string,
  shape: number[],
  options: Omit<BiasActOptions, "scale" | "noise"> = {},
  { bias = true, scale = false, noise }: Extras = {},
): OperatorCase {
  const [n, c, ...space] = shape;
  const inputs: Record<string, CaseInput> = { x: { shape, scale: 2 } };
  if (bias) inputs.b = { shape: [shape.at(options.axis ?? 1)!] };
  if (scale) inputs.scale = { shape: [n, c], shift: 1 };
  if (noise) inputs.noise = { shape: [noise === 1 ? 1 : n, 1, ...space] };
  return {
    operator: "biasAct",
    name,
    inputs,
    run: ({ x, b, scale, noise }) =>
      biasAct(x, b ?? null, { ...options, scale, noise }),
    reference: (a) =>
      biasActReference(a as Parameters<typeof biasActReference>[0], options),
  };
}

/** Cases of the operator in `bias_act.ts`. */
export const biasActCases: OperatorCase[] = [
  ...(Object.keys(ACTIVATIONS) as Activation[]).map((act) =>
    biasActCase(act, [2, 3, 5, 4], { act })
  ),
  biasActCase("one number", [1, 1, 1, 1], { act: "lrelu" }, {
    scale: true,
    noise: 1,
  }),
  biasActCase("a matrix", [5, 17], { act: "lrelu" }),
  biasActCase("no bias", [2, 3, 5, 7], { act: "relu" }, { bias: false }),
  biasActCase("gain, alpha and clamp", [3, 4, 5, 7], {
    act: "lrelu",
    alpha: 0.1,
    gain: 1.7,
    clamp: 1.1,
  }),
  biasActCase("channels last", [2, 5, 7, 3], { act: "lrelu", axis: -1 }),
  biasActCase("demodulation", [2, 3, 5, 7], { act: "lrelu" }, { scale: true }),
  biasActCase("one noise picture", [3, 5, 4, 4], { act: "lrelu" }, {
    noise: 1,
  }),
  biasActCase("noise per sample", [3, 5, 3, 7], { act: "swish" }, {
    noise: "batch",
  }),
  biasActCase("everything", [2, 5, 8, 8], { act: "lrelu", clamp: 2 }, {
    scale: true,
    noise: 1,
  }),
  biasActCase("everything, large planes", [2, 3, 33, 64], { act: "lrelu" }, {
    scale: true,
    noise: "batch",
  }),
  biasActCase("everything, long runs", [1, 3, 128, 176], { act: "lrelu" }, {
    scale: true,
    noise: 1,
  }),
  biasActCase("scale and noise without bias", [1, 3, 4, 5], { act: "linear" }, {
    bias: false,
    scale: true,
    noise: 1,
  }),
];
