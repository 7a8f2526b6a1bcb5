/**
 * Conformance cases of pooling.
 *
 * @module
 */
import type { OperatorCase } from "./conformance.ts";
import {
  type AveragePoolOptions,
  avgPool2d,
  maxPool2d,
  type PoolOptions,
} from "./pool.ts";
import { avgPool2dReference, maxPool2dReference } from "./pool.reference.ts";

function maxCase(
  name: string,
  shape: number[],
  options: PoolOptions,
): OperatorCase {
  return {
    operator: "maxPool2d",
    name,
    inputs: { x: { shape } },
    run: (t) => maxPool2d(t.x, options),
    reference: (a) => maxPool2dReference(a.x, options),
  };
}

function averageCase(
  name: string,
  shape: number[],
  options: AveragePoolOptions,
): OperatorCase {
  return {
    operator: "avgPool2d",
    name,
    inputs: { x: { shape } },
    run: (t) => avgPool2d(t.x, options),
    reference: (a) => avgPool2dReference(a.x, options),
    linear: ["x"],
  };
}

const OVERLAPPING: PoolOptions = { kernel: 3, stride: 2, padding: 1 };
const UNEVEN: PoolOptions = {
  kernel: [3, 2],
  stride: [1, 2],
  padding: [0, 2, 1, 0],
};
const SAME: PoolOptions = { kernel: 3, stride: 2, padding: [0, 1, 0, 1] };

/** Cases of the operators in `pool.ts`. */
export const poolCases: OperatorCase[] = [
  maxCase("2x2", [2, 3, 8, 6], { kernel: 2 }),
  maxCase("one pixel", [1, 1, 1, 1], { kernel: 1 }),
  maxCase("overlapping windows", [2, 3, 11, 12], OVERLAPPING),
  maxCase("TensorFlow's same", [1, 5, 10, 10], SAME),
  maxCase("uneven", [3, 2, 7, 9], UNEVEN),
  maxCase("gaps between windows", [1, 2, 9, 9], { kernel: 2, stride: 3 }),
  maxCase("the whole picture", [2, 3, 5, 4], { kernel: [5, 4] }),
  averageCase("2x2", [2, 3, 8, 6], { kernel: 2 }),
  averageCase("one pixel", [1, 1, 1, 1], { kernel: 1 }),
  averageCase("overlapping windows", [2, 3, 11, 12], OVERLAPPING),
  averageCase("padding as zeros", [2, 3, 11, 12], {
    ...OVERLAPPING,
    countPadding: true,
  }),
  averageCase("TensorFlow's same", [1, 5, 10, 10], SAME),
  averageCase("uneven", [3, 2, 7, 9], UNEVEN),
  averageCase("gaps between windows", [1, 2, 9, 9], { kernel: 2, stride: 3 }),
  averageCase("the whole picture", [2, 3, 15, 14], { kernel: [15, 14] }),
];
