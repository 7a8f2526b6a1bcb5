/**
 * Elementwise operators of random graphs, with broadcasting.
 *
 * @module
 */
import * as ops from "../../engine/mod.ts";
import type { NumberArray } from "../../engine/ops/conformance.ts";
import {
  binaryReferences,
  sigmoid,
  softplus,
} from "../../engine/ops/elementwise.reference.ts";
import { map, zip } from "../../engine/ops/reference.ts";
import type { GraphBuilder, Maker } from "./random_graph.ts";

type Tensor = ops.Tensor;

const nearest = (x: NumberArray, f: (v: number) => number) =>
  x.data.reduce((least, v) => Math.min(least, Math.abs(f(v))), Infinity);

/** f of every number of any value. */
function unary(
  text: string,
  run: (x: Tensor) => Tensor,
  f: (v: number) => number,
  kink?: (v: number) => number,
): Maker {
  return (g) => {
    const k = g.find(() => true);
    return {
      text: text.replace(/\bx\b/, `n${k}`),
      inputs: [k],
      run: ([x]) => run(x),
      reference: ([x]) => map(x, f),
      kink: kink && (([x]) => nearest(x, kink)),
    };
  };
}

/** Operators of one operand. */
export const UNARY: readonly Maker[] = [
  unary("tanh(x)", ops.tanh, Math.tanh),
  unary("sigmoid(x)", ops.sigmoid, sigmoid),
  unary("softplus(x)", ops.softplus, softplus),
  unary("sin(x)", ops.sin, Math.sin),
  unary("cos(x)", ops.cos, Math.cos),
  unary("square(x)", ops.square, (v) => v * v),
  unary(
    "affine(x, -1.5, 0.25)",
    (x) => ops.affine(x, -1.5, 0.25),
    (v) => -1.5 * v + 0.25,
  ),
  unary(
    "exp(tanh(x))",
    (x) => ops.exp(ops.tanh(x)),
    (v) => Math.exp(Math.tanh(v)),
  ),
  unary("log(square(x) + 1)", (x) => ops.log(ops.affine(ops.square(x), 1, 1)), (
    v,
  ) => Math.log(v * v + 1)),
  unary(
    "rsqrt(square(x), 0.5)",
    (x) => ops.rsqrt(ops.square(x), 0.5),
    (v) => 1 / Math.sqrt(v * v + 0.5),
  ),
  unary(
    "reciprocal(sqrt(exp(sin(x))))",
    (x) => ops.reciprocal(ops.sqrt(ops.exp(ops.sin(x)))),
    (v) => Math.exp(-Math.sin(v) / 2),
  ),
  unary("relu(x)", ops.relu, (v) => Math.max(v, 0), (v) => v),
  unary("leakyRelu(x)", (x) => ops.leakyRelu(x), (v) => v > 0 ? v : 0.2 * v, (
    v,
  ) => v),
  unary("abs(x)", ops.abs, Math.abs, (v) => v),
  unary(
    "clamp(x, -0.5, 0.7)",
    (x) => ops.clamp(x, -0.5, 0.7),
    (v) => Math.min(Math.max(v, -0.5), 0.7),
    (v) => Math.min(Math.abs(v + 0.5), Math.abs(v - 0.7)),
  ),
  unary(
    "checkpoint(tanh(square(x)))",
    (x) => ops.checkpoint((y) => ops.tanh(ops.square(y)), [x]),
    (v) => Math.tanh(v * v),
  ),
];

/** A second operand that broadcasts with the first: there already, or new. */
function partner(g: GraphBuilder, k: number): number {
  const shape = g.shape(k);
  const broadcasts = (other: number[]) =>
    other.length <= shape.length &&
    other.every((n, i) => {
      const own = shape[i + shape.length - other.length];
      return n === own || n === 1;
    });
  const found = g.find(broadcasts);
  if (found >= 0 && found !== k && g.random() < 0.7) return found;
  const first = g.whole(0, shape.length);
  return g.given(shape.slice(first).map((n) => g.random() < 0.4 ? 1 : n));
}

function binary(
  name: "add" | "subtract" | "multiply" | "maximum" | "minimum" | "prelu",
  kink?: (a: NumberArray, b: NumberArray) => number,
): Maker {
  return (g) => {
    const k = g.find(() => true), other = partner(g, k);
    // either may be the one that is broadcast
    const inputs = name !== "prelu" && g.random() < 0.5
      ? [k, other]
      : [other, k];
    if (name === "prelu") inputs.reverse();
    return {
      text: `${name}(n${inputs[0]}, n${inputs[1]})`,
      inputs,
      run: ([a, b]) => ops[name](a, b),
      reference: ([a, b]) => zip(a, b, binaryReferences[name]),
      kink: kink && (([a, b]) => kink(a, b)),
    };
  };
}

const gap = (a: NumberArray, b: NumberArray) =>
  nearest(zip(a, b, (u, v) => u - v), (v) => v);

/** Operators of two. */
export const BINARY: readonly Maker[] = [
  binary("add"),
  binary("subtract"),
  binary("multiply"),
  binary("multiply"),
  binary("maximum", gap),
  binary("minimum", gap),
  binary("prelu", (a) => nearest(a, (v) => v)),
  (g) => {
    const k = g.find(() => true), other = partner(g, k);
    return {
      text: `divide(n${k}, square(n${other}) + 1)`,
      inputs: [k, other],
      run: ([a, b]) => ops.divide(a, ops.affine(ops.square(b), 1, 1)),
      reference: ([a, b]) => zip(a, b, (u, v) => u / (v * v + 1)),
    };
  },
];
