/**
 * Opens a driving performance, whatever it is kept in.
 *
 * @module
 */
import { PantomimeError } from "../errors.ts";
import { openAnimation } from "./driving_animation.ts";
import { openFolder } from "./driving_folder.ts";
import { openVideo } from "./driving_video.ts";
import { explainFileError } from "./files.ts";
import {
  type FileFormat,
  formatOf,
  isPicture,
  PICTURE_FORMATS,
} from "./format.ts";
import {
  fitWithin,
  type Picture,
  readPicture,
  requirePicture,
} from "./picture.ts";
import type { Excerpt } from "./timeline.ts";

/** A performance as pictures. */
export interface DrivingFrames {
  /** Tells the two apart. */
  readonly kind: "frames";
  /** The file or folder. */
  readonly path: string;
  /** Frames per second at which `frames` are to be shown. */
  readonly fps: number;
  /**
   * How many frames there are; of a video, as its header has it: off by a few at times, and infinite
   * where it says nothing.
   */
  readonly count: number;
  /** The pictures in turn, each decoded when asked for; can be gone through again. */
  readonly frames: AsyncIterable<Picture>;
}

/** A performance as motion recorded in an earlier run. */
export interface DrivingMotion {
  /** Tells the two apart. */
  readonly kind: "motion";
  /** The motion file. */
  readonly path: string;
}

/** What drives an animation. */
export type Driving = DrivingFrames | DrivingMotion;

/** Which part of a performance to open, and how. */
export interface DrivingOptions extends Excerpt {
  /** Larger pictures are scaled down until their longer side has this many pixels; 1280. */
  readonly maxSide?: number;
}

/** Finer pictures do not help the face tracker, whose networks see 256 pixels or fewer. */
const DEFAULT_SIDE = 1280;

/**
 * Opens a folder of pictures, an animated GIF or WebP, a video (needs ffmpeg), a single picture or a
 * motion file. What a file is shows in its content; the name decides only for motion files.
 *
 * @throws {PantomimeError} when there is nothing to read or it cannot be read, here or, for a single
 * damaged frame, while the frames are gone through
 */
export async function openDriving(
  path: string,
  options: DrivingOptions = {},
): Promise<Driving> {
  const side = options.maxSide ?? DEFAULT_SIDE;
  const found = await Deno.stat(path).catch((error) => {
    throw explainFileError(error, path, "read");
  });
  if (found.isDirectory) return await openFolder(path, options, side);
  const head = await readHead(path);
  const format = formatOf(head);
  if (format === "gif" || format === "webp") {
    const animation = await openAnimation(path, options, side);
    if (animation) return animation;
  }
  if (isPicture(format)) return singlePicture(path, options, side);
  if (format === "json" || /\.json$/i.test(path)) {
    return motionFile(path, format);
  }
  if (head.length === 0 || format === "heic" || format === "svg") {
    requirePicture(head, path);
  }
  return await openVideo(path, options, side, format === "video");
}

function motionFile(path: string, format: FileFormat): DrivingMotion {
  if (format === "json") return { kind: "motion", path };
  throw new PantomimeError(
    `"${path}" is not a motion file: it does not hold JSON; ` +
      `use a motion.json that an earlier run saved, or ${PICTURE_FORMATS}, a video or a folder.`,
  );
}

function singlePicture(
  path: string,
  options: DrivingOptions,
  side: number,
): DrivingFrames {
  const frames = {
    async *[Symbol.asyncIterator]() {
      yield await fitWithin(await readPicture(path), side);
    },
  };
  return { kind: "frames", path, fps: options.fps ?? 25, count: 1, frames };
}

/** Reads the first bytes only: a video may be larger than memory. */
async function readHead(path: string): Promise<Uint8Array> {
  try {
    using file = await Deno.open(path);
    const head = new Uint8Array(64);
    return head.subarray(0, await file.read(head) ?? 0);
  } catch (error) {
    throw explainFileError(error, path, "read");
  }
}
