/**
 * Stage B as everything after it sees it, whatever moved the face: one frame is the photo with that
 * frame's face drawn over it, and how opaque the drawing is (method 3.5, 3.6). FaceMesh makes such
 * frames (`facemesh/frames.ts`), a folder keeps them (`preprocessed/`), and stages C to E want
 * targets made from them (`targets_of.ts`).
 *
 * @module
 */
import type { Picture } from "../media/picture.ts";

/** One frame of stage B. */
export interface TransferredFrame {
  /** The driving frame's number, counted from 0. */
  readonly number: number;
  /** The photo with the frame's face drawn over it; square. */
  readonly rendered: Picture;
  /** Opacity of the drawn face, a byte a pixel: soft at its rim, 0 where the mouth opened. */
  readonly mask: Uint8Array;
  /** Nearness of the drawn face, a byte a pixel: 255 at its nearest point, 0 beside it; null when not known. */
  readonly depth: Uint8Array | null;
}

/** Stage B of a clip. */
export interface Transfer {
  /** What the photo is called in names of files; without an underscore when it is to be written. */
  readonly name: string;
  /** Numbers of the frames, ascending. */
  readonly numbers: readonly number[];
  /** Pixels of a side of every picture. */
  readonly side: number;
  /** The frames in turn, each made when asked for. */
  frames(): AsyncIterable<TransferredFrame>;
}

/** Mask values below this one are blackened in {@linkcode maskedFace} (method 3.6). */
const MASKED = 100;

/** The drawn face alone, black where the mask is below 100 of 255. */
export function maskedFace({ rendered, mask }: TransferredFrame): Picture {
  const { width, height } = rendered;
  const data = rendered.data.map((v, k) =>
    mask[Math.floor(k / 3)] < MASKED ? 0 : v
  );
  return { width, height, data };
}
