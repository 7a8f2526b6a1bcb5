/**
 * Writes the folder that the published preprocessing writes, so that its inversion, or ours, can go
 * on from there.
 *
 * @module
 */
import { join } from "@std/path";
import { replaceAtomic, requireReplaceable } from "../../media/files.ts";
import {
  encodePng,
  fromPicture,
  type Picture,
  plainBytes,
} from "../../media/picture.ts";
import {
  maskedFace,
  type Transfer,
  type TransferredFrame,
} from "../transferred.ts";
import { FRAME_NAME, frameFile, type FramePart } from "./folder.ts";

/** What the pictures are kept in; the published programs look for `jpg`. */
export type FrameFormat = "jpg" | "png";

/** Quality of JPEG pictures, as published (OpenCV's default); colours keep their full resolution. */
const JPEG_QUALITY = 95;

/**
 * Writes every frame; the folder of an earlier run is replaced as a whole.
 *
 * @param onFrame called after each frame
 * @throws {PantomimeError} when other files lie there, the place cannot be written to or the disk is
 * full
 */
export async function writePreprocessed(
  folder: string,
  transfer: Transfer,
  format: FrameFormat,
  onFrame: (done: number) => void,
): Promise<void> {
  await requireReplaceable(folder, FRAME_NAME);
  await replaceAtomic(folder, async (temporary) => {
    await Deno.mkdir(temporary);
    let done = 0;
    for await (const frame of transfer.frames()) {
      await writeFrame(temporary, transfer.name, frame, format);
      onFrame(++done);
    }
  });
}

async function writeFrame(
  folder: string,
  name: string,
  frame: TransferredFrame,
  format: FrameFormat,
): Promise<void> {
  const { number, rendered, mask, depth } = frame;
  const side = rendered.width;
  const parts: [FramePart, Picture][] = [
    ["mask", grey(mask, side)],
    ["masked_rendered_images", maskedFace(frame)],
    ["rendered_images", rendered],
  ];
  if (depth) parts.unshift(["depth", grey(depth, side)]);
  for (const [part, picture] of parts) {
    const file = join(folder, frameFile(name, number, part, format));
    await Deno.writeFile(file, await encode(picture, format));
  }
}

async function encode(
  picture: Picture,
  format: FrameFormat,
): Promise<Uint8Array> {
  if (format === "png") return await encodePng(picture);
  const image = (await fromPicture(picture))
    .jpeg({ quality: JPEG_QUALITY, chromaSubsampling: "4:4:4" });
  return plainBytes(await image.toBuffer());
}

/** A byte a pixel as a picture of three equal channels. */
function grey(values: Uint8Array, side: number): Picture {
  const data = Uint8Array.from(
    { length: 3 * values.length },
    (_, k) => values[Math.floor(k / 3)],
  );
  return { width: side, height: side, data };
}
