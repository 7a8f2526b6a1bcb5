/**
 * What every operator must satisfy, and the checks that hold it to that:
 *
 * - the result agrees with a float64 reference;
 * - the gradient, taken in the middle of a graph with a random cotangent,
 *   agrees with the derivative of the reference along several directions;
 * - for linear inputs, <A d, c> = <d, A' c> holds on the device;
 * - NaN and infinity in an input come out where the reference has them;
 * - on a device opened with `poison`, every number of the result is written.
 *
 * @module
 */
import type { Dtype } from "../../kernels/kernel.ts";
import type { Device } from "../device.ts";
import { gradients } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { affine, multiply } from "./elementwise.ts";
import {
  differentiable,
  type Expectation,
  expectation,
} from "./expectation.ts";
import { formula } from "./formula.ts";
import { adjointError, relativeError, slopeError } from "./measures.ts";
import { type NonFinite, nonFiniteFailures } from "./non_finite.ts";
import { sum } from "./reduce.ts";

export { relativeError } from "./measures.ts";
export type { NonFinite } from "./non_finite.ts";

/** Numbers in row-major order with their shape, in double precision. */
export interface NumberArray {
  /** The numbers. */
  data: Float64Array;
  /** Sizes of the axes. */
  shape: number[];
}

/** An input of a case: numbers in [shift - scale, shift + scale] by formula. */
export interface CaseInput {
  /** Sizes of the axes. */
  readonly shape: readonly number[];
  /** Half width of the range; 1 when absent. */
  readonly scale?: number;
  /** Middle of the range; 0 when absent. */
  readonly shift?: number;
  /** How it is stored, and what the numbers are rounded to; f32 when absent. */
  readonly dtype?: Dtype;
  /** Whether the gradient with respect to it is checked; true when absent. */
  readonly differentiable?: boolean;
  /** Changes the numbers of the formula, for instance to sort them. */
  readonly adjust?: (data: Float32Array) => void;
  /** What is promised of NaN and infinity in it; `exact` when absent. */
  readonly nonFinite?: NonFinite;
  /** Whether all of a case's `copies` have it in common; false when absent. */
  readonly shared?: boolean;
}

/** One operator with one set of shapes and attributes. */
export interface OperatorCase {
  /** Name of the operator, as exported. */
  readonly operator: string;
  /** What is special about the case; unique within the operator. */
  readonly name: string;
  /** Inputs by name. */
  readonly inputs: Readonly<Record<string, CaseInput>>;
  /** The operator on tensors. */
  readonly run: (inputs: Record<string, Tensor>) => Tensor;
  /** The operator in double precision. */
  readonly reference: (inputs: Record<string, NumberArray>) => NumberArray;
  /**
   * Largest error of the result relative to its largest magnitude;
   * {@linkcode TOLERANCE} when absent.
   */
  readonly tolerance?: number;
  /** Largest relative error of a directional derivative; 5 times `tolerance` when absent. */
  readonly gradientTolerance?: number;
  /** Names of the inputs in which the operator is linear, others held fixed. */
  readonly linear?: readonly string[];
  /**
   * How often the inputs, and with them the result, are repeated along their
   * first axis: sizes for which a reference would take too long. The reference
   * is of one copy, and every copy is held to it. 1 when absent.
   */
  readonly copies?: number;
}

/** Tolerance of cases that name none. */
export const TOLERANCE = 1e-5;

/** What a case came to on one device. */
export interface CaseResult {
  /** Operator. */
  readonly operator: string;
  /** Name of the case. */
  readonly name: string;
  /** Largest error of the result. */
  readonly forward: number;
  /** Largest error of a directional derivative; 0 when there is none. */
  readonly gradient: number;
  /** Largest violation of the adjoint identity; 0 when no input is linear. */
  readonly adjoint: number;
  /** Tolerance of `forward`. */
  readonly tolerance: number;
  /** Tolerance of `gradient` and `adjoint`. */
  readonly gradientTolerance: number;
  /** What is wrong, in words; empty when the case passes. */
  readonly failures: readonly string[];
}

/**
 * Checks one case on one device.
 *
 * @param device opened with `poison: true`, so that unwritten numbers are seen
 * @throws whatever the operator throws
 */
