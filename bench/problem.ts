/**
 * What the engine and its peers are asked to compute in the rows of single
 * operators, and the numbers that they compute it from.
 *
 * @module
 */
import type { Shape } from "../engine/mod.ts";

/** A matrix product (m, k) by (k, n). */
export interface MatmulProblem {
  /** Which operator. */
  readonly kind: "matmul";
  /** Inputs `a` (m, k) and `b` (k, n). */
  readonly inputs: Readonly<Record<"a" | "b", Shape>>;
}

/** What of a convolution is asked for: its result or one of its gradients. */
export type Wanted = "output" | "input" | "weight";

/**
 * A convolution, or a gradient of one. `transposed` ones have a weight (Ci, Co,
 * k, k), stride 2 and no padding, others (Co, Ci / groups, k, k), stride 1 and
 * padding (k - 1) / 2.
 */
export interface ConvProblem {
  /** Which operator. */
  readonly kind: "conv2d";
  /** Picture `x` (1, Ci, H, W), weight `w`, and the gradient `g` of the result. */
  readonly inputs: Readonly<Record<"x" | "w" | "g", Shape>>;
  /** What is asked for. */
  readonly wanted: Wanted;
  /** Groups of channels. */
  readonly groups: number;
  /** Whether it is a transposed convolution of stride 2. */
  readonly transposed: boolean;
}

/** StyleGAN2's modulated and demodulated convolution, stride 1. */
export interface ModulatedProblem {
  /** Which operator. */
  readonly kind: "modulatedConv2d";
  /** Picture `x` (1, Ci, H, W), weight `w` (Co, Ci, k, k), styles `s` (1, Ci). */
  readonly inputs: Readonly<Record<"x" | "w" | "s", Shape>>;
}

/** A picture twice as large, by the filter [1, 3, 3, 1] (upfirdn2d). */
export interface UpsampleProblem {
  /** Which operator. */
  readonly kind: "upsample2d";
  /** Picture `x` (1, C, H, W). */
  readonly inputs: Readonly<Record<"x", Shape>>;
}

/** Sum over axes, softmax along the last axis, a sum of two, or bias and leaky ReLU. */
export interface PointwiseProblem {
  /** Which operator. */
  readonly kind: "sum" | "softmax" | "add" | "biasAct";
  /** `x`, and what else the operator takes: `y` of its shape, or a bias `b` (C). */
  readonly inputs: Readonly<Record<string, Shape>>;
  /** Axes of a sum. */
  readonly axes?: readonly number[];
}

/** One step of Adam with `ADAM`'s rates, moments included. */
export interface AdamProblem {
  /** Which operator. */
  readonly kind: "adam";
  /** Parameter `x` and gradient `g`; moments start empty. */
  readonly inputs: Readonly<Record<"x" | "g", Shape>>;
}

/** Mean bilinear features of three planes at points, or the planes' gradient. */
export interface TriplaneProblem {
  /** Which operator. */
  readonly kind: "triplane";
  /** `planes` (1, 3, C, H, W), `points` (1, N, 3) in [-1, 1], gradient `g` (1, N, C). */
  readonly inputs: Readonly<Record<"planes" | "points" | "g", Shape>>;
  /** What is asked for. */
  readonly wanted: "features" | "planes";
}

/**
 * EG3D's volume renderer at given points: tri-planes, two layers, and the
 * mid-point march over `DEPTHS`; colours only. `step` is that and the gradient
 * of the planes.
 */
export interface RendererProblem {
  /** Which operator. */
  readonly kind: "renderer";
  /**
   * `planes` (1, 3, C, H, W), `points` (1, R S, 3) in [-1, 1], layers `w1`
   * (hidden, C), `b1`, `w2` (1 + colours, hidden), `b2`, gradient `g` (R, colours).
   */
  readonly inputs: Readonly<
    Record<"planes" | "points" | "w1" | "b1" | "w2" | "b2" | "g", Shape>
  >;
  /** What is asked for. */
  readonly wanted: "colours" | "step";
}

/** Where rays begin and end. */
const NEAR = 2.25, FAR = 3.3;

/** Evenly spaced depths of the samples of a ray. */
export function depthsOf(samples: number): Float32Array<ArrayBuffer> {
  return Float32Array.from(
    { length: samples },
    (_, k) => NEAR + (FAR - NEAR) * k / (samples - 1),
  );
}

/** Anything that a row of single operators asks for. */
export type Problem =
  | MatmulProblem
  | ConvProblem
  | ModulatedProblem
  | UpsampleProblem
  | PointwiseProblem
  | AdamProblem
  | TriplaneProblem
  | RendererProblem;

/** Settings of Adam that every engine is given. */
export const ADAM = { rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/** Numbers in row-major order. */
export interface Numbers {
  /** The numbers. */
  readonly data: Float32Array<ArrayBuffer>;
  /** Sizes of the axes. */
  readonly shape: Shape;
}

/** Uniform in [-1, 1), the same ones for every engine (xorshift, Marsaglia 2003). */
export function uniform(
  seed: number,
  count: number,
): Float32Array<ArrayBuffer> {
  const numbers = new Float32Array(count);
  let state = Math.imul(seed + 1, 2654435761) | 1;
  for (let k = 0; k < count; k++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    numbers[k] = state / 2147483648;
  }
  return numbers;
}

/** The inputs of a problem, by name. */
export function numbersOf(problem: Problem): Record<string, Numbers> {
  const entries = Object.entries(problem.inputs) as [string, Shape][];
  return Object.fromEntries(entries.map(([name, shape], k) => {
    const data = uniform(k, shape.reduce((a, b) => a * b, 1));
    return [name, { data, shape }];
  }));
}
