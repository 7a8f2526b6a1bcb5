/**
 * Conformance cases of the fully connected layer.
 *
 * @module
 */
import { biasActReference } from "../ops/bias_act.reference.ts";
import type {
  CaseInput,
  NumberArray,
  OperatorCase,
} from "../ops/conformance.ts";
import { build, map, reader } from "../ops/reference.ts";
import {
  fullyConnected,
  type FullyConnectedOptions,
} from "./fully_connected.ts";

/** act(x (g W)^T + l b) with g = lrMul / sqrt(in), l = lrMul, both times `gain`. */
function fullyConnectedReference(
  { x, weight, bias }: Record<string, NumberArray>,
  { act, lrMul = 1, gain = 1 }: FullyConnectedOptions,
): NumberArray {
  const [outputs, inputs] = weight.shape;
  const row = reader(x), w = reader(weight);
  const g = gain * lrMul / Math.sqrt(inputs);
  const product = build([x.shape[0], outputs], ([m, o]) => {
    let sum = 0;
    for (let i = 0; i < inputs; i++) sum += row(m, i) * w(o, i) * g;
    return sum;
  });
  return biasActReference({
    x: product,
    b: bias && map(bias, (v) => v * lrMul * gain),
  }, { act });
}

function layerCase(
  name: string,
  [rows, inputs, outputs]: number[],
  options: FullyConnectedOptions = {},
  biased = true,
): OperatorCase {
  const arrays: Record<string, CaseInput> = {
    x: { shape: [rows, inputs] },
    weight: { shape: [outputs, inputs] },
  };
  if (biased) arrays.bias = { shape: [outputs] };
  return {
    operator: "fullyConnected",
    name,
    inputs: arrays,
    run: ({ x, weight, bias }) =>
      fullyConnected(x, { weight, bias: bias ?? null }, options),
    reference: (a) => fullyConnectedReference(a, options),
    linear: biased || options.act ? [] : ["x", "weight"],
  };
}

/** Cases of {@linkcode fullyConnected}. */
export const fullyConnectedCases: OperatorCase[] = [
  layerCase("one number", [1, 1, 1]),
  layerCase("linear", [2, 7, 5]),
  layerCase("without bias", [2, 7, 5], {}, false),
  layerCase("activation and slow weights", [3, 9, 33], {
    act: "lrelu",
    lrMul: 0.01,
  }),
  layerCase("many rows", [50, 6, 4], { act: "softplus", gain: 0.3 }),
];
