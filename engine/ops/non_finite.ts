/**
 * What operators do with NaN and infinity. One number of one input at a time is
 * replaced by NaN, by infinity and by minus infinity; the reference says what
 * each number of the result should then be. Results are told apart by their
 * bits, as they were read back: a NaN test on the device may be optimised away.
 *
 * @module
 */
import type { Device } from "../device.ts";
import type { Tensor } from "../tensor.ts";
import type { NumberArray, OperatorCase } from "./conformance.ts";
import { expectation, LARGE } from "./expectation.ts";
import { formula } from "./formula.ts";

/**
 * How an operator's result has to agree with its reference where an input is
 * not finite:
 *
 * - `exact`: NaN exactly where the reference has NaN, infinities of the same
 *   sign exactly where it has them, and every other number within tolerance;
 * - `spreads`: never finite where the reference is not, but NaN may stand for
 *   infinity, and a few numbers beside those may not be finite either (a fast
 *   algorithm multiplies by zero, or adds and subtracts, what the definition
 *   leaves out);
 * - `any`: nothing, as for positions that only say what is read.
 */
export type NonFinite = "exact" | "spreads" | "any";

/** The numbers that are put in. */
const PLANTS = [NaN, Infinity, -Infinity] as const;

interface Trial {
  /** Which number was put where. */
  what: string;
  promise: NonFinite;
  result: Tensor;
  wanted: NumberArray;
}

/**
 * Failures of a case, in words; empty when it does as its reference does.
 *
 * @param leaves the inputs without what is put in
 * @param tolerance error of the numbers that stay finite, relative to the largest
 */
export async function nonFiniteFailures(
  device: Device,
  c: OperatorCase,
  leaves: Readonly<Record<string, Tensor>>,
  tolerance: number,
): Promise<string[]> {
  if (c.copies || expectation(c).wanted.data.length > LARGE) return [];
  const trials = device.withoutTape(() => plant(device, c, leaves));
  const data = await device.read(...trials.map((t) => t.result));
  return trials.flatMap(({ what, wanted, promise }, k) => {
    const wrong = compare(data[k], wanted.data, promise, tolerance);
    return wrong ? [`with ${what} ${wrong}`] : [];
  });
}

function plant(
  device: Device,
  c: OperatorCase,
  leaves: Readonly<Record<string, Tensor>>,
): Trial[] {
  const { values } = expectation(c);
  const arrays: Record<string, NumberArray> = {};
  for (const [name, { shape }] of Object.entries(c.inputs)) {
    arrays[name] = { data: Float64Array.from(values[name]), shape: [...shape] };
  }
  return Object.entries(c.inputs).flatMap(([name, input]) => {
    const { shape, nonFinite: promise = "exact" } = input;
    if (promise === "any") return [];
    const places = formula(`${c.operator}.${c.name}.${name}.plant`, [3], 0.5);
    return PLANTS.map((number, k): Trial => {
      const data = values[name].slice();
      const at = Math.floor((places[k] + 0.5) * data.length);
      data[at] = number;
      const planted = device.tensor(data, shape, input.dtype);
      return {
        what: `${number} as number ${at} of ${name}`,
        promise,
        result: c.run({ ...leaves, [name]: planted }),
        wanted: c.reference({
          ...arrays,
          [name]: { data: Float64Array.from(data), shape: [...shape] },
        }),
      };
    });
  });
}

/** How many numbers `spreads` may take besides, per number that is not finite and in all. */
const SPREAD = { times: 4, more: 16 };

/** What is wrong with a result, or null. */
function compare(
  got: Float32Array,
  wanted: Float64Array,
  promise: NonFinite,
  tolerance: number,
): string | null {
  // what overflows single precision is infinite there
  const single = Float32Array.from(wanted);
  const finite = single.filter((v) => Number.isFinite(v));
  const limit = tolerance *
    (finite.reduce((most, v) => Math.max(most, Math.abs(v)), 0) || 1);
  const wrong = [...single.keys()]
    .filter((k) => !agrees(got[k], single[k], limit));
  const excused = promise === "spreads"
    ? wrong.filter((k) => mayStand(got[k], single[k]))
    : [];
  const most = SPREAD.more + SPREAD.times * (single.length - finite.length);
  if (excused.length === wrong.length && wrong.length <= most) return null;
  const first = wrong.find((k) => !excused.includes(k)) ?? wrong[0];
  return `${wrong.length} of ${wanted.length} numbers are wrong, number ${first} is ${
    got[first]
  } instead of ${single[first]}`;
}

function agrees(got: number, wanted: number, limit: number): boolean {
  return Number.isFinite(wanted)
    ? Math.abs(got - wanted) <= limit
    : Object.is(got, wanted);
}

/** Whether `spreads` allows a number that is not the one wanted. */
function mayStand(got: number, wanted: number): boolean {
  return Number.isNaN(got) ||
    Number.isFinite(wanted) && !Number.isFinite(got);
}
