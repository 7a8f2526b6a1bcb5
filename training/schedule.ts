/**
 * How fast a training learns: warm-up, a plateau of any length, and a cooling
 * down to nothing once the end is in sight. The plateau needs no plan of the
 * whole, so that a run may be given more minutes whenever it stops.
 *
 * @module
 */

/** Where a training stands between its warm-up and its end. */
export interface Leg {
  /** Step at which it begins to warm up. */
  readonly first: number;
  /** From which step to which it cools; null as long as the end is not in sight. */
  readonly cooling: { readonly from: number; readonly to: number } | null;
}

/** Steps of the warm-up. */
const WARM_UP = 200;
/** Share of a leg that is left for cooling. */
export const COOLING = 0.3;

/** The step at which a leg ends; infinity as long as nobody knows. */
export function endOfLeg({ cooling }: Leg): number {
  return cooling?.to ?? Infinity;
}

/** The factor on the learning rates in a step, over 0 to 1. */
export function rateFactor(step: number, { first, cooling }: Leg): number {
  const warm = Math.min(1, (step - first + 1) / WARM_UP);
  if (!cooling || step < cooling.from) return warm;
  return warm * Math.max(0, (cooling.to - step) / (cooling.to - cooling.from));
}

/**
 * The leg that a sitting goes on with: the one that was interrupted, or a new
 * one where that had come to its end.
 *
 * @param steps of the whole training, where they are known
 */
export function nextLeg(before: Leg, step: number, steps?: number): Leg {
  const ended = step >= endOfLeg(before);
  const first = ended ? step : before.first;
  if (steps === undefined) return ended ? { first, cooling: null } : before;
  const from = first + Math.floor((steps - first) * (1 - COOLING));
  return { first, cooling: { from, to: steps } };
}

/** More heads in a step allow larger ones: as their square root, up to the published rate. */
export function batchFactor(heads: number): number {
  return Math.min(MOST, Math.sqrt(heads));
}

/** The published rate over that for a single head. */
const MOST = 8;

/** Half-life of the average of weights, in steps: EG3D's 10,000 pictures at 32 a step come to 312. */
const HALF_LIFE = 500;
/** The average looks back over this share of the steps at most, StyleGAN2's: it is not to remember what came before the cooling. */
const RAMP_UP = 0.05;

/** How much of the average of weights stays, `steps` steps after it was last brought up to date. */
export function averageDecay(step: number, steps: number): number {
  return 0.5 ** (steps / Math.max(1, Math.min(HALF_LIFE, RAMP_UP * step)));
}
