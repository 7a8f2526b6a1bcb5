/**
 * Conformance cases of tri-plane sampling and of the fused decoder.
 *
 * @module
 */
import type { CaseInput, NumberArray, OperatorCase } from "./conformance.ts";
import { type DecoderWeights, decodeTriplane } from "./decode_triplane.ts";
import { reshape } from "./movement.ts";
import {
  type DecoderArrays,
  decodeTriplaneReference,
  sampleTriplaneReference,
} from "./triplane.reference.ts";
import {
  CORRECTED_AXES,
  sampleTriplane,
  type TriplaneOptions,
} from "./triplane.ts";

/**
 * Moves coordinates away from the borders between texels, where the slope
 * jumps and a difference quotient means nothing.
 */
function offBorders(texels: readonly number[], boxWarp: number) {
  return (points: Float32Array) => {
    const near = (v: number) =>
      texels.some((n) => {
        const place = (2 * v / boxWarp + 1) * n / 2 - 0.5;
        return Math.abs(place - Math.round(place)) < 1e-3;
      });
    for (let k = 0; k < points.length; k++) {
      while (near(points[k])) {
        points[k] += 0.003 * boxWarp / Math.max(...texels);
      }
    }
  };
}

function sampleCase(
  name: string,
  [batch, channels, height, width]: number[],
  count: number,
  options: TriplaneOptions,
  reach = 0.6,
): OperatorCase {
  return {
    operator: "sampleTriplane",
    name,
    inputs: {
      // texels beside a point count with weight 0
      planes: {
        shape: [batch, 3, channels, height, width],
        nonFinite: "spreads",
      },
      points: {
        shape: [batch, count, 3],
        scale: reach * options.boxWarp,
        nonFinite: "any",
        adjust: offBorders([height, width], options.boxWarp),
      },
    },
    run: (t) => sampleTriplane(t.planes, t.points, options),
    reference: (a) => sampleTriplaneReference(a.planes, a.points, options),
    linear: ["planes"],
    // single precision places a point to 1e-7 of the plane, times its slope
    tolerance: 2e-5,
  };
}

function decodeCase(
  name: string,
  sizes: {
    side?: number[];
    channels: number;
    hidden?: number;
    outputs: number;
    count: number;
  },
  axes?: TriplaneOptions["axes"],
): OperatorCase {
  const { side: [height, width] = [9, 7], channels, hidden = 64, outputs } =
    sizes;
  const options = { boxWarp: 1.3, axes };
  return {
    operator: "decodeTriplane",
    name,
    inputs: {
      planes: {
        shape: [1, 3, height, width, channels],
        nonFinite: "spreads",
      },
      points: {
        shape: [1, sizes.count, 3],
        scale: 0.8,
        nonFinite: "any",
        differentiable: false,
        adjust: offBorders([height, width], options.boxWarp),
      },
      w1: { shape: [hidden, channels], scale: 2 },
      b1: { shape: [hidden] },
      w2: { shape: [outputs, hidden], scale: 0.3 },
      b2: { shape: [outputs] },
    },
    run: ({ planes, points, ...weights }) =>
      decodeTriplane(
        planes,
        points,
        weights as unknown as DecoderWeights,
        options,
      ),
    reference: ({ planes, points, ...weights }) =>
      decodeTriplaneReference(
        planes,
        points,
        weights as Record<string, NumberArray> & DecoderArrays,
        options,
      ),
    tolerance: 2e-5,
  };
}

/** Cases of the operators in `triplane.ts` and `decode_triplane.ts`. */
export const triplaneCases: OperatorCase[] = [
  sampleCase("mean of the published planes", [1, 8, 6, 6], 37, { boxWarp: 1 }),
  sampleCase("one row per plane", [2, 4, 5, 8], 19, {
    boxWarp: 2,
    mean: false,
  }),
  sampleCase("corrected axes", [2, 16, 7, 5], 23, {
    boxWarp: 1.5,
    axes: CORRECTED_AXES,
  }),
  sampleCase("axes of one's own", [1, 8, 5, 6], 11, {
    boxWarp: 1,
    axes: [[0, 1], [0, 2], [2, 1]],
  }),
  sampleCase("corrected axes, one row per plane", [1, 12, 4, 4], 9, {
    boxWarp: 1,
    axes: CORRECTED_AXES,
    mean: false,
  }),
  sampleCase("channels that fill no vector", [2, 3, 5, 4], 11, { boxWarp: 1 }),
  sampleCase("points far outside", [1, 4, 5, 5], 41, { boxWarp: 1 }, 3),
  sampleCase("many points in parts", [1, 4, 16, 16], 9001, { boxWarp: 1 }),
  sampleCase("one texel", [1, 4, 1, 1], 5, { boxWarp: 1 }),
  decodeCase("one point", { channels: 4, hidden: 3, outputs: 1, count: 1 }),
  decodeCase("8 channels, density only, a wide plane", {
    side: [3, 256],
    channels: 8,
    outputs: 1,
    count: 33,
  }),
  decodeCase("16 channels, 33 outputs, corrected axes", {
    channels: 16,
    outputs: 33,
    count: 75,
  }, CORRECTED_AXES),
  decodeCase("32 channels, 33 outputs", {
    channels: 32,
    hidden: 61,
    outputs: 33,
    count: 64,
  }),
];

/** Points of a head that go through the decoder in one long list. */
function manyPointsCase(count: number, copies: number): OperatorCase {
  const c = decodeCase(`${copies} copies`, {
    channels: 4,
    hidden: 3,
    outputs: 1,
    count,
  });
  const inputs: Record<string, CaseInput> = {};
  for (const [name, input] of Object.entries(c.inputs)) {
    inputs[name] = name === "points"
      ? { ...input, shape: [count, 3] }
      : { ...input, shared: true, differentiable: name === "planes" };
  }
  return {
    ...c,
    inputs,
    copies,
    // millions of numbers of either sign in one sum
    gradientTolerance: 1e-2,
    run: (t) => c.run({ ...t, points: reshape(t.points, [1, -1, 3]) }),
    reference: (a) =>
      c.reference({
        ...a,
        points: { data: a.points.data, shape: [1, count, 3] },
      }),
  };
}

/** Cases of more than 65,535 workgroups; see `wide.cases.ts`. */
export const wideTriplaneCases: OperatorCase[] = [
  {
    ...sampleCase("4001 copies", [1, 4, 2, 3], 1049, { boxWarp: 1 }),
    copies: 4001,
  },
  manyPointsCase(1049, 4001),
];
