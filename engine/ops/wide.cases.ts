/**
 * Conformance cases of more than 65,535 workgroups, the most that WebGPU takes
 * in one dimension, for every kernel that folds its workgroups and that tensors
 * of 128 MiB let come so far. Each is held to the reference of one copy of many.
 *
 * What does not get there: kernels whose workgroups make tiles of 64 by 64
 * numbers (all but the product's), Winograd's, sums over few parts
 * (`reduce.non_finite`, `norm.layer_norm_backward_affine`), `raster.bin`,
 * `raster.setup` and marching cubes.
 *
 * @module
 */
import type { Tensor } from "../tensor.ts";
import { cast } from "./cast.ts";
import type { CaseInput, NumberArray, OperatorCase } from "./conformance.ts";
import { conv2d } from "./conv2d.ts";
import { conv2dReference } from "./conv2d.reference.ts";
import * as elementwise from "./elementwise.ts";
import { binaryReferences } from "./elementwise.reference.ts";
import { matmulReference } from "./matmul.cases.ts";
import { matmul } from "./matmul.ts";
import { pad, permute, reshape } from "./movement.ts";
import { reduceReference } from "./reduce.cases.ts";
import { maxAlong, sum } from "./reduce.ts";
import { build, map, reader, zip } from "./reference.ts";

/** Copies of 1,049 numbers, a prime, that make more than 65,535 times 64. */
export const COPIES = 4001, PRIME = 1049;
/** Copies of those for kernels that take four numbers at a time. */
const VECTOR_COPIES = 16_004;
/** Copies of 33 x 32 pixels that do. */
export const PICTURES = 3975;

/** A case of many copies. */
export function wide(
  operator: string,
  inputs: Record<string, CaseInput>,
  run: OperatorCase["run"],
  reference: OperatorCase["reference"],
  copies: number = COPIES,
  what = "",
): OperatorCase {
  const name = `${copies} copies${what && ` ${what}`}`;
  return { operator, name, inputs, run, reference, copies };
}

/** A case of many copies of x alone. */
export function alone(
  operator: string,
  shape: number[],
  run: (x: Tensor) => Tensor,
  reference: (x: NumberArray) => NumberArray,
  copies?: number,
  what?: string,
): OperatorCase {
  return wide(
    operator,
    { x: { shape } },
    (t) => run(t.x),
    (a) => reference(a.x),
    copies,
    what,
  );
}

const elementwiseCases: OperatorCase[] = [
  wide(
    "relu",
    { x: { shape: [1, PRIME], differentiable: false } },
    (t) => elementwise.relu(t.x),
    ({ x }) => map(x, (v) => Math.max(v, 0)),
    VECTOR_COPIES,
  ),
  wide(
    "multiply",
    { a: { shape: [21, 50] }, b: { shape: [21, 1], shared: true } },
    ({ a, b }) =>
      reshape(
        elementwise.multiply(reshape(a, [-1, 21, 50]), b),
        a.shape,
      ),
    ({ a, b }) => zip(a, b, binaryReferences.multiply),
    COPIES,
    "of rows with a number each",
  ),
  wide(
    "multiply",
    { a: { shape: [1, PRIME] }, b: { shape: [1], shared: true } },
    ({ a, b }) => elementwise.multiply(a, b),
    ({ a, b }) => zip(a, b, binaryReferences.multiply),
    COPIES,
    "by one number",
  ),
  wide(
    "prelu",
    { a: { shape: [1, PRIME] }, b: { shape: [PRIME], shared: true } },
    ({ a, b }) => elementwise.prelu(a, b),
    ({ a, b }) => zip(a, b, binaryReferences.prelu),
  ),
  wide(
    "subtract",
    {
      a: { shape: [1, PRIME], differentiable: false },
      b: { shape: [1, PRIME], differentiable: false },
    },
    ({ a, b }) => elementwise.subtract(a, b),
    ({ a, b }) => zip(a, b, binaryReferences.subtract),
    VECTOR_COPIES,
  ),
  {
    ...alone(
      "cast",
      [1, PRIME],
      (x) => cast(cast(x, "f16"), "f32"),
      (x) => x,
    ),
    tolerance: 2e-3,
  },
];

