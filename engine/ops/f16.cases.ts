/**
 * Conformance cases of f16 storage: those of f32 on inputs rounded to f16, held
 * to float64 on the same numbers. Only results and gradients are rounded, as
 * sums are f32.
 *
 * @module
 */
import { modulatedConv2dCases } from "../nn/modulated_conv2d.cases.ts";
import { biasActCases } from "./bias_act.cases.ts";
import { cast } from "./cast.ts";
import type { CaseInput, OperatorCase } from "./conformance.ts";
import { conv2dCases } from "./conv2d.cases.ts";
import { elementwiseCases } from "./elementwise.cases.ts";
import { movementCases } from "./movement.cases.ts";
import { countNonFinite } from "./reduce.ts";
import { map } from "./reference.ts";
import { upfirdn2dCases } from "./upfirdn2d.cases.ts";

/** A unit in the last of 11 bits is 1e-3 of a number; some devices round towards 0. */
const TOLERANCE = 2e-3;

/** The case with some inputs, or all of them, stored as f16. */
function half(
  c: OperatorCase,
  names: readonly string[] = Object.keys(c.inputs),
  tolerance = TOLERANCE,
): OperatorCase {
  const inputs: Record<string, CaseInput> = {};
  for (const [name, input] of Object.entries(c.inputs)) {
    const dtype = names.includes(name) ? "f16" : "f32";
    inputs[name] = { ...input, dtype };
  }
  return { ...c, name: `f16: ${c.name}`, inputs, tolerance };
}

const castCases: OperatorCase[] = [
  {
    operator: "cast",
    name: "f32 to f16",
    inputs: { x: { shape: [3, 7, 5], scale: 300, differentiable: false } },
    run: (t) => cast(t.x, "f16"),
    reference: (a) => map(a.x, Math.f16round),
    tolerance: TOLERANCE,
  },
  {
    operator: "cast",
    name: "f16 to f32",
    inputs: { x: { shape: [2, 33], dtype: "f16" } },
    run: (t) => cast(t.x, "f32"),
    reference: (a) => a.x,
    tolerance: 0,
    gradientTolerance: TOLERANCE,
  },
  {
    operator: "cast",
    name: "there and back, with its gradient",
    inputs: { x: { shape: [2, 5, 17] } },
    run: (t) => cast(cast(t.x, "f16"), "f32"),
    reference: (a) => a.x,
    linear: ["x"],
    tolerance: TOLERANCE,
  },
];

/** NaN at one place, infinities at others. */
function damage(x: Float32Array): void {
  x[3] = NaN;
  x[x.length - 1] = Infinity;
  x[x.length >> 1] = -Infinity;
}

function countCase(
  name: string,
  shape: number[],
  input: Partial<CaseInput>,
  run: OperatorCase["run"],
): OperatorCase {
  return {
    operator: "countNonFinite",
    name,
    inputs: { x: { shape, differentiable: false, ...input } },
    run,
    reference: ({ x }) => ({
      data: Float64Array.of(x.data.filter((v) => !Number.isFinite(v)).length),
      shape: [],
    }),
    tolerance: 0,
  };
}

const countCases: OperatorCase[] = [
  countCase("none", [5, 7], {}, (t) => countNonFinite(t.x)),
  countCase(
    "NaN and infinities",
    [3, 1700, 5],
    { adjust: damage },
    (t) => countNonFinite(t.x),
  ),
  countCase("f16, NaN and infinities", [1, 301, 21], {
    adjust: damage,
    dtype: "f16",
  }, (t) => countNonFinite(t.x)),
  // what lies behind the last of an odd number of f16 is nobody's
  countCase(
    "f16, an odd number of them",
    [3, 5],
    {},
    (t) => countNonFinite(cast(t.x, "f16")),
  ),
];

/** Cases of every kernel that takes f16. */
export const f16Cases: OperatorCase[] = [
  ...castCases,
  ...countCases,
  ...elementwiseCases.map((c) => half(c)),
  ...movementCases.map((c) => half(c)),
  ...upfirdn2dCases.map((c) => half(c)),
  // sums of f16 numbers can be 0 exactly, where the slope of lrelu jumps: noise stays f32
  ...biasActCases.map((c, k) => half(c, k % 2 === 0 ? ["x"] : ["x", "b"])),
  // every other one, for time
  ...conv2dCases.filter((_, k) => k % 2 === 0)
    .map((c, k) => half(c, k % 2 === 0 ? ["x"] : undefined)),
  ...modulatedConv2dCases.map((c) => half(c, ["x"], 2 * TOLERANCE)),
];
