/**
 * What `animate` can be asked for. The command line fills it from its flags; a program that embeds
 * Pantomime starts from {@linkcode defaultAnimateOptions}.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import type { PrecisionWish } from "./generator/painter.ts";
import type { Expression } from "./reenactment/expression_control.ts";
import type { DecaOptions } from "./transfer/deca/stage.ts";

/** How much work a run spends: `paper` has the published step counts. */
export type Quality = "draft" | "default" | "paper";

/** Options of one animation. Paths are absolute or relative to the current folder. */
export interface AnimateOptions {
  /**
   * The portrait. Not looked at when `avatar` is given; with `preprocessed` the square crop that the
   * frames were made from, or, left as it was, none: the first frame then stands for it.
   */
  source: string;
  /**
   * The performance: folder of pictures, GIF, WebP, video, single picture or motion file. When left
   * out, the head keeps `expression` for `frames` frames, or for one.
   */
  driving?: string;
  /** Folder for the results. */
  out: string;
  /** Step counts and sizes. */
  quality: Quality;
  /** Which face of the portrait, 1 being the largest; the largest when left out. */
  face?: number;
  /** At most this many frames. */
  frames?: number;
  /** Frames per second; the performance's own when left out. */
  fps?: number;
  /** Where the performance begins, in seconds. */
  start?: number;
  /** Where the performance ends, in seconds. */
  end?: number;
  /** Whether eyelids follow the performance or stay as they are in the portrait. */
  eyes: "follow" | "keep";
  /**
   * Whether the motion is smoothed (one-euro filter); when left out, it is, unless it comes from a
   * motion file, which was smoothed before it was written.
   */
  smoothing?: boolean;
  /** Scale of the performance's expression, 1 as tracked. */
  expressionScale: number;
  /** Added to the expression of every frame. */
  expression?: Expression;
  /** Stage B as published, with DECA and FLAME, in the place of FaceMesh's. */
  deca?: DecaOptions;
  /** Whether the head turns with the performance or stays as in the portrait. */
  pose: "driving" | "source";
  /** Scale of the head's turning, 1 as tracked. */
  poseScale: number;
  /** Amplitude of an orbit of the camera on top of the pose, in degrees; 0 is none. */
  orbit: number;
  /** An `avatar.safetensors` to render again, without inverting. */
  avatar?: string;
  /**
   * Folder of the published preprocessing, in the place of `driving` and of stages A and B; scales and
   * eyes were settled there.
   */
  preprocessed?: string;
  /** Camera of the preprocessed portrait: cameras.json or `.npy`; frontal when left out. */
  sourcePose?: string;
  /** Cameras of the preprocessed frames: cameras.json or `.npy`; the portrait's when left out. */
  targetPose?: string;
  /** Weights of another generator: an EG3D checkpoint, a tuned model, safetensors. */
  generator?: string;
  /** Arithmetic of the superresolution module when frames are rendered. */
  precision: PrecisionWish;
  /** Goes on with the unfinished run in `out`. */
  resume: boolean;
  /** Seed of every random number, an unsigned 32-bit integer. */
  seed: number;
  /** Inversion steps of the first frame; the quality decides when left out. */
  wSteps?: number;
  /** Inversion steps of each further frame; the quality decides when left out. */
  wNextSteps?: number;
  /** Tuning steps; the quality decides when left out. */
  tuneSteps?: number;
}

/** The portrait that comes with Pantomime (NASA, public domain). */
export const BUNDLED_SOURCE: string = asset("astronaut.png");

/** The motion that comes with Pantomime. */
export const BUNDLED_DRIVING: string = asset("motion.json");

/** What an option is when nobody says otherwise. */
export function defaultAnimateOptions(): AnimateOptions {
  return {
    source: BUNDLED_SOURCE,
    driving: BUNDLED_DRIVING,
    out: "result",
    quality: "default",
    eyes: "follow",
    expressionScale: 1,
    pose: "driving",
    poseScale: 1,
    orbit: 0,
    precision: "auto",
    resume: false,
    seed: 0,
  };
}

function asset(name: string): string {
  return fromFileUrl(new URL(`./assets/${name}`, import.meta.url));
}
