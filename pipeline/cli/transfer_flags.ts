/**
 * The flags of `transfer`, and how they become its options.
 *
 * @module
 */
import { UsageError } from "../errors.ts";
import {
  defaultTransferOptions,
  type TransferOptions,
} from "../transfer_options.ts";
import { ANIMATE_FLAGS } from "./animate_flags.ts";
import { DECA_FLAGS, decaOptions } from "./deca_flags.ts";
import type { FlagTable, FlagValues } from "./flags.ts";

const { source, face, driving, start, end, fps } = ANIMATE_FLAGS;
const { eyes, expressionScale, smoothing } = ANIMATE_FLAGS;

/** The table that parsing, checking and `--help` follow from; flags of `animate` mean what they do there. */
export const TRANSFER_FLAGS = {
  source: { ...source, group: "What to transfer" },
  face,
  driving,
  ...DECA_FLAGS,
  out: {
    kind: "path",
    value: "FOLDER",
    group: "Results",
    help:
      "Where the aligned portrait, the cameras and the folder output/ of frames go; made when it is " +
      "not there. Default: preprocessed.",
  },
  format: {
    kind: "choice",
    choices: ["jpg", "png"],
    help:
      "What frames are kept in: jpg, as the published programs look for it, or png, without loss. " +
      "Default: jpg.",
  },
  start,
  end,
  fps: {
    ...fps,
    help:
      "Frames per second. Default: the performance's own, at most 30; 25 for a folder.",
  },
  frames: {
    kind: "number",
    value: "N",
    min: 1,
    max: 1000,
    whole: true,
    help: "At most this many frames. Default: 100, as published.",
  },
  eyes,
  expressionScale,
  smoothing,
} as const satisfies FlagTable;

/**
 * Fills the options of a transfer from the flags given.
 *
 * @throws {UsageError} when two flags contradict each other
 */
export function transferOptions(
  values: FlagValues<typeof TRANSFER_FLAGS>,
): TransferOptions {
  const { start = 0, end } = values;
  if (end !== undefined && end <= start) {
    throw new UsageError(
      `--end ${end} does not come after --start ${start}; give a later end.`,
    );
  }
  const { deca: _deca, flame: _flame, flameExp: _flameExp, ...plain } = values;
  return { ...defaultTransferOptions(), ...plain, ...decaOptions(values) };
}
