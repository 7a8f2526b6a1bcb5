/**
 * Conformance cases of `upfirdn2d`.
 *
 * @module
 */
import type { NonFinite, OperatorCase } from "./conformance.ts";
import {
  downsample2d,
  type FirFilter,
  upfirdn2d,
  type UpfirdnOptions,
  upsample2d,
} from "./upfirdn2d.ts";
import { upfirdn2dReference } from "./upfirdn2d.reference.ts";

const SMOOTH = [1, 3, 3, 1];
/** Not symmetric, so that a flip is seen. */
const SKEW = [1, 2, 3, 5];

/** The kernels of four taps multiply by zero where there are fewer. */
function promise(filter: FirFilter, { up, down }: UpfirdnOptions): NonFinite {
  const few = typeof filter[0] === "number" && filter.length < 4;
  return few || up === 2 && (down ?? 1) === 1 ? "spreads" : "exact";
}

function firCase(
  name: string,
  shape: number[],
  filter: FirFilter,
  options: UpfirdnOptions = {},
): OperatorCase {
  return {
    operator: "upfirdn2d",
    name,
    inputs: { x: { shape, nonFinite: promise(filter, options) } },
    run: (t) => upfirdn2d(t.x, filter, options),
    reference: (a) => upfirdn2dReference(a.x, filter, options),
    linear: ["x"],
  };
}

/** Cases of the operators in `upfirdn2d.ts`. */
export const upfirdn2dCases: OperatorCase[] = [
  firCase("one number", [1, 1, 1, 1], [2]),
  firCase("four taps", [2, 3, 7, 9], SKEW),
  firCase("four taps, padded", [2, 3, 8, 8], SKEW, { padding: [2, 1, 0, 3] }),
  firCase("four taps, cropped", [1, 2, 9, 11], SKEW, {
    padding: [-2, 1, 2, -1],
  }),
  firCase("four taps, flipped, gain", [1, 2, 6, 5], SKEW, {
    padding: [1, 1, 1, 1],
    flipFilter: true,
    gain: 4,
  }),
  firCase("three taps, not normalised", [1, 2, 6, 5], [1, 2, 4], {
    padding: [1, 1, 1, 1],
    normalize: false,
  }),
  firCase("down 2", [2, 3, 8, 10], SKEW, { down: 2, padding: [1, 1, 1, 1] }),
  firCase("down 2, odd", [2, 3, 9, 7], SKEW, {
    down: 2,
    padding: [2, 0, 1, 3],
  }),
  firCase("up 2", [2, 3, 7, 9], SKEW, {
    up: 2,
    padding: [2, 1, 2, 1],
    gain: 4,
  }),
  firCase("up 2, odd padding", [1, 3, 5, 4], SKEW, {
    up: 2,
    padding: [3, 1, 1, 2],
  }),
  firCase("up 2, cropped", [1, 3, 9, 8], SKEW, {
    up: 2,
    padding: [-1, 3, -2, -3],
  }),
  firCase("up 2, flipped, three taps", [1, 2, 4, 5], [1, 2, 4], {
    up: 2,
    padding: [1, 1, 2, 1],
    flipFilter: true,
  }),
  firCase("up 2 of one number", [1, 1, 1, 1], SMOOTH, {
    up: 2,
    padding: [2, 1, 2, 1],
  }),
  firCase("up 2, down 2", [2, 3, 7, 9], SKEW, {
    up: 2,
    down: 2,
    padding: [3, 2, 1, 0],
  }),
  firCase("batch of 3 of single pixels", [3, 1, 1, 1], SKEW, {
    padding: [2, 1, 1, 2],
  }),
  firCase("up 2 to an odd size, batch of 3", [3, 1, 5, 33], SKEW, {
    up: 2,
    padding: [2, 2, 1, 1],
  }),
  firCase("up 3, down 2", [2, 2, 7, 9], SKEW, {
    up: 3,
    down: 2,
    padding: [-1, 4, 2, -2],
  }),
  firCase("down 4, eight taps", [1, 2, 17, 19], [1, 2, 3, 5, 4, 2, 1, 1], {
    down: 4,
    padding: [3, 4, 4, 3],
  }),
  firCase("a plane of taps", [2, 2, 7, 6], [[1, 2, 0], [3, -1, 5]], {
    up: 2,
    padding: [2, 1, 1, 1],
  }),
  {
    operator: "upsample2d",
    name: "a picture",
    inputs: { x: { shape: [1, 3, 8, 8], nonFinite: "spreads" } },
    run: (t) => upsample2d(t.x),
    reference: (a) =>
      upfirdn2dReference(a.x, SMOOTH, {
        up: 2,
        padding: [2, 1, 2, 1],
        gain: 4,
      }),
    linear: ["x"],
  },
  {
    operator: "downsample2d",
    name: "a picture",
    inputs: { x: { shape: [1, 3, 8, 8] } },
    run: (t) => downsample2d(t.x),
    reference: (a) =>
      upfirdn2dReference(a.x, SMOOTH, { down: 2, padding: [1, 1, 1, 1] }),
    linear: ["x"],
  },
];
