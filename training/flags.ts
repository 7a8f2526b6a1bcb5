/**
 * The flags of `train`, and how they become its options.
 *
 * @module
 */
import { resolve } from "@std/path";
import type { FlagTable, FlagValues } from "../pipeline/cli/flags.ts";
import { UsageError } from "../pipeline/errors.ts";
import type { Course } from "./checkpoint.ts";
import { defaultTrainOptions, type TrainOptions } from "./options.ts";

/** The table that parsing, checking and `--help` follow from. */
export const TRAIN_FLAGS = {
  heads: {
    kind: "path",
    value: "FILE",
    group: "What to learn from",
    help: "ICT-FaceKit: ict_facekit.npz, or the folder of a release.",
  },
  assets: {
    kind: "path",
    value: "FILE",
    help: "MakeHuman's skins, brows and hair: makehuman.npz.",
  },
  from: {
    kind: "text",
    value: "FILE",
    group: "What learns",
    help:
      "Weights to begin with: a generator, or none to begin from nothing. Default: the bundled mannequin.",
  },
  resolution: {
    kind: "number",
    value: "N",
    min: 128,
    max: 1024,
    whole: true,
    help:
      "Pixels of a picture's side; twice those of the weights adds a block of superresolution. Default: those of the weights.",
  },
  variety: {
    kind: "switch",
    help:
      "Begin with latents that say more: all 100 identity modes, glasses, coloured light, uneven backdrops, noise of a sensor.",
  },
  out: {
    kind: "path",
    value: "FOLDER",
    help: "Where checkpoint, log, previews and generator go. Default: trained.",
  },
  resume: {
    kind: "switch",
    help: "Go on with the training in that folder.",
  },
  minutes: {
    kind: "number",
    value: "N",
    min: 0.1,
    max: 100_000,
    group: "How long and how fast",
    help:
      "Minutes of this sitting, the last third of them for settling down. Default: 30, or what an interrupted training has left.",
  },
  steps: {
    kind: "number",
    value: "N",
    min: 1,
    max: 100_000_000,
    whole: true,
    help: "Steps of the whole training, instead of minutes.",
  },
  batch: {
    kind: "number",
    value: "N",
    min: 1,
    max: 256,
    whole: true,
    help: "Heads that are looked at together. Default: 1 on a CPU, 8 on a GPU.",
  },
  accumulate: {
    kind: "number",
    value: "N",
    min: 1,
    max: 1024,
    whole: true,
    help: "Batches of which the gradients of one step are made. Default: 1.",
  },
  rays: {
    kind: "number",
    value: "N",
    min: 16,
    max: 65536,
    whole: true,
    help: "Rays of each head in a step. Default: 1024.",
  },
  views: {
    kind: "number",
    value: "N",
    min: 1,
    max: 64,
    whole: true,
    help: "Cameras that see each head. Default: 2.",
  },
  points: {
    kind: "number",
    value: "N",
    min: 0,
    max: 100_000_000,
    whole: true,
    help:
      "Steps that only look at points near known surfaces, which is fast, before all others. Default: 3000 with --from none, 0 otherwise.",
  },
  rate: {
    kind: "number",
    value: "X",
    min: 0.001,
    max: 100,
    help:
      "Factor on the learning rates. Default: as before with --resume, 4 with --from none, 1 otherwise.",
  },
  precision: {
    kind: "choice",
    choices: ["auto", "f16", "f32"],
    help:
      "Arithmetic of the layers that have many pixels. Default: auto, which is f16 on a GPU that has it.",
  },
  seed: {
    kind: "number",
    value: "N",
    min: 0,
    max: 2 ** 31 - 1,
    whole: true,
    help: "Seed of everything that is drawn at random. Default: 0.",
  },
  evaluate: {
    kind: "text",
    value: "FILE",
    group: "Instead of training",
    help:
      "Measure a generator on heads that no training sees: a file, or shipped for the bundled mannequin.",
  },
  evaluationHeads: {
    kind: "number",
    value: "N",
    min: 1,
    max: 10_000,
    whole: true,
    help: "Heads of an evaluation. Default: 40.",
  },
} as const satisfies FlagTable;

/** Heads of an evaluation. */
export const EVALUATION_HEADS = 40;
/** Steps by points of a training from nothing. */
const POINTS = 3000;
/** What is nothing yet may learn faster. */
const SCRATCH_RATE = 4;
/** Heads of a batch on a GPU. */
const GPU_BATCH = 8;

/** What the flags of `train` may yield. */
export type TrainValues = FlagValues<typeof TRAIN_FLAGS>;

/**
 * Fills the options of a training from the flags given.
 *
 * @param device that trains, and whether it has f16
 * @param settings of the training that goes on, which hold where no flag says otherwise
 * @throws {UsageError} when flags contradict each other
 */
export function trainOptions(
  { from, precision = "auto", ...values }: TrainValues,
  { profile, half }: { profile: "cpu" | "gpu"; half: boolean },
  settings: Course = {},
): TrainOptions {
  if (values.resume && from !== undefined) {
    throw new UsageError(
      "--resume goes on with what the training began with; leave out --from, or begin another one without --resume.",
    );
  }
  const defaults = defaultTrainOptions();
  const suited = profile === "gpu" && half ? "f16" : defaults.precision;
  return {
    ...defaults,
    batch: profile === "gpu" ? GPU_BATCH : defaults.batch,
    points: from === "none" ? POINTS : defaults.points,
    rate: from === "none" ? SCRATCH_RATE : defaults.rate,
    precision: suited,
    ...settings,
    ...values,
    ...(precision === "auto" ? {} : { precision }),
    from: from === undefined ? undefined : weightsName(from),
    out: outFolder(values),
  };
}

/** The folder of a training. */
export function outFolder({ out }: TrainValues): string {
  return out ?? fromUser("trained");
}

/** `none` and `shipped` are no files; all else is looked for where the user stands. */
export function weightsName(given: string): string {
  return given === "none" || given === "shipped" ? given : fromUser(given);
}

function fromUser(path: string): string {
  return resolve(Deno.env.get("INIT_CWD") ?? Deno.cwd(), path);
}

/**
 * The files that heads are made of.
 *
 * @throws {UsageError} when one was not named
 */
export function studioFiles(
  { heads, assets }: TrainValues,
): { heads: string; assets: string } {
  if (heads && assets) return { heads, assets };
  throw new UsageError(
    `Heads are needed to learn from: give --heads ict_facekit.npz and --assets makehuman.npz.`,
  );
}
