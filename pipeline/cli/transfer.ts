/**
 * `transfer`: the frames that stages C to E start from.
 *
 * @module
 */
import { ensureFolder, requireFile } from "../media/files.ts";
import type { Command } from "./command.ts";
import { runAsMain } from "./main.ts";
import { TRANSFER_FLAGS, transferOptions } from "./transfer_flags.ts";

/** The command. */
export const TRANSFER: Command<typeof TRANSFER_FLAGS> = {
  name: "transfer",
  summary:
    "Writes the portrait with each frame's face, with masks and cameras, as the published preprocessing does.",
  smaller: "fewer --frames",
  flags: TRANSFER_FLAGS,
  examples: [
    {
      line: "./run transfer --source me.jpg --driving clip.mp4 --out me",
      says: "frames to go on with, here or with the published inversion",
    },
    {
      line:
        "./run animate --preprocessed me/output --source me/me.png --source-pose me/source_cameras.json --target-pose me/target_cameras.json",
      says: "going on here",
    },
  ],
  async run(values, context) {
    const options = transferOptions(values);
    await requireFile(options.source);
    await requireFile(options.driving);
    for (const path of [options.deca?.deca, options.deca?.flame]) {
      if (path !== undefined) await requireFile(path);
    }
    await ensureFolder(options.out);
    // Loaded only now, so that --help and a mistyped path answer at once.
    const { runTransfer } = await import("../transfer.ts");
    const result = await runTransfer(options, context);
    context.print(`Frames      ${result.frames} (${result.count})`);
    context.print(`Portrait    ${result.photo}`);
    context.print(`Cameras     ${result.sourcePose}`);
    context.print(`            ${result.targetPose}`);
    context.print(
      `Go on with  ./run animate --preprocessed "${result.frames}" --source "${result.photo}" ` +
        `--source-pose "${result.sourcePose}" --target-pose "${result.targetPose}"`,
    );
  },
};

if (import.meta.main) await runAsMain(TRANSFER);
