/**
 * What every operator must satisfy, and the checks that hold it to that:
 *
 * - the result agrees with a float64 reference;
 * - the gradient, taken in the middle of a graph with a random cotangent,
 *   agrees with the derivative of the reference along several directions;
 * - for linear inputs, <A d, c> = <d, A' c> holds on the device;
 * - on a device opened with `poison`, every number of the result is written.
 *
 * @module
 */
import type { Device } from "../device.ts";
import { gradients } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { affine, multiply } from "./elementwise.ts";
import {
  differentiable,
  dot,
  type Expectation,
  expectation,
  type Probe,
} from "./expectation.ts";
import { formula } from "./formula.ts";
import { sum } from "./reduce.ts";

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
  /** Whether the gradient with respect to it is checked; true when absent. */
  readonly differentiable?: boolean;
  /** Changes the numbers of the formula, for instance to sort them. */
  readonly adjust?: (data: Float32Array) => void;
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
  const expected = expectation(c);
  const leaves: Record<string, Tensor> = {};
  for (const [name, { shape }] of Object.entries(c.inputs)) {
    leaves[name] = device.tensor(expected.values[name], shape);
  }
  const names = differentiable(c);
  for (const name of names) leaves[name].track();
  const { result, found } = differentiate(device, c, leaves, expected);
  const linear = names.filter((name) => c.linear?.includes(name));
  const images = device.withoutTape(() =>
    linear.map((name) => c.run({ ...leaves, [name]: probe(device, c, name) }))
  );
  const shape = `[${result.shape}]`, right = `[${expected.wanted.shape}]`;
  if (shape !== right) {
    return report(c, { forward: Infinity, gradient: 0, adjoint: 0 }, [
      `the shape is ${shape} instead of ${right}`,
    ]);
  }
  const read = await device.read(result, ...found, ...images);
  const slopes = Object.fromEntries(names.map((n, k) => [n, read[1 + k]]));
  return report(c, {
    forward: relativeError(read[0], expected.wanted.data),
    gradient: Math.max(0, ...expected.probes.map((p) => slopeError(p, slopes))),
    adjoint: Math.max(
      0,
      ...linear.map((name, k) =>
        adjointError(
          directionOf(c, name),
          slopes[name],
          read[1 + names.length + k],
          expected.cotangent,
        )
      ),
    ),
  });
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
  if (wanted.length === 0 || result.size !== expected.cotangent.length) {
    return { result, found: [] };
  }
  const cotangent = device.tensor(expected.cotangent, result.shape);
  return { result, found: gradients(sum(multiply(result, cotangent)), wanted) };
}

function directionOf(c: OperatorCase, name: string): Float32Array<ArrayBuffer> {
  return formula(`${c.operator}.${c.name}.${name}.probe`, c.inputs[name].shape);
}

function probe(device: Device, c: OperatorCase, name: string): Tensor {
  return device.tensor(directionOf(c, name), c.inputs[name].shape);
}

function report(
  c: OperatorCase,
  errors: { forward: number; gradient: number; adjoint: number },
  failures: string[] = [],
): CaseResult {
  const { operator, name, tolerance = TOLERANCE } = c;
  const gradientTolerance = c.gradientTolerance ?? 5 * tolerance;
  const over = (what: string, error: number, limit: number) => {
    if (error <= limit) return;
    failures.push(
      `${what} is off by ${error.toExponential(1)} (${
        limit.toExponential(1)
      } allowed)`,
    );
  };
  if (failures.length === 0) {
    over("the result", errors.forward, tolerance);
    over("the gradient", errors.gradient, gradientTolerance);
    over("the adjoint identity", errors.adjoint, gradientTolerance);
  }
  return { operator, name, ...errors, tolerance, gradientTolerance, failures };
}

/** Largest difference over the largest magnitude wanted; NaN counts as infinite. */
export function relativeError(
  got: ArrayLike<number>,
  wanted: ArrayLike<number>,
): number {
  if (got.length !== wanted.length) return Infinity;
  let error = 0, scale = 0;
  for (let k = 0; k < wanted.length; k++) {
    const difference = Math.abs(got[k] - wanted[k]);
    if (Number.isNaN(difference)) return Infinity;
    if (difference > error) error = difference;
    scale = Math.max(scale, Math.abs(wanted[k]));
  }
  return scale > 0 ? error / scale : error;
}

function slopeError(p: Probe, slopes: Record<string, Float32Array>): number {
  const gradient = slopes[p.input];
  const got = dot(gradient, p.direction);
  // a gradient is as exact as its largest numbers, not as its smallest
  const floor = 0.05 * largest(gradient) * largest(p.direction);
  const scale = Math.max(
    Math.abs(p.derivative),
    spread(gradient, p.direction),
    floor,
  );
  return ratio(Math.abs(got - p.derivative), scale);
}

function adjointError(
  direction: ArrayLike<number>,
  gradient: Float32Array,
  image: Float32Array,
  cotangent: ArrayLike<number>,
): number {
  const left = dot(image, cotangent), right = dot(gradient, direction);
  const scale = Math.max(spread(image, cotangent), spread(gradient, direction));
  return ratio(Math.abs(left - right), scale);
}

/** Root of the sum of squared products: how large a sum with random signs gets. */
function spread(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let k = 0; k < a.length; k++) total += (a[k] * b[k]) ** 2;
  return Math.sqrt(total);
}

function largest(a: ArrayLike<number>): number {
  let found = 0;
  for (let k = 0; k < a.length; k++) found = Math.max(found, Math.abs(a[k]));
  return found;
}

function ratio(error: number, scale: number): number {
  if (Number.isNaN(error)) return Infinity;
  return scale > 0 ? error / scale : error;
}
