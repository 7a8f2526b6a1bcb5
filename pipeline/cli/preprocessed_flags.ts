/**
 * The flags of `animate` for frames that were preprocessed elsewhere.
 *
 * @module
 */
import { UsageError } from "../errors.ts";
import { flagName } from "./args.ts";
import type { FlagTable } from "./flags.ts";
import { refuseIdle } from "./idle_flags.ts";

/** Their part of the table. */
export const PREPROCESSED_FLAGS = {
  preprocessed: {
    kind: "path",
    value: "FOLDER",
    group: "Frames that were preprocessed elsewhere",
    help:
      "A folder of the published preprocessing, or of ./run transfer, in the place of --driving: " +
      "NAME_000_rendered_images.jpg, NAME_000_mask.jpg and so on. --source is then the square crop " +
      "that the frames were made from; without it the first frame stands for it.",
  },
  sourcePose: {
    kind: "path",
    value: "FILE",
    help:
      "Camera of the preprocessed photo: cameras.json with the key NAME.jpg, or a .npy of 16 or 25 " +
      "numbers. Default: frontal.",
  },
  targetPose: {
    kind: "path",
    value: "FILE",
    help:
      "Cameras of the preprocessed frames: cameras.json with the keys frames001.jpg and on (frame 000 " +
      "is frames001), or a .npy. Default: the photo's camera.",
  },
} as const satisfies FlagTable;

/** What was settled when the frames were made, or has no place beside them. */
const ELSEWHERE = [
  "avatar",
  "driving",
  "deca",
  "flame",
  "flameExp",
  "face",
  "eyes",
  "expression",
  "expressionScale",
  "poseScale",
] as const;

/**
 * Makes sure that poses come with frames, and no flag that would have no effect on them.
 *
 * @param values the flags given
 * @throws {UsageError} naming the flag
 */
export function checkPreprocessed(
  values: Readonly<Record<string, unknown>>,
): void {
  if (values.preprocessed !== undefined) {
    return refuseIdle(
      values,
      ELSEWHERE,
      "on preprocessed frames",
      "leave it out, or make the frames anew",
    );
  }
  const pose = ["sourcePose", "targetPose"]
    .find((flag) => values[flag] !== undefined);
  if (pose === undefined) return;
  throw new UsageError(
    `${
      flagName(pose)
    } is the camera of preprocessed frames; give them with --preprocessed.`,
  );
}
