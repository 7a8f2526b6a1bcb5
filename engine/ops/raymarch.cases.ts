/**
 * Conformance cases of rays, depths and the ray marcher.
 *
 * @module
 */
import type { CaseInput, OperatorCase } from "./conformance.ts";
import {
  boxLimitsReference,
  cameraRaysReference,
  expectedDepthReference,
  importanceDepthsReference,
  pointsOnRaysReference,
  rayMarchReference,
  stratifiedDepthsReference,
} from "./raymarch.reference.ts";
import {
  boxLimits,
  cameraRays,
  expectedDepth,
  importanceDepths,
  type MarchOptions,
  pointsOnRays,
  rayMarch,
  stratifiedDepths,
  type StratifiedOptions,
} from "./raymarch.ts";

/** Puts the numbers of each run of `length` in ascending order. */
function ascending(length: number): (data: Float32Array) => void {
  return (data) => {
    for (let k = 0; k < data.length; k += length) {
      data.subarray(k, k + length).sort();
    }
  };
}

/** Cameras near a frontal one, with positive focal lengths. */
function cameras(labels: Float32Array): void {
  const frontal = [
    ...[1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, 2.7, 0, 0, 0, 1],
    ...[4.2647, 0, 0.5, 0, 4.2647, 0.5, 0, 0, 1],
  ];
  const fixed = [12, 13, 14, 15, 19, 22, 23, 24];
  labels.forEach((v, k) => {
    const place = k % 25;
    labels[k] = frontal[place] + (fixed.includes(place) ? 0 : v);
  });
}

function raysCase(
  name: string,
  batch: number,
  resolution: number,
): OperatorCase {
  return {
    operator: "cameraRays",
    name,
    inputs: {
      labels: {
        shape: [batch, 25],
        scale: 0.3,
        nonFinite: "any",
        differentiable: false,
        adjust: cameras,
      },
    },
    run: (t) => cameraRays(t.labels, resolution),
    reference: (a) => cameraRaysReference(a.labels, resolution),
  };
}

function pointsCase(name: string, rays: number, samples: number): OperatorCase {
  return {
    operator: "pointsOnRays",
    name,
    inputs: {
      rays: { shape: [rays, 6], differentiable: false },
      t: { shape: [rays, samples], shift: 2, differentiable: false },
    },
    run: (t) => pointsOnRays(t.rays, t.t),
    reference: (a) => pointsOnRaysReference(a.rays, a.t),
  };
}

function stratifiedCase(
  name: string,
  rays: number,
  samples: number,
  options: StratifiedOptions = {},
): OperatorCase {
  return {
    operator: "stratifiedDepths",
    name,
    inputs: {
      limits: {
        shape: [rays, 2],
        shift: 3,
        differentiable: false,
        adjust: ascending(2),
      },
      jitter: {
        shape: [rays, samples],
        scale: 0.5,
        shift: 0.5,
        differentiable: false,
      },
    },
    run: (t) => stratifiedDepths(t.limits, t.jitter, options),
    reference: (a) => stratifiedDepthsReference(a.limits, a.jitter, options),
  };
}

/** Rays from near (0, 0, distance) towards the origin, by up to `spread` aside. */
function boxCase(
  name: string,
  rays: number,
  [distance, spread]: [number, number],
): OperatorCase {
  return {
    operator: "boxLimits",
    name,
    inputs: {
      rays: {
        shape: [rays, 6],
        differentiable: false,
        nonFinite: "any",
        adjust: (data) => {
          for (let k = 0; k < data.length; k += 6) {
            data[k + 2] += distance;
            const way = [data[k + 3], data[k + 4]].map((v) => v * spread);
            data.set([...way, -1].map((v) => v / Math.hypot(...way, 1)), k + 3);
          }
        },
      },
    },
    run: (t) => boxLimits(t.rays, 1.5),
    reference: (a) => boxLimitsReference(a.rays, 1.5),
  };
}

function depthCase(
  name: string,
  shape: number[],
  opacity: Pick<CaseInput, "shift" | "adjust" | "differentiable">,
): OperatorCase {
  return {
    operator: "expectedDepth",
    name,
    inputs: {
      // depths are clamped, and 0 / 0 is the farthest
      weighted: { shape, scale: 0.4, shift: 1.2, nonFinite: "any" },
      opacity: { shape, scale: 0.2, nonFinite: "any", ...opacity },
      limits: {
        shape: [2],
        shared: true,
        differentiable: false,
        nonFinite: "any",
        adjust: (data) => data.set([2, 3]),
      },
    },
    run: (t) => expectedDepth(t.weighted, t.opacity, t.limits),
    reference: (a) => expectedDepthReference(a.weighted, a.opacity, a.limits),
  };
}

