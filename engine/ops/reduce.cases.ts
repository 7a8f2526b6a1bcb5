/**
 * Conformance cases of the reductions, with their float64 reference.
 *
 * @module
 */
import { resolveAxis } from "../shape.ts";
import type { NumberArray, OperatorCase } from "./conformance.ts";
import * as ops from "./reduce.ts";
import { build } from "./reference.ts";

type Fold = (all: number, value: number) => number;

/** Folds the numbers of x along axes, from a first value. */
export function reduceReference(
  x: NumberArray,
  options: ops.ReduceOptions,
  fold: Fold,
  first: number,
): NumberArray {
  const rank = x.shape.length;
  const axes = options.axes?.map((a) => resolveAxis(a, rank)) ??
    x.shape.map((_, k) => k);
  const kept = x.shape.map((n, k) => axes.includes(k) ? 1 : n);
  const y = build(kept, () => first);
  const strides = kept.map((_, k) =>
    axes.includes(k) ? 0 : kept.slice(k + 1).reduce((a, b) => a * b, 1)
  );
  build(x.shape, (index, k) => {
    const at = index.reduce((sum, i, axis) => sum + i * strides[axis], 0);
    return y.data[at] = fold(y.data[at], x.data[k]);
  });
  if (options.keep) return y;
  return { data: y.data, shape: kept.filter((_, k) => !axes.includes(k)) };
}

function sumCase(
  name: string,
  shape: number[],
  options: ops.ReduceOptions = {},
): OperatorCase {
  return {
    operator: "sum",
    name,
    inputs: { x: { shape } },
    run: (t) => ops.sum(t.x, options),
    reference: (a) => reduceReference(a.x, options, (s, v) => s + v, 0),
    linear: ["x"],
  };
}

function meanCase(
  name: string,
  shape: number[],
  options: ops.ReduceOptions = {},
): OperatorCase {
  return {
    ...sumCase(name, shape, options),
    operator: "mean",
    run: (t) => ops.mean(t.x, options),
    reference: (a) => {
      const total = reduceReference(a.x, options, (s, v) => s + v, 0);
      const count = a.x.data.length / total.data.length;
      return { data: total.data.map((v) => v / count), shape: total.shape };
    },
  };
}

function squaresCase(
  name: string,
  shape: number[],
  axes: number = shape.length,
): OperatorCase {
  return {
    operator: "sumOfSquares",
    name,
    inputs: { x: { shape } },
    run: (t) => ops.sumOfSquares(t.x, axes),
    reference: (a) =>
      reduceReference(a.x, { axes: last(axes) }, (s, v) => s + v * v, 0),
  };
}

const last = (count: number) => Array.from({ length: count }, (_, k) => -1 - k);

function productsCase(
  name: string,
  shape: number[],
  axes: number,
): OperatorCase {
  return {
    operator: "sumOfProducts",
    name,
    inputs: { a: { shape }, b: { shape } },
    run: (t) => ops.sumOfProducts(t.a, t.b, axes),
    reference: ({ a, b }) => {
      const data = a.data.map((v, k) => v * b.data[k]);
      const options = { axes: last(axes) };
      return reduceReference({ data, shape }, options, (s, v) => s + v, 0);
    },
    linear: ["a", "b"],
  };
}

function maxCase(name: string, shape: number[], axis: number): OperatorCase {
  return {
    operator: "maxAlong",
    name,
    inputs: { x: { shape, differentiable: false } },
    run: (t) => ops.maxAlong(t.x, axis),
    reference: (a) =>
      reduceReference(a.x, { axes: [axis], keep: true }, Math.max, -Infinity),
    tolerance: 0,
  };
}

/** Cases of the operators in `reduce.ts`. */
export const reduceCases: OperatorCase[] = [
  sumCase("everything", [3, 5, 7]),
  sumCase("one number", [1]),
  sumCase("the last axis", [6, 33], { axes: [-1] }),
  sumCase("an axis named twice", [3, 5], { axes: [1, -1] }),
  meanCase("an axis named twice", [3, 5], { axes: [0, -2] }),
  sumCase("the first axis, kept", [33, 6], { axes: [0], keep: true }),
  sumCase("the middle", [3, 65, 5], { axes: [1] }),
  sumCase("two apart", [3, 5, 7, 2], { axes: [0, 2] }),
  sumCase("batch and space of a picture", [2, 3, 9, 11], {
    axes: [0, 2, 3],
    keep: true,
  }),
  sumCase("in two rounds", [2, 5003], { axes: [1] }),
  sumCase("long, in two rounds", [200_003]),
  sumCase("everything, vec4 by vec4", [40, 1012]),
  sumCase("long rows, vec4 by vec4", [5, 1028], { axes: [1] }),
  sumCase("a wide inner axis, vec4 by vec4", [2, 3, 1028], { axes: [1] }),
  sumCase("a wide inner axis in two rounds", [150, 36], { axes: [0] }),
  meanCase("everything", [3, 5, 7]),
  meanCase("space", [2, 3, 9, 11], { axes: [2, 3] }),
  meanCase("long, in two rounds", [3, 10_007], { axes: [1] }),
  squaresCase("small", [3, 5]),
  squaresCase("in two rounds", [70_001]),
  squaresCase("of the last two axes", [4, 5, 3, 3], 2),
  productsCase("everything", [3, 7], 2),
  productsCase("of the last two axes", [2, 5, 9, 7], 2),
  productsCase("in two rounds", [3, 5003], 1),
  productsCase("long rows, vec4 by vec4", [3, 5004], 1),
  maxCase("the last axis", [6, 33], -1),
  maxCase("the middle", [3, 17, 5], 1),
  maxCase("in two rounds", [2, 9001], 1),
  maxCase("long rows, vec4 by vec4", [2, 9004], 1),
  maxCase("a wide inner axis, vec4 by vec4", [90, 64], 0),
];
