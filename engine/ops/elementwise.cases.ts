/**
 * Conformance cases of the elementwise operators.
 *
 * @module
 */
import type { Tensor } from "../tensor.ts";
import type { CaseInput, OperatorCase } from "./conformance.ts";
import * as ops from "./elementwise.ts";
import { binaryReferences, unaryReferences } from "./elementwise.reference.ts";
import { map, zip } from "./reference.ts";

type UnaryName = keyof typeof unaryReferences;
type BinaryName = keyof typeof binaryReferences;

/** Ranges of operators that are not defined, or steep, around 0. */
const POSITIVE: Partial<Record<UnaryName, Omit<CaseInput, "shape">>> = {
  log: { scale: 1, shift: 1.5 },
  sqrt: { scale: 1, shift: 1.5 },
  rsqrt: { scale: 1, shift: 1.5 },
  reciprocal: { scale: 1, shift: 1.5 },
};

function unaryCase(
  operator: UnaryName,
  shape: number[],
  range: Omit<CaseInput, "shape"> = POSITIVE[operator] ?? { scale: 3 },
  name = `[${shape}]`,
): OperatorCase {
  return {
    operator,
    name,
    inputs: { x: { shape, ...range } },
    run: (t) => ops[operator](t.x),
    reference: (a) => map(a.x, unaryReferences[operator]),
    linear: operator === "negate" ? ["x"] : [],
  };
}

function parameterCase(
  operator: string,
  name: string,
  run: (x: Tensor) => Tensor,
  reference: (v: number) => number,
  linear = false,
): OperatorCase {
  return {
    operator,
    name,
    inputs: { x: { shape: [3, 5, 7] } },
    run: (t) => run(t.x),
    reference: (a) => map(a.x, reference),
    linear: linear ? ["x"] : [],
  };
}

const LINEAR: Partial<Record<BinaryName, string[]>> = {
  multiply: ["a", "b"],
  divide: ["a"],
  prelu: ["b"],
};

function binaryCase(
  operator: BinaryName,
  name: string,
  a: number[],
  b: number[],
): OperatorCase {
  const shift = operator === "divide" ? 2 : 0;
  const twoSided = operator === "prelu";
  return {
    operator,
    name,
    inputs: { a: { shape: a }, b: { shape: b, shift } },
    run: (t) => ops[operator](t.a, t.b),
    reference: (r) => zip(r.a, r.b, binaryReferences[operator]),
    // prelu in its slope is linear only from the offset of its positive part
    linear: twoSided ? [] : LINEAR[operator] ?? [],
  };
}

const UNARY_NAMES = Object.keys(unaryReferences) as UnaryName[];
const BINARY_NAMES = Object.keys(binaryReferences) as BinaryName[];

/** Cases of the operators in `elementwise.ts`. */
export const elementwiseCases: OperatorCase[] = [
  ...UNARY_NAMES.map((name) => unaryCase(name, [2, 3, 5, 7])),
  unaryCase("exp", [1]),
  unaryCase("relu", [64]),
  unaryCase("relu", [65]),
  unaryCase("relu", [1025]),
  unaryCase("sigmoid", [7, 1, 50], { scale: 60 }, "far from 0"),
  unaryCase("tanh", [7, 1, 50], { scale: 60 }, "far from 0"),
  unaryCase("softplus", [7, 1, 50], { scale: 60 }, "far from 0"),
  parameterCase(
    "affine",
    "shifted",
    (x) => ops.affine(x, -1.5, 0.25),
    (v) => -1.5 * v + 0.25,
  ),
  parameterCase(
    "affine",
    "scaled",
    (x) => ops.affine(x, 3),
    (v) => 3 * v,
    true,
  ),
  parameterCase(
    "finite",
    "scaled",
    (x) => ops.finite(x, 0.25),
    (v) => Number.isFinite(v) ? 0.25 * v : 0,
    true,
  ),
  parameterCase(
    "leakyRelu",
    "0.2",
    (x) => ops.leakyRelu(x),
    (v) => v > 0 ? v : 0.2 * v,
  ),
  parameterCase(
    "leakyRelu",
    "0.01",
    (x) => ops.leakyRelu(x, 0.01),
    (v) => v > 0 ? v : 0.01 * v,
  ),
  parameterCase(
    "clamp",
    "both sides",
    (x) => ops.clamp(x, -0.4, 0.6),
    (v) => Math.min(Math.max(v, -0.4), 0.6),
  ),
  ...BINARY_NAMES.flatMap((name) => [
    binaryCase(name, "one shape", [3, 5, 7], [3, 5, 7]),
    binaryCase(name, "b broadcast", [2, 3, 5, 7], [3, 1, 1]),
    binaryCase(name, "both broadcast", [2, 1, 5, 1], [3, 1, 7]),
  ]),
  binaryCase("multiply", "a number", [5, 9], []),
  binaryCase("add", "one by one", [1], [1]),
  binaryCase("multiply", "a number for each long row", [2, 3, 1041], [3, 1]),
  binaryCase("multiply", "six axes", [2, 1, 3, 1, 2, 1], [1, 3, 1, 2, 1, 4]),
  binaryCase("add", "a long axis", [3, 70001], [70001]),
];
