/**
 * What a conformance case should come to, worked out in double precision.
 *
 * @module
 */
import type { NumberArray, OperatorCase } from "./conformance.ts";
import { formula } from "./formula.ts";

type Arrays = Record<string, NumberArray>;

/** A direction in the space of one input, and the derivative along it. */
export interface Probe {
  /** Name of the input. */
  input: string;
  /** The direction. */
  direction: Float64Array;
  /** Derivative of <cotangent, result> along it. */
  derivative: number;
}

/** What does not depend on the device. */
export interface Expectation {
  /** Inputs by name. */
  values: Record<string, Float32Array<ArrayBuffer>>;
  /** Random weights of the result. */
  cotangent: Float32Array<ArrayBuffer>;
  /** The result. */
  wanted: NumberArray;
  /** Derivatives of <cotangent, result>. */
  probes: Probe[];
}

const expectations = new WeakMap<OperatorCase, Expectation>();

/** Step of central differences, in units of the input's scale. */
const STEP = 1e-6;
/** Above this many numbers a case gets one direction per input, and only finite ones. */
export const LARGE = 200_000;

/** The expectation of a case; worked out once. */
export function expectation(c: OperatorCase): Expectation {
  const known = expectations.get(c);
  if (known) return known;
  const label = `${c.operator}.${c.name}`, values = inputValues(c);
  const arrays: Arrays = {};
  for (const [name, { shape }] of Object.entries(c.inputs)) {
    arrays[name] = { data: Float64Array.from(values[name]), shape: [...shape] };
  }
  const wanted = c.reference(arrays);
  const cotangent = formula(`${label}.cotangent`, wanted.shape);
  const probes = differentiable(c).flatMap((name) =>
    directions(`${label}.${name}`, arrays[name].data.length).map(
      (direction) => ({
        input: name,
        direction,
        derivative: derivative(c, arrays, cotangent, name, direction),
      }),
    )
  );
  const made = { values, cotangent, wanted, probes };
  expectations.set(c, made);
  return made;
}

/** Numbers of a case's inputs, by formula. */
export function inputValues(
  c: OperatorCase,
): Record<string, Float32Array<ArrayBuffer>> {
  const values: Record<string, Float32Array<ArrayBuffer>> = {};
  for (const [name, input] of Object.entries(c.inputs)) {
    const { shape, scale, shift, dtype } = input;
    const data = formula(
      `${c.operator}.${c.name}.${name}`,
      shape,
      scale,
      shift,
    );
    input.adjust?.(data);
    if (dtype === "f16") data.set(new Float16Array(data));
    values[name] = data;
  }
  return values;
}

/** Names of the inputs whose gradient is checked. */
export function differentiable(c: OperatorCase): string[] {
  return Object.keys(c.inputs)
    .filter((name) => c.inputs[name].differentiable ?? true);
}

/** Dense directions find wrong factors, sparse ones single wrong numbers, the ends borders. */
function directions(label: string, length: number): Float64Array[] {
  const dense = (k: number) =>
    Float64Array.from(formula(`${label}.direction${k}`, [length]));
  if (length > LARGE) return [dense(0)];
  const sparse = [0, 1].map((k) => {
    const direction = new Float64Array(length);
    for (const place of formula(`${label}.sparse${k}`, [4], 0.5, 0.5)) {
      direction[Math.floor(place * length)] = place + 0.5;
    }
    return direction;
  });
  const ends = new Float64Array(length);
  ends[0] = 1;
  ends[length - 1] = -0.7;
  return [dense(0), dense(1), ...sparse, ends];
}

/** Derivative of <cotangent, reference> along a direction of one input. */
function derivative(
  c: OperatorCase,
  arrays: Arrays,
  cotangent: ArrayLike<number>,
  name: string,
  direction: Float64Array,
): number {
  const { data, shape } = arrays[name];
  const evaluate = (step: number) => {
    const moved = data.map((v, k) => v + step * direction[k]);
    return c.reference({ ...arrays, [name]: { data: moved, shape } }).data;
  };
  if (c.linear?.includes(name)) {
    const image = c.reference({
      ...arrays,
      [name]: { data: direction, shape },
    });
    return dot(image.data, cotangent);
  }
  const h = STEP * (c.inputs[name].scale ?? 1);
  const above = evaluate(h), below = evaluate(-h);
  // differences first: the two sums are large and nearly equal
  return dot(above.map((v, k) => v - below[k]), cotangent) / (2 * h);
}

/** Sum of products. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let k = 0; k < a.length; k++) total += a[k] * b[k];
  return total;
}
