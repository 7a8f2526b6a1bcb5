/**
 * Conformance cases of `interpolate`.
 *
 * @module
 */
import type { OperatorCase } from "./conformance.ts";
import { interpolate, type InterpolateOptions } from "./interpolate.ts";
import { interpolateReference } from "./interpolate.reference.ts";

function resizeCase(
  shape: number[],
  size: [number, number],
  options: InterpolateOptions = {},
): OperatorCase {
  const mode = options.antialias ? "antialias" : options.mode ?? "bilinear";
  return {
    operator: "interpolate",
    name: `${mode} [${shape}] to [${size}]`,
    // a pixel at the end of a triangle counts with weight 0
    inputs: { x: { shape, nonFinite: "spreads" } },
    run: (t) => interpolate(t.x, size, options),
    reference: (a) => interpolateReference(a.x, size, options),
    linear: ["x"],
  };
}

const MODES: InterpolateOptions[] = [
  {},
  { antialias: true },
  { mode: "asymmetric" },
  { mode: "area" },
  { mode: "nearest" },
];

/** Cases of the operator in `interpolate.ts`. */
export const interpolateCases: OperatorCase[] = [
  ...MODES.flatMap((options) => [
    resizeCase([1, 3, 13, 17], [8, 8], options),
    resizeCase([2, 2, 16, 16], [40, 24], options),
    resizeCase([3, 1, 9, 8], [9, 4], options),
    resizeCase([3, 4, 7, 6], [5, 9], options),
    resizeCase([1, 2, 1, 1], [3, 5], options),
    resizeCase([1, 2, 7, 5], [1, 1], options),
  ]),
  // so many taps that rows and columns are done one after the other
  resizeCase([1, 2, 96, 70], [7, 5], { antialias: true }),
  resizeCase([1, 2, 128, 128], [8, 8], { mode: "area" }),
];
