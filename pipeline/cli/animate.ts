/**
 * `animate`: from a portrait and a performance to an animation.
 *
 * @module
 */
import type { AnimateOptions } from "../options.ts";
import { ensureFolder, requireFile } from "../media/files.ts";
import { ANIMATE_FLAGS, animateOptions } from "./animate_flags.ts";
import type { Command } from "./command.ts";
import { runAsMain } from "./main.ts";

/** The command. */
export const ANIMATE: Command<typeof ANIMATE_FLAGS> = {
  name: "animate",
  summary: "Animates a portrait with a driving performance.",
  smaller: "--quality draft or fewer --frames",
  flags: ANIMATE_FLAGS,
  examples: [
    {
      line: "./run animate",
      says: "the bundled portrait with the bundled motion",
    },
    {
      line: "./run animate --source me.jpg --driving clip.mp4 --out result",
      says: "your own portrait and performance",
    },
    {
      line:
        "./run animate --source me.jpg --driving result/motion.json --eyes keep",
      says: "motion tracked in an earlier run, with eyelids as in the portrait",
    },
    {
      line:
        "./run animate --avatar result/avatar.safetensors --orbit 20 --out orbit",
      says: "an avatar of an earlier run, seen by a swinging camera",
    },
    {
      line:
        "./run animate --preprocessed frames --source-pose source.json --target-pose target.json",
      says: "frames and cameras of the published preprocessing",
    },
  ],
  async run(values, context) {
    const options = animateOptions(values);
    await checkPaths(options);
    // Loaded only now, so that --help and a mistyped path answer at once.
    const { runAnimate } = await import("../animate.ts");
    await runAnimate(options, context);
  },
};

/** A path mistyped should be told before minutes of work, not after. */
async function checkPaths(options: AnimateOptions): Promise<void> {
  const { source, driving, avatar, generator, out } = options;
  const { preprocessed, sourcePose, targetPose, deca } = options;
  const paths = [avatar ?? source, preprocessed ?? driving, generator];
  const files = [sourcePose, targetPose, deca?.deca, deca?.flame];
  for (const path of [...paths, ...files]) {
    if (path !== undefined) await requireFile(path);
  }
  await ensureFolder(out);
}

if (import.meta.main) await runAsMain(ANIMATE);
