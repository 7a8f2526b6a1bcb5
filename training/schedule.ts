/**
 * How fast a training learns: warm-up, a plateau of any length, and a cooling
 * down to nothing once the end is in sight. The plateau needs no plan of the
 * whole, so that a run may be given more minutes whenever it stops.
 *
 * @module
 */
import { PantomimeError } from "../pipeline/errors.ts";

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

/** How long a sitting was asked to last. */
export interface Horizon {
  /** Steps of the whole training. */
  readonly steps?: number;
  /** Minutes of the sitting. */
  readonly minutes?: number;
}

/**
 * The leg that a sitting goes on with. Steps say where it ends; minutes ask for
 * a plateau and a cooling of their own; without either the leg that was
 * interrupted is finished, or a new one begun where there is none.
 *
 * @throws {PantomimeError} when there are as many steps already
 */
export function nextLeg(
  before: Leg,
  step: number,
  { steps, minutes }: Horizon,
): Leg {
  const ended = step >= endOfLeg(before);
  if (steps !== undefined) {
    if (steps <= step) {
      throw new PantomimeError(
        `This training has ${step} steps already, and --steps counts all of them; give more, or --minutes.`,
      );
    }
    const first = ended ? step : before.first;
    const from = first + Math.floor((steps - first) * (1 - COOLING));
    return { first, cooling: { from, to: steps } };
  }
  if (!ended && minutes === undefined) return before;
  const cooled = before.cooling !== null && step > before.cooling.from;
  return { first: cooled ? step : before.first, cooling: null };
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
