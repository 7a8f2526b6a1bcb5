/**
 * What the qualities stand for: step counts, rates and sizes.
 *
 * @module
 */
import {
  type InpaintSettings,
  PUBLISHED_INPAINTING,
} from "./inversion/inpaint.ts";
import type { ProjectionSettings } from "./inversion/project.ts";
import type { TuningSettings } from "./inversion/tune.ts";
import type { AnimateOptions, Quality } from "./options.ts";

/** Settings of every stage. */
export interface Preset {
  /** Frames at most, unless the options say otherwise. */
  frames: number;
  /** Frames per second at most, unless the options say otherwise. */
  fps: number;
  /** Stage C. */
  projection: ProjectionSettings;
  /** Mouth inpainting. */
  inpainting: InpaintSettings;
  /** Stage D. */
  tuning: TuningSettings;
  /**
   * How far frames are set apart in w before stage C, relative to what the mannequin's expressions
   * say; frames far apart are easier to tell from each other in stage D. 0 starts each frame where
   * the one before ended, as published.
   */
  shiftScale: number;
  /** Stage E: factor on the samples of a ray. */
  sampleFactor: number;
}

/**
 * The published learning rates belong to thousands of steps; with a hundred,
 * larger ones go further. See bench/NOTES.md for the trials.
 */
const BRISK: Omit<Preset, "projection" | "tuning" | "frames"> = {
  fps: 12,
  inpainting: { margin: 5 / 512, feather: 3 / 512, cavity: 0.7 },
  shiftScale: 1,
  sampleFactor: 1,
};

/** Weights of the losses that short runs add to the published ones. */
const PROJECTION = {
  rate: 0.05,
  relative: true,
  pixel: 2,
  surroundings: 1,
  prior: 2e-3,
};
const TUNING = { rate: 3.5e-3, pixel: 10, face: 2, motion: 4 };

const PRESETS: Record<Quality, Preset> = {
  draft: {
    ...BRISK,
    frames: 28,
    projection: { ...PROJECTION, firstSteps: 24, nextSteps: 1 },
    tuning: { ...TUNING, steps: 60 },
  },
  default: {
    ...BRISK,
    frames: 48,
    projection: { ...PROJECTION, firstSteps: 50, nextSteps: 1 },
    tuning: { ...TUNING, steps: 240 },
  },
  paper: {
    frames: 100,
    fps: 30,
    inpainting: PUBLISHED_INPAINTING,
    shiftScale: 0,
    sampleFactor: 4,
    projection: { firstSteps: 2000, nextSteps: 100, rate: 0.025 },
    tuning: { steps: 2000, rate: 1e-3 },
  },
};

/** The preset of a quality with the step counts that the options ask for. */
export function presetOf(options: AnimateOptions): Preset {
  const preset = PRESETS[options.quality];
  const { wSteps, wNextSteps, tuneSteps, seed } = options;
  return {
    ...preset,
    projection: {
      ...preset.projection,
      firstSteps: wSteps ?? preset.projection.firstSteps,
      nextSteps: wNextSteps ?? preset.projection.nextSteps,
      seed,
    },
    tuning: { ...preset.tuning, steps: tuneSteps ?? preset.tuning.steps, seed },
  };
}
