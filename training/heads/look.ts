/**
 * Heads and pictures of them as the tables that the kernels read.
 *
 * @module
 */
import type { Gaze } from "./eyes.ts";
import { LABEL } from "./interface.ts";
import type { HeadRecipe } from "./latent.ts";

/** Numbers of a head: 12 times four. */
export const LOOK = 48;
/** Numbers of a picture. */
export const SHOT = 36;

/** What a head's vertices are painted with, besides what all heads share. */
export interface Paint {
  /** Mean colour of the skin that a beard may cover. */
  readonly skin: readonly number[];
  /** Number of brow styles. */
  readonly browStyles: number;
  /** Whether hair covers the scalp: what shows of it is darker then. */
  readonly covered: boolean;
  /** Where the eyes look. */
  readonly gaze: readonly Gaze[];
}

/** A head's row of the table `looks`. */
export function lookOf(recipe: HeadRecipe, paint: Paint): number[] {
  const { light, ambient, hair, tints, clothes, iris } = recipe;
  const half = [light[0], light[1], light[2] + 1];
  const length = Math.hypot(...half);
  const brow = Math.min(Math.floor(recipe.brow), paint.browStyles - 2);
  const [left, right] = paint.gaze;
  return [
    [...light, ambient],
    [...half.map((x) => x / length), (1.04 - ambient) * 1.22],
    [...tints[0], 0],
    [...tints[1], 0],
    [...hair, paint.covered ? 0.93 : 0.45],
    [...paint.skin, recipe.beard],
    [...clothes, brow],
    [...iris, recipe.brow - brow],
    [...left.centre, 0],
    [...left.axis, 0],
    [...right.centre, 0],
    [...right.axis, 0],
  ].flat();
}

/** Where a picture's head has its cards in the list of all triangles. */
export interface Cards {
  /** How much later than the triangles of the body they begin. */
  readonly skip: number;
  /** Their number. */
  readonly count: number;
  /** Index of their texture. */
  readonly layer: number;
}

/**
 * A picture's row of the table `shots`: camera, head, cards, backdrop, noise.
 *
 * @param head index of the head among those of the call
 */
export function shotOf(
  label: Float32Array,
  head: number,
  cards: Cards,
  { backdrop, slope, noise }: HeadRecipe,
): number[] {
  const row = [
    ...label,
    head,
    cards.skip,
    cards.count,
    cards.layer,
    ...backdrop,
    ...slope,
    noise,
    grain(label, backdrop),
  ];
  return [...row, ...new Array(SHOT - row.length).fill(0)];
}

/** A seed below 2^24 for the sensor's noise: another one for each camera and head. */
function grain(label: Float32Array, backdrop: readonly number[]): number {
  const words = new Uint32Array(
    Float32Array.from([...label.subarray(0, LABEL), ...backdrop]).buffer,
  );
  return words.reduce(
    (h, w) => Math.imul(h ^ w, 0x01000193) >>> 0,
    0x811c9dc5,
  ) >>>
    8;
}
