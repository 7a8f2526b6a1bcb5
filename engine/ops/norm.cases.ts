/**
 * Conformance cases of softmax and layer normalisation.
 *
 * @module
 */
import type { OperatorCase } from "./conformance.ts";
import { layerNorm, softmax } from "./norm.ts";
import { layerNormReference, softmaxReference } from "./norm.reference.ts";

function softmaxCase(shape: number[], scale = 3): OperatorCase {
  return {
    operator: "softmax",
    name: `[${shape}] within ${scale}`,
    inputs: { x: { shape, scale } },
    run: (t) => softmax(t.x),
    reference: (a) => softmaxReference(a.x),
  };
}

function layerNormCase(shape: number[], eps = 1e-5): OperatorCase {
  const columns = [shape.at(-1)!];
  return {
    operator: "layerNorm",
    name: `[${shape}] with ${eps}`,
    inputs: { x: { shape }, w: { shape: columns }, b: { shape: columns } },
    run: (t) => layerNorm(t.x, t.w, t.b, eps),
    reference: (a) => layerNormReference(a.x, a.w, a.b, eps),
    linear: [],
  };
}

/** Cases of the operators in `norm.ts`. */
export const normCases: OperatorCase[] = [
  softmaxCase([1, 1]),
  softmaxCase([4, 33]),
  softmaxCase([3, 5, 7], 100),
  softmaxCase([700, 9]),
  softmaxCase([2, 1500]),
  softmaxCase([3, 1501]),
  softmaxCase([70, 68], 30),
  layerNormCase([3, 5, 12]),
  layerNormCase([1, 7]),
  layerNormCase([1100, 3], 0.1),
  layerNormCase([4, 600], 1e-6),
];
