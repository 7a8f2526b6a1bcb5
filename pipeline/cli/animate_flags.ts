/**
 * The flags of `animate`, and how they become its options.
 *
 * @module
 */
import { UsageError } from "../errors.ts";
import { type AnimateOptions, defaultAnimateOptions } from "../options.ts";
import type { FlagTable, FlagValues } from "./flags.ts";

/** The table that parsing, checking and `--help` follow from. */
export const ANIMATE_FLAGS = {
  source: {
    kind: "path",
    value: "FILE",
    group: "What to animate",
    help:
      "The portrait: a JPEG, PNG, WebP, TIFF or AVIF with a face. Default: the bundled " +
      "photograph of the astronaut Eileen Collins (NASA, public domain).",
  },
  face: {
    kind: "number",
    value: "N",
    min: 1,
    max: 100,
    whole: true,
    help:
      "Which face of a group picture, counted by size. Default: 1, the largest.",
  },
  driving: {
    kind: "path",
    value: "FILE|FOLDER",
    help:
      "The performance to follow: a folder of pictures, a GIF or WebP, a video (needs " +
      "ffmpeg), a single picture, or a motion.json of an earlier run. Default: bundled motion.",
  },
  avatar: {
    kind: "path",
    value: "FILE",
    help:
      "An avatar.safetensors of an earlier run, to render again with another performance " +
      "or orbit in seconds; takes the place of --source.",
  },
  out: {
    kind: "path",
    value: "FOLDER",
    group: "Results",
    help: "Where the results go; made when it is not there. Default: result.",
  },
  quality: {
    kind: "choice",
    choices: ["draft", "default", "paper"],
    help:
      "How much work to spend; paper has the published step counts. Default: default.",
  },
  resume: {
    kind: "switch",
    help: "Go on with the unfinished run in the --out folder.",
  },
  seed: {
    kind: "number",
    value: "N",
    min: 0,
    max: 2 ** 32 - 1,
    whole: true,
    help:
      "Seed of all random numbers; the same seed gives the same result. Default: 0.",
  },
  start: {
    kind: "number",
    value: "SECONDS",
    min: 0,
    max: 86_400,
    group: "Which part of the performance",
    help: "Where to begin. Default: 0.",
  },
  end: {
    kind: "number",
    value: "SECONDS",
    min: 0,
    max: 86_400,
    help: "Where to stop. Default: the end.",
  },
  fps: {
    kind: "number",
    value: "N",
    min: 1,
    max: 120,
    help:
      "Frames per second. Default: the performance's own, at most 12 (30 with --quality paper); 25 for a folder.",
  },
  frames: {
    kind: "number",
    value: "N",
    min: 1,
    max: 10_000,
    whole: true,
    help: "At most this many frames. Default: the quality decides.",
  },
  eyes: {
    kind: "choice",
    choices: ["follow", "keep"],
    group: "How it moves",
    help:
      "Let the eyelids follow the performance, or keep them as in the portrait. " +
      "Default: follow.",
  },
  expressionScale: {
    kind: "number",
    value: "X",
    min: 0,
    max: 3,
    help:
      "Scale of the expression: 0 keeps the portrait's, 1 is as tracked. Default: 1.",
  },
  pose: {
    kind: "choice",
    choices: ["driving", "source"],
    help:
      "Turn the head with the performance, or hold it as in the portrait. Default: driving.",
  },
  poseScale: {
    kind: "number",
    value: "X",
    min: 0,
    max: 3,
    help: "Scale of the head's turning. Default: 1.",
  },
  orbit: {
    kind: "number",
    value: "DEGREES",
    min: -60,
    max: 60,
    help:
      "Let the camera swing this far to both sides on top of the pose; a negative number " +
      "begins on the other side. Default: 0.",
  },
  smoothing: {
    kind: "toggle",
    help: "Smooth the tracked motion (one-euro filter). Default: on.",
  },
  generator: {
    kind: "path",
    value: "FILE",
    group: "For the curious",
    help:
      "Weights of another tri-plane generator (safetensors). Default: the bundled one.",
  },
  wSteps: {
    kind: "number",
    value: "N",
    min: 1,
    max: 100_000,
    whole: true,
    help: "Inversion steps of the first frame. Default: the quality decides.",
  },
  wNextSteps: {
    kind: "number",
    value: "N",
    min: 0,
    max: 100_000,
    whole: true,
    help:
      "Inversion steps of each further frame. Default: the quality decides.",
  },
  tuneSteps: {
    kind: "number",
    value: "N",
    min: 0,
    max: 100_000,
    whole: true,
    help: "Tuning steps of the generator. Default: the quality decides.",
  },
} as const satisfies FlagTable;

/**
 * Fills the options of a run from the flags given.
 *
 * @throws {UsageError} when two flags contradict each other
 */
export function animateOptions(
  values: FlagValues<typeof ANIMATE_FLAGS>,
): AnimateOptions {
  const { start = 0, end } = values;
  if (end !== undefined && end <= start) {
    throw new UsageError(
      `--end ${end} does not come after --start ${start}; give a later end.`,
    );
  }
  if (values.avatar !== undefined && values.source !== undefined) {
    throw new UsageError(
      "--avatar and --source exclude each other; an avatar holds its portrait.",
    );
  }
  if (values.avatar !== undefined && values.generator !== undefined) {
    throw new UsageError(
      "--avatar and --generator exclude each other; an avatar holds its generator.",
    );
  }
  const defaults = defaultAnimateOptions();
  return { ...defaults, ...values };
}
