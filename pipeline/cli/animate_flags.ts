/**
 * The flags of `animate`, and how they become its options.
 *
 * @module
 */
import { UsageError } from "../errors.ts";
import { type AnimateOptions, defaultAnimateOptions } from "../options.ts";
import {
  EXPRESSION_NAMES,
  LID_EXPRESSIONS,
  parseExpression,
} from "../reenactment/expression_control.ts";
import { DECA_FLAGS, decaOptions } from "./deca_flags.ts";
import type { FlagTable, FlagValues } from "./flags.ts";
import { refuseIdle } from "./idle_flags.ts";
import { checkPreprocessed, PREPROCESSED_FLAGS } from "./preprocessed_flags.ts";

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
  ...DECA_FLAGS,
  ...PREPROCESSED_FLAGS,
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
      "Default: follow; keep with --deca.",
  },
  expressionScale: {
    kind: "number",
    value: "X",
    min: 0,
    max: 3,
    help:
      "Scale of the expression: 0 keeps the portrait's, 1 is as tracked. Default: 1.",
  },
  expression: {
    kind: "text",
    value: "NAME=VALUE,...",
    help:
      "Add an expression to every frame, such as jawOpen=0.6,smile=0.8. Names: " +
      `${
        EXPRESSION_NAMES.join(", ")
      }. 1 is a full expression, -2 to 2 will do. Without ` +
      "--driving it is all that the face does, the head stays as in the portrait, and there is one " +
      "frame, or as many as --frames says.",
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
    help:
      "Smooth the tracked motion (one-euro filter). Default: on; off for a motion.json, which was " +
      "smoothed before it was written.",
  },
  generator: {
    kind: "path",
    value: "FILE",
    group: "For the curious",
    help:
      "Weights of another tri-plane generator: an EG3D checkpoint (.pkl), a tuned model.pt, or " +
      "safetensors. Default: the bundled one.",
  },
  precision: {
    kind: "choice",
    choices: ["auto", "f16", "f32"],
    help:
      "Arithmetic of the superresolution module when frames are rendered; auto is f16 on GPUs " +
      "where it was published so, and goes on in f32 if that fails. Default: auto.",
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

/** What was settled when an avatar was made. */
const IN_AVATAR = [
  "face",
  "eyes",
  "resume",
  "seed",
  "wSteps",
  "wNextSteps",
  "tuneSteps",
] as const;

/** Flags that change a performance. */
const OF_PERFORMANCE = ["expressionScale", "smoothing", "poseScale"] as const;

/**
 * Fills the options of a run from the flags given.
 *
 * @throws {UsageError} when two flags contradict each other, or one would have no effect
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
  checkPreprocessed(values);
  if (values.avatar !== undefined) {
    refuseIdle(values, IN_AVATAR, "on an avatar, which was made before");
  }
  if (values.pose === "source") {
    refuseIdle(values, ["poseScale"], "with --pose source");
  }
  const {
    expression: _text,
    deca: _deca,
    flame: _flame,
    flameExp: _flameExp,
    ...plain
  } = values;
  return {
    ...defaultAnimateOptions(),
    ...plain,
    ...expressionOptions(values),
    ...decaOptions(values),
  };
}

/** What follows from `--expression`; without a performance it is all there is. */
function expressionOptions(
  values: FlagValues<typeof ANIMATE_FLAGS>,
): Partial<AnimateOptions> {
  const { expression: text, driving, start, end, eyes } = values;
  if (text === undefined) return {};
  const expression = parseExpression(text, "--expression");
  const lids = LID_EXPRESSIONS.find((name) => expression[name] !== undefined);
  if (eyes === "keep" && lids !== undefined) {
    throw new UsageError(
      `--eyes keep holds the lids that --expression ${lids} moves; leave one of them out.`,
    );
  }
  if (driving !== undefined) return { expression };
  if (start !== undefined || end !== undefined) {
    throw new UsageError(
      "--start and --end choose a part of a performance; give one with --driving.",
    );
  }
  refuseIdle(values, OF_PERFORMANCE, "on --expression without --driving");
  if ((values.frames ?? 1) === 1) {
    refuseIdle(values, ["orbit"], "on one frame", "ask for more with --frames");
  }
  return { expression, driving: undefined, pose: values.pose ?? "source" };
}
