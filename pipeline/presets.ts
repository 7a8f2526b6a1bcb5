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
  /** Stage C. */
  projection: ProjectionSettings;
  /** Mouth inpainting. */
  inpainting: InpaintSettings;
  /** Stage D. */
  tuning: TuningSettings;
  /** Stage E: factor on the samples of a ray. */
  sampleFactor: number;
}

/**
 * The published learning rates belong to thousands of steps; with a hundred,
 * larger ones go further. See bench/NOTES.md for the trials.
 */
const BRISK: Omit<Preset, "projection" | "tuning"> = {
  inpainting: { margin: 5 / 512, feather: 3 / 512 },
  sampleFactor: 1,
};

const PRESETS: Record<Quality, Preset> = {
  draft: {
    ...BRISK,
    projection: {
      firstSteps: 24,
      nextSteps: 1,
      rate: 0.05,
      pixel: 2,
      surroundings: 1,
      prior: 2e-3,
    },
    tuning: { steps: 48, rate: 2e-3, pixel: 2 },
  },
  default: {
    ...BRISK,
    projection: {
      firstSteps: 60,
      nextSteps: 3,
      rate: 0.05,
      pixel: 2,
      surroundings: 1,
      prior: 2e-3,
    },
    tuning: { steps: 150, rate: 2e-3, pixel: 2 },
  },
  paper: {
    inpainting: PUBLISHED_INPAINTING,
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
