/**
 * Reads the folder that the published preprocessing writes.
 *
 * @module
 */
import { PantomimeError } from "../../errors.ts";
import { type Picture, readPicture } from "../../media/picture.ts";
import type { Transfer, TransferredFrame } from "../transferred.ts";
import { type FrameFiles, listFrames } from "./folder.ts";

/**
 * Opens a folder of frames; their pictures are read when they are asked for.
 *
 * @throws {PantomimeError} when it holds no frames, or they do not belong together
 */
export async function openPreprocessed(path: string): Promise<Transfer> {
  const { name, frames } = await listFrames(path);
  const { width: side, height } = await readPicture(frames[0].rendered);
  if (height !== side) {
    throw new PantomimeError(
      `"${
        frames[0].rendered
      }" is ${side}x${height} pixels, but frames are square crops; run the preprocessing on the aligned photo.`,
    );
  }
  return {
    name,
    side,
    numbers: frames.map(({ number }) => number),
    async *frames() {
      for (const files of frames) yield await readFrame(files, side);
    },
  };
}

/**
 * Some of a transfer's frames.
 *
 * @param indices places in `numbers`, ascending
 */
export function excerptOf(
  transfer: Transfer,
  indices: readonly number[],
): Transfer {
  return {
    ...transfer,
    numbers: indices.map((k) => transfer.numbers[k]),
    async *frames() {
      let k = 0;
      for await (const frame of transfer.frames()) {
        for (const index of indices) if (index === k) yield frame;
        if (k++ === indices[indices.length - 1]) return;
      }
    },
  };
}

async function readFrame(
  files: FrameFiles,
  side: number,
): Promise<TransferredFrame> {
  const depth = files.depth === null
    ? null
    : (await readPicture(files.depth)).data;
  return {
    number: files.number,
    rendered: await readSized(files.rendered, side),
    mask: firstChannel((await readSized(files.mask, side)).data),
    depth: depth && firstChannel(depth),
  };
}

async function readSized(path: string, side: number): Promise<Picture> {
  const picture = await readPicture(path);
  if (picture.width !== side || picture.height !== side) {
    throw new PantomimeError(
      `"${path}" is ${picture.width}x${picture.height} pixels and the first frame ${side}x${side}; all frames need one size.`,
    );
  }
  return picture;
}

function firstChannel(data: Picture["data"]): Uint8Array {
  return Uint8Array.from({ length: data.length / 3 }, (_, k) => data[3 * k]);
}
