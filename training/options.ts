/**
 * What a training can be asked for.
 *
 * @module
 */
import type { Precision } from "../pipeline/generator/superresolution.ts";
import type { Course } from "./checkpoint.ts";

/** Options of {@linkcode train}. */
export interface TrainOptions {
  /** Folder of the checkpoint, the log, previews and the result. */
  readonly out: string;
  /** Go on with the checkpoint in `out`. */
  readonly resume: boolean;
  /** Minutes of this sitting; of no account where there are steps. When absent, what was interrupted is finished. */
  readonly minutes?: number;
  /** Steps of the whole training. */
  readonly steps?: number;
  /** Pixels of a picture's side; what it begins with when absent. */
  readonly resolution?: number;
  /** Weights to begin with: a file, `none`, or the shipped ones when absent. */
  readonly from?: string;
  /** Latents that say more: all identity modes, glasses, coloured light, uneven backdrops, noise; of a training that begins only. */
  readonly variety: boolean;
  /** Seed of everything that is drawn at random. */
  readonly seed: number;
  /** Heads of which gradients are taken together. */
  readonly batch: number;
  /** How often that is done for one step. */
  readonly accumulate: number;
  /** Rays of each head. */
  readonly rays: number;
  /** Cameras that see each head. */
  readonly views: number;
  /** Factor on the learning rates. */
  readonly rate: number;
  /** Steps by points near the surface that come first. */
  readonly points: number;
  /** Arithmetic of the layers that have many pixels; parameters and their sums are single. */
  readonly precision: Precision;
  /** Seconds between two checkpoints. */
  readonly saveSeconds: number;
}

/** What an option is when nobody says otherwise. */
export function defaultTrainOptions(): Omit<TrainOptions, "out"> {
  return {
    resume: false,
    variety: false,
    seed: 0,
    batch: 1,
    accumulate: 1,
    rays: 1024,
    views: 2,
    rate: 1,
    points: 0,
    precision: "f32",
    saveSeconds: 180,
  };
}

/** What of the options may not change while a training lasts. */
export function courseOf(options: TrainOptions): Course {
  const { seed, batch, accumulate, rays, views, points, precision } = options;
  return { seed, batch, accumulate, rays, views, points, precision };
}

/** The same, and what a sitting that does not say otherwise goes on with. */
export function settingsOf(options: TrainOptions): Course {
  return { ...courseOf(options), rate: options.rate };
}
