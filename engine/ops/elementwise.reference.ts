/**
 * Elementwise operators in plain TypeScript and float64.
 *
 * @module
 */

/** 1 / (1 + e^-v). */
export function sigmoid(v: number): number {
  return 1 / (1 + Math.exp(-v));
}

/** log(1 + e^v) without overflow. */
export function softplus(v: number): number {
  return Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));
}

/** Operators of one argument. */
export const unaryReferences = {
  negate: (v) => -v,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  rsqrt: (v) => 1 / Math.sqrt(v),
  square: (v) => v * v,
  abs: Math.abs,
  relu: (v) => Math.max(v, 0),
  sigmoid,
  tanh: Math.tanh,
  softplus,
  reciprocal: (v) => 1 / v,
  sin: Math.sin,
  cos: Math.cos,
  finite: (v) => Number.isFinite(v) ? v : 0,
} satisfies Record<string, (v: number) => number>;

/** Operators of two arguments. */
export const binaryReferences = {
  add: (u, v) => u + v,
  subtract: (u, v) => u - v,
  multiply: (u, v) => u * v,
  divide: (u, v) => u / v,
  maximum: Math.max,
  minimum: Math.min,
  prelu: (u, v) => u > 0 ? u : u * v,
} satisfies Record<string, (u: number, v: number) => number>;