export async function checkCase(
  device: Device,
  c: OperatorCase,
): Promise<CaseResult> {
  using _scope = device.scope();
  const expected = expectation(c), copies = c.copies ?? 1;
  const leaves = leavesOf(device, c, expected);
  const names = differentiable(c);
  for (const name of names) leaves[name].track();
  const { result, found } = differentiate(device, c, leaves, expected);
  const linear = copies > 1
    ? []
    : names.filter((name) => c.linear?.includes(name));
  const images = device.withoutTape(() =>
    linear.map((name) => c.run({ ...leaves, [name]: probe(device, c, name) }))
  );
  const right = repeatedShape(expected.wanted.shape, copies);
  if (`${result.shape}` !== `${right}`) {
    return report(c, { forward: Infinity, gradient: 0, adjoint: 0 }, [
      `the shape is [${result.shape}] instead of [${right}]`,
    ]);
  }
  const [y, ...read] = await device.read(result, ...found, ...images);
  const slopes = names.map((name, k) =>
    firstCopy(read[k], copies, c.inputs[name].shared ?? false)
  );
  const errors = {
    forward: Math.max(
      ...parts(y, copies).map((p) => relativeError(p, expected.wanted.data)),
    ),
    gradient: Math.max(
      0,
      ...expected.probes.map((p) =>
        slopeError(p, slopes[names.indexOf(p.input)].gradient)
      ),
      ...slopes.map((slope) => slope.unevenness),
    ),
    adjoint: Math.max(
      0,
      ...linear.map((name, k) =>
        adjointError(
          directionOf(c, name),
          slopes[names.indexOf(name)].gradient,
          read[names.length + k],
          expected.cotangent,
        )
      ),
    ),
  };
  const { tolerance = TOLERANCE } = c;
  return report(
    c,
    errors,
    await nonFiniteFailures(device, c, leaves, tolerance),
  );
}

/** The inputs on the device. */
function leavesOf(
  device: Device,
  c: OperatorCase,
  { values }: Expectation,
): Record<string, Tensor> {
  const leaves: Record<string, Tensor> = {};
  for (const [name, input] of Object.entries(c.inputs)) {
    const copies = input.shared ? 1 : c.copies ?? 1;
    leaves[name] = device.tensor(
      repeated(values[name], copies),
      repeatedShape(input.shape, copies),
      input.dtype,
    );
  }
  return leaves;
}

function repeatedShape(shape: readonly number[], copies: number): number[] {
  return shape.map((n, k) => k === 0 ? n * copies : n);
}

function repeated(
  data: Float32Array<ArrayBuffer>,
  copies: number,
): Float32Array<ArrayBuffer> {
  if (copies === 1) return data;
  const all = new Float32Array(data.length * copies);
  for (let k = 0; k < copies; k++) all.set(data, k * data.length);
  return all;
}

function parts(data: Float32Array, copies: number): Float32Array[] {
  const size = data.length / copies;
  return Array.from(
    { length: copies },
    (_, k) => data.subarray(k * size, (k + 1) * size),
  );
}

/**
 * The gradient of one copy, and how far that of any other is from it; an input
 * that all share receives the sum.
 */
function firstCopy(
  gradient: Float32Array,
  copies: number,
  shared: boolean,
): { gradient: Float32Array; unevenness: number } {
  if (copies === 1) return { gradient, unevenness: 0 };
  if (shared) {
    return { gradient: gradient.map((v) => v / copies), unevenness: 0 };
  }
  const [first, ...others] = parts(gradient, copies);
  return {
    gradient: first,
    unevenness: Math.max(...others.map((o) => relativeError(o, first))),
  };
}

/** The operator between two others, and gradients of the leaves. */
function differentiate(
  device: Device,
  c: OperatorCase,
  leaves: Record<string, Tensor>,
  expected: Expectation,
): { result: Tensor; found: Tensor[] } {
  const inner: Record<string, Tensor> = {};
  for (const name in leaves) {
    inner[name] = leaves[name].tracked ? affine(leaves[name], 1) : leaves[name];
  }
  const result = c.run(inner);
  const wanted = differentiable(c).map((name) => leaves[name]);
  const data = repeated(expected.cotangent, c.copies ?? 1);
  if (wanted.length === 0 || result.size !== data.length) {
    return { result, found: [] };
  }
  const cotangent = device.tensor(data, result.shape, result.dtype);
  return { result, found: gradients(sum(multiply(result, cotangent)), wanted) };
}

function directionOf(c: OperatorCase, name: string): Float32Array<ArrayBuffer> {
  return formula(`${c.operator}.${c.name}.${name}.probe`, c.inputs[name].shape);
}

function probe(device: Device, c: OperatorCase, name: string): Tensor {
  const { shape, dtype } = c.inputs[name];
  return device.tensor(directionOf(c, name), shape, dtype);
}

/** @param known what is wrong already: the shape, or NaN and infinity. */
function report(
  c: OperatorCase,
  errors: { forward: number; gradient: number; adjoint: number },
  known: readonly string[] = [],
): CaseResult {
  const { operator, name, tolerance = TOLERANCE } = c;
  const gradientTolerance = c.gradientTolerance ?? 5 * tolerance;
  const over = (what: string, error: number, limit: number): string[] =>
    error <= limit ? [] : [
      `${what} is off by ${error.toExponential(1)} (${
        limit.toExponential(1)
      } allowed)`,
    ];
  const failures = [
    ...over("the result", errors.forward, tolerance),
    ...over("the gradient", errors.gradient, gradientTolerance),
    ...over("the adjoint identity", errors.adjoint, gradientTolerance),
    ...known,
  ];
  return { operator, name, ...errors, tolerance, gradientTolerance, failures };
}
