/**
 * Conformance cases of more than 65,535 workgroups for pictures and rows; see
 * `wide.cases.ts`.
 *
 * @module
 */
import { biasAct } from "./bias_act.ts";
import { biasActReference } from "./bias_act.reference.ts";
import type { CaseInput, OperatorCase } from "./conformance.ts";
import { interpolate } from "./interpolate.ts";
import { interpolateReference } from "./interpolate.reference.ts";
import { layerNorm, softmax } from "./norm.ts";
import { layerNormReference, softmaxReference } from "./norm.reference.ts";
import { maxPool2d } from "./pool.ts";
import { maxPool2dReference } from "./pool.reference.ts";
import { upfirdn2d, type UpfirdnOptions } from "./upfirdn2d.ts";
import { upfirdn2dReference } from "./upfirdn2d.reference.ts";
import { alone, COPIES, PICTURES, PRIME, wide } from "./wide.cases.ts";

function biasCase(
  what: string,
  shape: number[],
  bias: boolean,
  noise: boolean,
): OperatorCase {
  const inputs: Record<string, CaseInput> = { x: { shape } };
  if (bias) inputs.b = { shape: [shape[1]], shared: true };
  if (noise) inputs.noise = { shape: [1, 1, ...shape.slice(2)] };
  return wide(
    "biasAct",
    inputs,
    ({ x, b, noise }) => biasAct(x, b ?? null, { act: "lrelu", noise }),
    (a) =>
      biasActReference(a as Parameters<typeof biasActReference>[0], {
        act: "lrelu",
      }),
    COPIES,
    what,
  );
}

/** Not symmetric, so that a flip is seen. */
const SKEW = [1, 2, 3, 5];

function firCase(
  what: string,
  shape: number[],
  options: UpfirdnOptions,
): OperatorCase {
  return alone(
    "upfirdn2d",
    shape,
    (x) => upfirdn2d(x, SKEW, options),
    (x) => upfirdn2dReference(x, SKEW, options),
    COPIES,
    what,
  );
}

const pictureCases: OperatorCase[] = [
  biasCase("with bias", [1, 5, 211], true, false),
  biasCase("of single pixels, with bias", [1, PRIME, 1], true, false),
  biasCase("with noise", [1, 1, PRIME], false, true),
  // as few numbers as there can be for each invocation
  firCase("by four taps", [1, 1, PRIME, 1], { padding: [1, 2, 1, 2] }),
  firCase("down by 2", [1, PRIME, 2, 2], { down: 2, padding: [1, 1, 1, 1] }),
  firCase("up by 2", [1, PRIME, 1, 1], { up: 2, padding: [1, 1, 1, 1] }),
  firCase("up by 3", [1, PRIME, 1, 1], { up: 3, padding: [0, 1, 1, 0] }),
  alone(
    "interpolate",
    [1, 1, 33, 32],
    (x) => interpolate(x, [32, 33]),
    (x) => interpolateReference(x, [32, 33]),
    PICTURES,
  ),
  alone(
    "maxPool2d",
    [1, 1, 34, 33],
    (x) => maxPool2d(x, { kernel: 2, stride: 1 }),
    (x) => maxPool2dReference(x, { kernel: 2, stride: 1 }),
    PICTURES,
  ),
];

const rowCases: OperatorCase[] = [
  alone("softmax", [1, PRIME, 2], softmax, softmaxReference),
  wide(
    "layerNorm",
    {
      x: { shape: [1, PRIME, 3] },
      w: { shape: [3], shared: true },
      b: { shape: [3], shared: true },
    },
    ({ x, w, b }) => layerNorm(x, w, b, 0.1),
    ({ x, w, b }) => layerNormReference(x, w, b, 0.1),
  ),
];

/** Cases of bias and activation, filters, resizing, pooling, softmax and normalisation. */
export const widePictureCases: OperatorCase[] = [...pictureCases, ...rowCases];
