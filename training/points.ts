/**
 * The fast lesson in shape: where a surface is known, density and colour are
 * taught at four points of a ray instead of along all of it.
 *
 * @module
 */
import {
  abs,
  add,
  affine,
  clamp,
  multiply,
  relu,
  slice,
  softplus,
  subtract,
  sum,
  type Tensor,
} from "../engine/mod.ts";
import type { Device } from "../engine/mod.ts";
import { samplePoints } from "../pipeline/generator/renderer/renderer.ts";
import type { Generator } from "../pipeline/generator/state.ts";
import type { Draw } from "./draw.ts";
import type { Loss } from "./losses.ts";
import type { Pixels } from "./rays.ts";
import { rayOf, WHOLE } from "./rays.ts";
import { type Shots, viewOf } from "./shots.ts";

/** Distances of the points from the surface in world units: within it, behind it, before it. */
const WITHIN = 0.006, BEHIND = [0.004, 0.034], BEFORE = [0.01, 0.06];
/** Where rays begin to be looked at. */
const START = 2.35;
/** Density that stops light within a hundredth of a unit. */
const SOLID = 60;
/** Density before its activation beyond which empty points are not pushed further. */
const DENSE = 40;
/** Weights of colours behind the surface, and of densities. */
const COLOUR_BEHIND = 0.4, DENSITY = 0.3;

/** Colours and densities at points of one head's rays, surface points first. */
export interface PointTargets {
  /** (1, 4 R, 3): within, behind, before, anywhere in front. */
  readonly points: Tensor;
  /** (R, 3) in [-1, 1]. */
  readonly colours: Tensor;
  /** (1, R, 1): one over the number of rays of whole pixels, and 0 for a pixel that shows both head and backdrop. */
  readonly whole: Tensor;
}

/** Points on rays through pixels. */
export function pointTargets(
  device: Device,
  shots: Shots,
  { views, pixels }: Pixels,
  draw: Draw,
): PointTargets {
  const count = pixels.length, plane = shots.side ** 2;
  const points = new Float32Array(12 * count);
  const colours = new Float32Array(3 * count);
  const whole = new Float32Array(count);
  for (let k = 0; k < count; k++) {
    const seen = viewOf(shots, views[k]), at = pixels[k];
    const ray = rayOf(seen.label, shots.side, at);
    const surface = seen.distance[at], share = seen.opacity[at];
    whole[k] = share > WHOLE || share < 1 - WHOLE ? 1 : 0;
    const between = ([low, high]: readonly number[]) =>
      low + (high - low) * draw.uniform();
    const depths = [
      surface + between([0, WITHIN]),
      surface + between(BEHIND),
      surface - between(BEFORE),
      between([START, Math.max(START, surface - 0.02)]),
    ];
    depths.forEach((t, kind) => {
      for (let axis = 0; axis < 3; axis++) {
        points[3 * (kind * count + k) + axis] = ray[axis] + t * ray[3 + axis];
      }
    });
    for (let c = 0; c < 3; c++) {
      colours[3 * k + c] = seen.picture[c * plane + at];
    }
  }
  const kept = Math.max(1, whole.reduce((sum, v) => sum + v, 0));
  return {
    points: device.tensor(points, [1, 4 * count, 3]),
    colours: device.tensor(colours, [count, 3]),
    whole: device.tensor(whole.map((v) => v / kept), [1, count, 1]),
  };
}

/**
 * Colours within and behind the surface, density there, and none in front.
 *
 * @param planes (1, 3, C, H, W)
 */
export function pointLoss(
  generator: Generator,
  planes: Tensor,
  { points, colours, whole }: PointTargets,
): Loss {
  const { sigma, rgb } = samplePoints(generator, planes, points);
  const count = colours.shape[0];
  const kind = (x: Tensor, number: number, width: number) =>
    slice(x, [0, number * count, 0], [1, count, width]);
  const error = (number: number) => {
    const seen = affine(kind(rgb, number, 3), 2, -1);
    return affine(sum(multiply(abs(subtract(seen, colours)), whole)), 1 / 3);
  };
  const colour = error(0), behind = error(1);
  const both = (a: number, b: number, of: (sigma: Tensor) => Tensor) => {
    const found = add(of(kind(sigma, a, 1)), of(kind(sigma, b, 1)));
    return affine(sum(multiply(found, whole)), 1 / 2);
  };
  const missing = both(0, 1, (s) => relu(affine(s, -1 / SOLID, 1)));
  const fog = both(2, 3, (s) => clamp(softplus(affine(s, 1, -1)), 0, DENSE));
  const floating = affine(fog, 0.1);
  const density = add(missing, floating);
  return {
    total: [
      colour,
      affine(behind, COLOUR_BEHIND),
      affine(density, DENSITY),
    ].reduce(add),
    terms: { colour, missing, floating },
  };
}
