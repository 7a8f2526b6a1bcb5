/**
 * What `transfer` can be asked for. A program that embeds Pantomime starts from
 * {@linkcode defaultTransferOptions}.
 *
 * @module
 */
import { BUNDLED_DRIVING, BUNDLED_SOURCE } from "./options.ts";
import type { DecaOptions } from "./transfer/deca/stage.ts";
import type { FrameFormat } from "./transfer/preprocessed/write.ts";

/** Options of one transfer. Paths are absolute or relative to the current folder. */
export interface TransferOptions {
  /** The portrait. */
  source: string;
  /** The performance: folder of pictures, GIF, WebP, video, single picture or motion file. */
  driving: string;
  /** Folder for the results. */
  out: string;
  /** What frames are kept in. */
  format: FrameFormat;
  /** Which face of the portrait, 1 being the largest; the largest when left out. */
  face?: number;
  /** At most this many frames. */
  frames: number;
  /** Frames per second; the performance's own, at most 30, when left out. */
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
  /** Scale of the expression, 1 as tracked. */
  expressionScale: number;
  /** DECA and FLAME, as published, in the place of FaceMesh. */
  deca?: DecaOptions;
}

/** What an option is when nobody says otherwise. */
export function defaultTransferOptions(): TransferOptions {
  return {
    source: BUNDLED_SOURCE,
    driving: BUNDLED_DRIVING,
    out: "preprocessed",
    format: "jpg",
    frames: 100,
    eyes: "follow",
    expressionScale: 1,
  };
}