const movementCases: OperatorCase[] = [
  alone("permute", [1, 3, 7, 50], (x) => permute(x, [0, 2, 3, 1]), (x) => {
    const at = reader(x);
    return build([1, 7, 50, 3], ([n, h, w, c]) => at(n, c, h, w));
  }),
  alone("pad", [1, PRIME], (x) => pad(x, [[0, 0], [1, 2]]), (x) => {
    const at = reader(x);
    return build([1, PRIME + 3], ([n, k]) => at(n, k - 1));
  }),
];

const reduceCases: OperatorCase[] = [
  alone(
    "sum",
    [1, PRIME, 2],
    (x) => sum(x, { axes: [2] }),
    (x) => reduceReference(x, { axes: [2] }, (s, v) => s + v, 0),
  ),
  wide(
    "sum",
    { x: { shape: [66, 256], differentiable: false } },
    (t) => sum(t.x, { axes: [1] }),
    ({ x }) => reduceReference(x, { axes: [1] }, (s, v) => s + v, 0),
    1000,
    "of rows",
  ),
  alone(
    "sum",
    [66, 2, 32],
    (x) => sum(x, { axes: [1] }),
    (x) => reduceReference(x, { axes: [1] }, (s, v) => s + v, 0),
    1000,
    "of columns",
  ),
  wide(
    "maxAlong",
    { x: { shape: [1, 2, PRIME], differentiable: false } },
    (t) => maxAlong(t.x, 1),
    ({ x }) =>
      reduceReference(x, { axes: [1], keep: true }, Math.max, -Infinity),
  ),
];

const productCases: OperatorCase[] = [
  wide(
    "matmul",
    { a: { shape: [1, 3, 5] }, b: { shape: [1, 5, 2] } },
    ({ a, b }) => matmul(a, b),
    ({ a, b }) => matmulReference(a, b),
    66_000,
    "of small matrices",
  ),
  wide(
    "matmul",
    {
      a: { shape: [1025, 3], differentiable: false },
      b: { shape: [3, 1], differentiable: false, shared: true },
    },
    ({ a, b }) => matmul(a, b),
    ({ a, b }) => matmulReference(a, b),
    4100,
    "of rows",
  ),
  wide(
    "matmul",
    {
      a: { shape: [1, 3], differentiable: false, shared: true },
      b: { shape: [1025, 3], differentiable: false },
    },
    ({ a, b }) => permute(matmul(a, b, { transposeB: true }), [1, 0]),
    ({ a, b }) => matmulReference(b, a, { transposeB: true }),
    4100,
    "of columns",
  ),
  wide(
    "conv2d",
    {
      x: { shape: [1, 1, 33, 32] },
      w: { shape: [1, 1, 1, 1], shared: true },
    },
    ({ x, w }) => conv2d(x, w),
    ({ x, w }) => conv2dReference(x, w),
    PICTURES,
    "of a picture",
  ),
  wide(
    "conv2d",
    { x: { shape: [1, 8, 3, 4] }, w: { shape: [8, 1, 3, 3], shared: true } },
    ({ x, w }) => conv2d(x, w, { groups: 8, padding: 1 }),
    ({ x, w }) => conv2dReference(x, w, { groups: 8, padding: 1 }),
    8200,
    "of a picture whose channels are apart",
  ),
  wide(
    "conv2d",
    { x: { shape: [33, 64] }, w: { shape: [1, 1, 1, 1], shared: true } },
    ({ x, w }) => reshape(conv2d(reshape(x, [1, 1, ...x.shape]), w), x.shape),
    ({ x, w }) => map(x, (v) => v * w.data[0]),
    1000,
    "of rows in one picture",
  ),
  wide(
    "conv2d",
    {
      x: { shape: [1, 600, 1, 1], differentiable: false, shared: true },
      w: { shape: [7, 600, 1, 1] },
    },
    ({ x, w }) => reshape(conv2d(x, w), [-1, 1]),
    ({ x, w }) => ({ data: conv2dReference(x, w).data, shape: [7, 1] }),
    1000,
    "of a weight",
  ),
];

/** Cases of elementwise operators, movement, reductions and products. */
export const wideOperatorCases: OperatorCase[] = [
  ...elementwiseCases,
  ...movementCases,
  ...reduceCases,
  ...productCases,
];
