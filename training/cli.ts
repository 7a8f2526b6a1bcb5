/**
 * `train`: teaches a generator synthetic heads, or measures what one has learned.
 *
 * @module
 */
import { join } from "@std/path";
import type { Command } from "../pipeline/cli/command.ts";
import { runAsMain } from "../pipeline/cli/main.ts";
import { requireFile } from "../pipeline/media/files.ts";
import type { GeneratorWeights } from "../weights/mod.ts";
import {
  EVALUATION_HEADS,
  outFolder,
  studioFiles,
  TRAIN_FLAGS,
  trainOptions,
  weightsName,
} from "./flags.ts";
import { FILES } from "./result.ts";

/** The command. */
export const TRAIN: Command<typeof TRAIN_FLAGS> = {
  name: "train",
  summary: "Teaches the default generator heads that are drawn on the fly.",
  smaller: "a smaller --batch, fewer --views or --rays",
  flags: TRAIN_FLAGS,
  examples: [
    {
      line:
        "./run train --heads ict_facekit.npz --assets makehuman.npz --minutes 120",
      says: "two hours more for the bundled mannequin",
    },
    {
      line:
        "./run train --heads ict_facekit.npz --assets makehuman.npz --resume --minutes 60",
      says: "an hour more for the training in the folder trained",
    },
    {
      line:
        "./run train --heads ict_facekit.npz --assets makehuman.npz --evaluate shipped",
      says: "the figures of the bundled mannequin",
    },
  ],
  async run(values, context) {
    const files = studioFiles(values);
    await requireFile(files.heads);
    await requireFile(files.assets);
    // Loaded only now, so that --help and a mistyped path answer at once.
    const { openDevice } = await import("../engine/mod.ts");
    const { openStudio } = await import("./heads/mod.ts");
    const { beginning, isVaried, weightsFrom } = await import("./begin.ts");
    using device = await openDevice();
    const studioFor = (weights: GeneratorWeights) =>
      openStudio(device, files, { variety: isVaried(weights) });
    if (values.evaluate !== undefined) {
      const { evaluate, evaluationTable } = await import("./evaluate.ts");
      const weights = await weightsFrom(weightsName(values.evaluate), 0);
      using studio = await studioFor(weights);
      const heads = values.evaluationHeads ?? EVALUATION_HEADS;
      const figures = await evaluate(device, studio, weights, heads, context);
      evaluationTable(figures).forEach((line) => context.print(line));
      context.print(JSON.stringify(figures));
      return;
    }
    const { train } = await import("./loop.ts");
    const { profile, gpu } = device;
    const half = gpu.features.has("shader-f16");
    const { readSettings } = await import("./checkpoint.ts");
    const settings = values.resume
      ? await readSettings(join(outFolder(values), FILES.checkpoint))
      : {};
    const options = trainOptions(values, { profile, half }, settings);
    const begun = await beginning(options);
    using studio = await studioFor(begun.weights);
    const record = await train(device, studio, begun, options, context);
    const { before, after } = record.figures;
    context.print(
      `${record.steps} steps, ${record.headsSeen} heads, ${record.seconds} s on ${record.adapter}`,
    );
    context.print(
      `Held-out heads of the previews: ${before.psnr.toFixed(2)} dB before, ${
        after.psnr.toFixed(2)
      } dB now`,
    );
    context.print(`Generator   ${options.out}/${FILES.full}`);
  },
};

if (import.meta.main) await runAsMain(TRAIN);
