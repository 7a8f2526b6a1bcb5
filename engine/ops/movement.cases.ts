/**
 * Conformance cases of the operators that only move numbers, with their
 * float64 references (each a line).
 *
 * @module
 */
import type { Tensor } from "../tensor.ts";
import type { NumberArray, OperatorCase } from "./conformance.ts";
import * as ops from "./movement.ts";
import { build, reader } from "./reference.ts";

function movementCase(
  operator: string,
  name: string,
  shape: number[],
  run: (x: Tensor) => Tensor,
  reference: (x: NumberArray) => NumberArray,
): OperatorCase {
  return {
    operator,
    name,
    inputs: { x: { shape } },
    run: (t) => run(t.x),
    reference: (a) => reference(a.x),
    linear: ["x"],
  };
}

/** The result's number at an index, from x at another index. */
function gathered(
  shape: number[],
  source: (index: readonly number[]) => number[],
): (x: NumberArray) => NumberArray {
  return (x) => {
    const at = reader(x);
    return build(shape, (index) => at(...source(index)));
  };
}

function concatCase(
  name: string,
  shapes: number[][],
  axis: number,
): OperatorCase {
  const inputs = Object.fromEntries(
    shapes.map((shape, k) => [`x${k}`, { shape }]),
  );
  const total = shapes.reduce((sum, s) => sum + s[axis], 0);
  return {
    operator: "concat",
    name,
    inputs,
    run: (t) => ops.concat(shapes.map((_, k) => t[`x${k}`]), axis),
    reference: (a) =>
      build(shapes[0].map((n, k) => k === axis ? total : n), (index) => {
        const at = [...index];
        let part = 0;
        while (at[axis] >= shapes[part][axis]) at[axis] -= shapes[part++][axis];
        return reader(a[`x${part}`])(...at);
      }),
  };
}

/** Cases of the operators in `movement.ts`. */
export const movementCases: OperatorCase[] = [
  movementCase(
    "reshape",
    "with -1",
    [3, 4, 5],
    (x) => ops.reshape(x, [6, -1]),
    (x) => ({ data: x.data, shape: [6, 10] }),
  ),
  movementCase(
    "permute",
    "[0, 2, 3, 1]",
    [2, 3, 5, 7],
    (x) => ops.permute(x, [0, 2, 3, 1]),
    gathered([2, 5, 7, 3], ([a, b, c, d]) => [a, d, b, c]),
  ),
  movementCase(
    "permute",
    "six axes",
    [2, 1, 3, 2, 1, 4],
    (x) => ops.permute(x, [5, 3, 1, 0, 4, 2]),
    gathered([4, 2, 1, 2, 1, 3], ([a, b, c, d, e, f]) => [d, c, f, b, e, a]),
  ),
  movementCase(
    "permute",
    "more than a workgroup takes",
    [3, 17, 67],
    (x) => ops.permute(x, [1, 2, 0]),
    gathered([17, 67, 3], ([a, b, c]) => [c, a, b]),
  ),
  movementCase(
    "transpose",
    "batch of 3",
    [3, 17, 9],
    ops.transpose,
    gathered([3, 9, 17], ([a, b, c]) => [a, c, b]),
  ),
  movementCase(
    "broadcastTo",
    "a middle and a new axis",
    [3, 1, 5],
    (x) => ops.broadcastTo(x, [2, 3, 4, 5]),
    gathered([2, 3, 4, 5], ([, b, , d]) => [b, 0, d]),
  ),
  movementCase(
    "slice",
    "from the middle",
    [4, 6, 7],
    (x) => ops.slice(x, [1, 0, 3], [2, 6, 3]),
    gathered([2, 6, 3], ([a, b, c]) => [a + 1, b, c + 3]),
  ),
  movementCase(
    "slice",
    "one number",
    [4, 6],
    (x) => ops.slice(x, [3, 5], [1, 1]),
    gathered([1, 1], () => [3, 5]),
  ),
  movementCase(
    "pad",
    "three axes",
    [2, 3, 4],
    (x) => ops.pad(x, [[0, 1], [2, 0], [1, 3]]),
    gathered([3, 5, 8], ([a, b, c]) => [a, b - 2, c - 1]),
  ),
  movementCase(
    "flip",
    "two axes",
    [3, 5, 7],
    (x) => ops.flip(x, [0, 2]),
    gathered([3, 5, 7], ([a, b, c]) => [2 - a, b, 6 - c]),
  ),
  concatCase("two along the channels", [[2, 3, 4], [2, 5, 4]], 1),
  concatCase("three along the last axis", [[3, 1], [3, 7], [3, 2]], 1),
  concatCase("along the first axis", [[1, 6], [4, 6]], 0),
];
