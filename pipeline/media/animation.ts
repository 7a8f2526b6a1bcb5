/**
 * Animations out: WebP, GIF, MP4 where ffmpeg is there, and numbered frames. Each appears whole or
 * not at all.
 *
 * @module
 */
import type { Sharp as SharpImage } from "sharp";
import { join } from "@std/path";
import { replaceAtomic, requireReplaceable, writeFileAtomic } from "./files.ts";
import {
  encodePng,
  type Picture,
  plainBytes,
  requireOneSize,
} from "./picture.ts";
import { loadSharp } from "./sharp.ts";
import { writeMp4 } from "./video_out.ts";

/**
 * Writes `animation.webp`, `animation.gif` and, where ffmpeg is there, `animation.mp4`.
 *
 * @param folder where to; must exist
 * @param frames pictures of one size, at least one
 * @param fps frames per second
 * @returns the paths written
 * @throws {PantomimeError} when the disk is full or the folder cannot be written to
 */
export async function writeAnimations(
  folder: string,
  frames: readonly Picture[],
  fps: number,
): Promise<string[]> {
  const [webp, gif, mp4] = ["webp", "gif", "mp4"].map((kind) =>
    join(folder, `animation.${kind}`)
  );
  await writeWebp(webp, frames, fps);
  await writeGif(gif, frames, fps);
  return await writeMp4(mp4, frames, fps) ? [webp, gif, mp4] : [webp, gif];
}

/**
 * Writes an animated WebP that loops.
 *
 * @throws {PantomimeError} when the disk is full or the place cannot be written to
 */
export async function writeWebp(
  path: string,
  frames: readonly Picture[],
  fps: number,
): Promise<void> {
  const delay = delays(frames.length, fps, 1);
  const image = (await strip(frames)).webp({
    quality: 90,
    effort: 3,
    loop: 0,
    delay,
  });
  await writeFileAtomic(path, plainBytes(await image.toBuffer()));
}

/**
 * Writes an animated GIF that loops. Choosing the colours takes a third of a second for a frame of
 * 512 pixels; one palette for all frames halves that, but turns new colours into wrong ones.
 *
 * @throws {PantomimeError} when the disk is full or the place cannot be written to
 */
export async function writeGif(
  path: string,
  frames: readonly Picture[],
  fps: number,
): Promise<void> {
  const delay = delays(frames.length, fps, 10);
  const image = (await strip(frames)).gif({ loop: 0, delay });
  await writeFileAtomic(path, plainBytes(await image.toBuffer()));
}

/** Names of frames. */
export const FRAME_FILE: RegExp = /^\d{4,}\.png$/;

/**
 * Writes `0000.png`, `0001.png` and so on; the folder of an earlier run is replaced as a whole.
 *
 * @throws {PantomimeError} when other files lie there, the disk is full or the place cannot be
 * written to
 */
export async function writeFrames(
  folder: string,
  frames: readonly Picture[],
): Promise<void> {
  await requireReplaceable(folder, FRAME_FILE);
  await replaceAtomic(folder, async (temporary) => {
    await Deno.mkdir(temporary);
    for (const [index, frame] of frames.entries()) {
      const name = `${String(index).padStart(4, "0")}.png`;
      await Deno.writeFile(join(temporary, name), await encodePng(frame));
    }
  });
}

/**
 * How long each frame is on show, in whole multiples of `unit` milliseconds; rounding never adds up,
 * so that a long clip stays in time.
 */
export function delays(count: number, fps: number, unit: number): number[] {
  const turn = (frame: number) => Math.round(frame * 1000 / fps / unit) * unit;
  return Array.from(
    { length: count },
    (_, frame) => turn(frame + 1) - turn(frame),
  );
}

/**
 * Frames under one another, the form in which libvips takes an animation.
 *
 * @throws {RangeError} when there are none or their sizes differ
 */
async function strip(frames: readonly Picture[]): Promise<SharpImage> {
  requireOneSize(frames);
  const { width, height } = frames[0];
  const length = width * height * 3;
  const data = new Uint8Array(length * frames.length);
  frames.forEach((frame, index) => data.set(frame.data, index * length));
  const raw = {
    width,
    height: height * frames.length,
    channels: 3,
    pageHeight: height,
  } as const;
  return (await loadSharp())(data, { raw, limitInputPixels: false });
}
