/**
 * A driving performance kept as a folder of pictures.
 *
 * @module
 */
import { join } from "@std/path";
import { PantomimeError } from "../errors.ts";
import type { DrivingFrames } from "./driving.ts";
import { explainFileError } from "./files.ts";
import { PICTURE_FORMATS } from "./format.ts";
import { fitWithin, readPicture } from "./picture.ts";
import { type Excerpt, pickFrames } from "./timeline.ts";

/** Pictures carry no times; this is the rate of the talking-head data that the field trains on. */
const FOLDER_FPS = 25;

const PICTURE_NAME = /\.(jpe?g|png|webp|gif|tiff?|avif)$/i;

/**
 * Opens the pictures of a folder in natural order (`frame2` before `frame10`), shown at `fps`.
 *
 * @throws {PantomimeError} when the folder is empty or holds no picture
 */
export async function openFolder(
  path: string,
  excerpt: Excerpt,
  side: number,
): Promise<DrivingFrames> {
  const names = await pictureNames(path);
  const fps = excerpt.fps ?? FOLDER_FPS;
  const ends = names.map((_, index) => (index + 1) / fps);
  const files = pickFrames(ends, fps, excerpt, path).map((index) =>
    join(path, names[index])
  );
  const frames = {
    async *[Symbol.asyncIterator]() {
      for (const file of files) {
        yield await fitWithin(await readPicture(file), side);
      }
    },
  };
  return { kind: "frames", path, fps, count: files.length, frames };
}

async function pictureNames(path: string): Promise<string[]> {
  const names: string[] = [];
  let others = 0;
  try {
    for await (const entry of Deno.readDir(path)) {
      const wanted = !entry.isDirectory && !entry.name.startsWith(".") &&
        PICTURE_NAME.test(entry.name);
      if (wanted) names.push(entry.name);
      else others++;
    }
  } catch (error) {
    throw explainFileError(error, path, "read");
  }
  if (names.length === 0) throw new PantomimeError(nothingIn(path, others));
  const natural = new Intl.Collator("en", { numeric: true });
  return names.sort((a, b) => natural.compare(a, b) || (a < b ? -1 : 1));
}

function nothingIn(path: string, others: number): string {
  return others === 0
    ? `The folder "${path}" is empty; put the frames of the performance into it, as pictures.`
    : `The folder "${path}" holds no pictures (${others} other ${
      others === 1 ? "entry" : "entries"
    }); put frames in ${PICTURE_FORMATS} into it.`;
}
