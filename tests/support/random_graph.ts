/**
 * Random graphs of operators, each with its float64 reference, from a seed.
 *
 * @module
 */
import type { Tensor } from "../../engine/mod.ts";
import type { NumberArray } from "../../engine/ops/conformance.ts";
import { formula } from "../../engine/ops/formula.ts";
import { elementCount } from "../../engine/tensor.ts";
import { OPERATIONS } from "./random_operations.ts";

/** An operator on earlier values of the graph. */
export interface Operation {
  /** As a call, with the places of its operands, for whoever reads a failure. */
  text: string;
  /** Places of the operands. */
  inputs: number[];
  /** On the engine. */
  run(operands: Tensor[]): Tensor;
  /** In double precision. */
  reference(operands: NumberArray[]): NumberArray;
  /** Distance of the operands to where the derivative jumps; infinite when absent. */
  kink?(operands: NumberArray[]): number;
}

/** Finds operands for an operator in a graph; null when there are none. */
export type Maker = (g: GraphBuilder) => Operation | null;

/** A value of a graph: given, or computed from earlier ones. */
export interface GraphValue {
  /** What it is, in double precision. */
  value: NumberArray;
  /** How it is computed; null for what is given. */
  operation: Operation | null;
}

/** A graph and how it came to be. */
export interface Graph {
  /** Makes the same graph again. */
  seed: number;
  /** Given and computed values, each after what it depends on. */
  values: readonly GraphValue[];
  /** Distance to the nearest place where a derivative jumps. */
  kink: number;
}

/** Values that a graph is built from, and dice. */
export class GraphBuilder {
  /** What there is so far. */
  readonly values: GraphValue[] = [];
  #state: number;

  /** @param seed whole number */
  constructor(readonly seed: number) {
    this.#state = Math.imul(seed + 1, 2654435761) >>> 0;
  }

  /** A number in [0, 1). */
  random(): number {
    // mulberry32
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** A whole number from `low` to `high`. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.random() * (high - low + 1));
  }

  /** One of several. */
  one<T>(of: readonly T[]): T {
    return of[this.whole(0, of.length - 1)];
  }

  /** The shape at a place. */
  shape(place: number): number[] {
    return this.values[place].value.shape;
  }

  /** A place whose shape will do, late ones more often; -1 when there is none. */
  find(fits: (shape: number[]) => boolean): number {
    const places = [...this.values.keys()].filter((k) => fits(this.shape(k)));
    if (places.length === 0) return -1;
    return places[Math.floor(Math.sqrt(this.random()) * places.length)];
  }

  /** A new given value in [-scale, scale). */
  given(shape: number[], scale = 1): number {
    const name = `graph ${this.seed} ${this.values.length}`;
    const data = Float64Array.from(formula(name, shape, scale));
    this.values.push({ value: { data, shape: [...shape] }, operation: null });
    return this.values.length - 1;
  }
}

/** Largest number of a tensor of a graph, and most numbers. */
const SANE = { magnitude: 30, size: 1500 };

/** Whether an operation's result is worth going on with. */
function sane({ data, shape }: NumberArray): boolean {
  const most = data.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  return data.every(Number.isFinite) && most < SANE.magnitude && most > 1e-3 &&
    elementCount(shape) <= SANE.size;
}

/** The graph of a seed: three to ten operations. */
export function randomGraph(seed: number): Graph {
  const builder = new GraphBuilder(seed);
  builder.given([2, 4, builder.whole(3, 8), builder.whole(3, 8)]);
  if (builder.random() < 0.5) {
    builder.given([builder.whole(2, 9), builder.whole(2, 9)]);
  }
  const wanted = builder.whole(3, 10);
  let kink = Infinity;
  for (let made = 0, tries = 0; made < wanted && tries < 200; tries++) {
    const before = builder.values.length;
    const operation = builder.one(OPERATIONS)(builder);
    const operands = operation?.inputs.map((k) => builder.values[k].value);
    const value = operation?.reference(operands!);
    if (!operation || !value || !sane(value)) {
      builder.values.length = before;
      continue;
    }
    kink = Math.min(kink, operation.kink?.(operands!) ?? Infinity);
    builder.values.push({ value, operation });
    made++;
  }
  return { seed, values: builder.values, kink };
}

/** The graph as text, a line for each value. */
export function graphText({ seed, values }: Graph): string {
  const lines = values.map(({ value, operation }, k) =>
    `  n${k} [${value.shape}] = ${operation?.text ?? "given"}`
  );
  return `graph ${seed} (FUZZ_SEED=${seed} runs it alone)\n${lines.join("\n")}`;
}

/** Places that nothing depends on. */
export function results({ values }: Graph): number[] {
  const used = new Set(values.flatMap((v) => v.operation?.inputs ?? []));
  return [...values.keys()].filter((k) => !used.has(k));
}

/** Places of the given values. */
export function givens({ values }: Graph): number[] {
  return [...values.keys()].filter((k) => !values[k].operation);
}

/** Every value in double precision, with some of the given ones replaced. */
export function evaluate(
  { values }: Graph,
  replaced: ReadonlyMap<number, NumberArray>,
): NumberArray[] {
  const found: NumberArray[] = [];
  values.forEach(({ value, operation }, k) => {
    found.push(
      operation
        ? operation.reference(operation.inputs.map((i) => found[i]))
        : replaced.get(k) ?? value,
    );
  });
  return found;
}