function importanceCase(
  name: string,
  [rays, coarse, fine, columns]: number[],
  densities: { scale: number; shift?: number },
): OperatorCase {
  return {
    operator: "importanceDepths",
    name,
    inputs: {
      // sorting has no place for what is no number
      t: {
        shape: [rays, coarse],
        shift: 3,
        differentiable: false,
        nonFinite: "any",
        adjust: ascending(coarse),
      },
      sigma: {
        shape: [rays, coarse, columns],
        ...densities,
        differentiable: false,
        nonFinite: "any",
      },
      u: {
        shape: [rays, fine],
        scale: 0.5,
        shift: 0.5,
        differentiable: false,
        nonFinite: "any",
      },
    },
    run: (t) => importanceDepths(t.t, t.sigma, t.u),
    reference: (a) => importanceDepthsReference(a.t, a.sigma, a.u),
  };
}

function marchCase(
  name: string,
  [rays, samples, colours]: number[],
  options: MarchOptions = {},
  density: { scale: number; shift?: number } = { scale: 4 },
  gradientTolerance?: number,
): OperatorCase {
  const width = colours + 1;
  return {
    operator: "rayMarch",
    name,
    inputs: {
      raw: {
        shape: [rays, samples, width],
        scale: 2,
        adjust: (raw) => {
          for (let k = 0; k < raw.length; k += width) {
            raw[k] = raw[k] / 2 * density.scale + (density.shift ?? 0);
          }
        },
      },
      t: {
        shape: [rays, samples],
        shift: 3,
        differentiable: false,
        nonFinite: "spreads",
        adjust: ascending(samples),
      },
    },
    run: (t) => rayMarch(t.raw, t.t, options),
    reference: (a) => rayMarchReference(a.raw, a.t, options),
    gradientTolerance,
  };
}

/** Cases of the operators in `raymarch.ts`. */
export const raymarchCases: OperatorCase[] = [
  raysCase("one pixel", 1, 1),
  raysCase("three cameras", 3, 5),
  pointsCase("a few", 5, 7),
  pointsCase("one", 1, 1),
  stratifiedCase("a few", 5, 7),
  stratifiedCase("two slices", 3, 2),
  stratifiedCase("evenly in disparity", 5, 7, { disparity: true }),
  boxCase("some miss", 70, [4, 1]),
  boxCase("all hit", 5, [4, 0.01]),
  boxCase("none hits", 3, [-4, 0.01]),
  depthCase("some clamped", [2, 1, 5, 7], { shift: 0.5 }),
  depthCase("nothing seen", [9], {
    shift: 0.5,
    differentiable: false,
    adjust: (data) => data.fill(0, 0, 4),
  }),
  importanceCase("a few", [5, 8, 6, 1], { scale: 4 }),
  importanceCase("densities in the first of many columns", [3, 24, 24, 33], {
    scale: 4,
  }),
  importanceCase("more fine than coarse", [2, 5, 17, 1], { scale: 4 }),
  importanceCase("empty rays", [3, 12, 12, 1], { scale: 1, shift: -40 }),
  importanceCase("walls", [70, 12, 12, 1], { scale: 300 }),
  marchCase("one interval", [3, 2, 1]),
  marchCase("a few", [5, 7, 3]),
  marchCase("32 colours", [4, 48, 32]),
  marchCase("raw colours", [5, 9, 4], { sigmoid: false }),
  marchCase("white behind", [5, 9, 3], { whiteBack: true }),
  marchCase("raw colours, white behind", [3, 4, 1], {
    sigmoid: false,
    whiteBack: true,
  }),
  marchCase("no colours", [5, 6, 0]),
  // 1 - exp(-x) of a small x loses digits in single precision, as published
  marchCase("almost empty", [3, 9, 3], {}, { scale: 1, shift: -6 }, 1e-3),
  marchCase("walls", [7, 12, 3], {}, { scale: 200 }),
];

/** Cases of more than 65,535 workgroups; see `wide.cases.ts`. */
export const wideRaymarchCases: OperatorCase[] = [
  { ...raysCase("3900 copies of a picture", 1, 33), copies: 3900 },
  { ...pointsCase("501 copies", 1049, 8), copies: 501 },
  { ...stratifiedCase("2000 copies", 1049, 2), copies: 2000 },
  { ...boxCase("4001 copies", 1049, [4, 0.01]), copies: 4001 },
  { ...depthCase("4001 copies", [1049], { shift: 0.5 }), copies: 4001 },
  {
    ...importanceCase("4001 copies", [1049, 4, 1, 1], { scale: 4 }),
    copies: 4001,
  },
  { ...marchCase("4001 copies", [1049, 2, 0]), copies: 4001 },
];
