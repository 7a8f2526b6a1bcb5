/**
 * Learning-rate schedule of both optimisations (method, sections 4.4 and 5.4).
 *
 * @module
 */

/**
 * Linear rise over the first 5 %, cosine fall over the last 25 %.
 *
 * @param t share of the steps that are done, in [0, 1]
 * @returns factor on the peak rate
 */
export function rateRamp(t: number): number {
  const fall = 0.5 - 0.5 * Math.cos(Math.PI * Math.min(1, (1 - t) / 0.25));
  return fall * Math.min(1, t / 0.05);
}

/**
 * The ramp at the middle of step `k` of `steps`, so that short runs, too,
 * start above zero.
 */
export function stepRate(k: number, steps: number): number {
  return rateRamp((k + 0.5) / steps);
}

/** Scale of the exploration noise on w, relative to the spread of w (section 4.4). */
export function explorationNoise(t: number): number {
  return 0.05 * Math.max(0, 1 - t / 0.75) ** 2;
}
