/**
 * The files of a finished run.
 *
 * @module
 */
import { join } from "@std/path";
import type { Cam2World } from "./face/camera.ts";
import { writeAnimations, writeFrames, writeWebp } from "./media/animation.ts";
import { sideBySide } from "./media/compare.ts";
import { crop, type Picture, resize } from "./media/picture.ts";
import { drivingCamera, type Motion } from "./reenactment/motion.ts";
import { writeMotion } from "./reenactment/motion_file.ts";
import { sketch } from "./reenactment/sketch.ts";

/** Animations are shown with at least this many pixels a side; frames keep the generator's size. */
const SHOWN_SIDE = 256;

/** What there is to write. */
export interface Results {
  /** The aligned portrait. */
  portrait: Picture;
  /** Rendered frames. */
  frames: readonly Picture[];
  /** The performance as it was used. */
  motion: Motion;
  /** Its pictures, if it was filmed. */
  pictures: readonly Picture[] | null;
  /** Camera of each frame. */
  cameras: readonly Cam2World[];
  /** Camera of the portrait. */
  camera: Cam2World;
}

/**
 * Planar colours to a picture.
 *
 * @param planar (3, S, S) in about [-1, 1]
 */
export function pictureOf(planar: Float32Array): Picture {
  const pixels = planar.length / 3, side = Math.sqrt(pixels);
  const data = new Uint8ClampedArray(planar.length);
  for (let k = 0; k < planar.length; k++) {
    data[3 * (k % pixels) + Math.floor(k / pixels)] = 127.5 * planar[k] + 127.5;
  }
  return { width: side, height: side, data };
}

/**
 * Writes frames, animations, the comparison and the motion, each whole or not at all.
 *
 * @returns paths, the ones to look at first in front
 * @throws {PantomimeError} when the folder cannot be written to or the disk is full
 */
export async function writeResults(
  out: string,
  results: Results,
): Promise<string[]> {
  const { frames, motion } = results;
  const side = Math.max(SHOWN_SIDE, frames[0].width);
  const shown = await Promise.all(
    frames.map((frame) => resize(frame, side, side)),
  );
  const animations = await writeAnimations(out, shown, motion.fps);
  const comparison = join(out, "comparison.webp");
  await writeWebp(comparison, await compare(results, shown, side), motion.fps);
  await writeFrames(framesFolder(out), frames);
  const file = join(out, "motion.json");
  await writeMotion(file, motion);
  return [...animations, comparison, framesFolder(out), file];
}

/** Where frames go among the results in a folder. */
export function framesFolder(out: string): string {
  return join(out, "frames");
}

/** Portrait, performance and result side by side, frame by frame. */
async function compare(
  results: Results,
  shown: readonly Picture[],
  side: number,
): Promise<Picture[]> {
  const { portrait, motion, pictures } = results;
  const middle = await Promise.all(
    shown.map((_, k) =>
      pictures ? square(pictures[Math.min(k, pictures.length - 1)]) : sketch(
        motion.frames[k],
        drivingCamera(motion, k, motion.frames[k].angles),
        side,
      )
    ),
  );
  return await Promise.all(
    shown.map((frame, k) => sideBySide([portrait, middle[k], frame], side)),
  );
}

/** The largest square in the middle. */
function square(picture: Picture): Picture {
  const side = Math.min(picture.width, picture.height);
  const left = Math.floor((picture.width - side) / 2),
    top = Math.floor((picture.height - side) / 2);
  return crop(picture, { left, top, width: side, height: side });
}
