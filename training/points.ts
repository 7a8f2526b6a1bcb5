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
  mean,
  relu,
  slice,
  softplus,
  subtract,
  type Tensor,
} from "../engine/mod.ts";
import type { Device } from "../engine/mod.ts";
import { samplePoints } from "../pipeline/generator/renderer/renderer.ts";
import type { Generator } from "../pipeline/generator/state.ts";
import type { Draw } from "./draw.ts";
import type { Loss } from "./losses.ts";
import type { Pixels } from "./rays.ts";
import { rayOf } from "./rays.ts";
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
  for (let k = 0; k < count; k++) {
    const seen = viewOf(shots, views[k]), at = pixels[k];
    const ray = rayOf(seen.label, shots.side, at);
    const surface = seen.distance[at];
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
  return {
    points: device.tensor(points, [1, 4 * count, 3]),
    colours: device.tensor(colours, [count, 3]),
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
  { points, colours }: PointTargets,
): Loss {
  const { sigma, rgb } = samplePoints(generator, planes, points);
  const count = colours.shape[0];
  const part = (x: Tensor, first: number, rows: number, width: number) =>
    slice(x, [0, first * count, 0], [1, rows * count, width]);
  const error = (first: number) =>
    mean(abs(subtract(affine(part(rgb, first, 1, 3), 2, -1), colours)));
  const colour = error(0), behind = error(1);
  const missing = mean(relu(affine(part(sigma, 0, 2, 1), -1 / SOLID, 1)));
  const fog = affine(part(sigma, 2, 2, 1), 1, -1);
  const floating = affine(mean(clamp(softplus(fog), 0, DENSE)), 0.1);
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
