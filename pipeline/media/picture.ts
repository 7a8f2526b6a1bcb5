/**
 * Pictures as the pipeline sees them: upright, opaque, sRGB, eight bits.
 *
 * @module
 */
import type { Sharp as SharpImage } from "sharp";
import { PantomimeError } from "../errors.ts";
import { explainFileError, readBytes, writeFileAtomic } from "./files.ts";
import {
  type FileFormat,
  formatOf,
  isPicture,
  PICTURE_FORMATS,
} from "./format.ts";
import { loadSharp } from "./sharp.ts";

/** An sRGB picture. */
export interface Picture {
  /** Pixels from left to right. */
  readonly width: number;
  /** Pixels from top to bottom. */
  readonly height: number;
  /** `height` rows of `width` pixels of red, green and blue, 0 to 255. */
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** A rectangle of whole pixels. */
export interface PixelBox {
  /** First column. */
  readonly left: number;
  /** First row. */
  readonly top: number;
  /** Columns. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
}

/** Enough for any camera, little enough to hold a picture twice in a gigabyte. */
const PIXEL_LIMIT = 120_000_000;

/**
 * Reads a picture file; of an animation, the first frame. Turned upright as its EXIF data asks,
 * converted to sRGB, laid on white where it is transparent.
 *
 * @throws {PantomimeError} when the file is missing, a folder, empty, damaged or no picture
 */
export async function readPicture(path: string): Promise<Picture> {
  const found = await Deno.stat(path).catch((error) => {
    throw explainFileError(error, path, "read");
  });
  if (found.isDirectory) {
    throw new PantomimeError(
      `"${path}" is a folder, but a picture is needed; name one file in it.`,
    );
  }
  return await decodePicture(await readBytes(path), path);
}

/**
 * Decodes the bytes of a picture file as {@linkcode readPicture} does.
 *
 * @param bytes the file's content
 * @param name what messages call it
 * @throws {PantomimeError} when it is empty, damaged or no picture
 */
export async function decodePicture(
  bytes: Uint8Array,
  name: string,
): Promise<Picture> {
  requirePicture(bytes, name);
  const sharp = await loadSharp();
  try {
    const image = sharp(bytes, {
      failOn: "error",
      limitInputPixels: PIXEL_LIMIT,
    });
    return await toPicture(image.autoOrient());
  } catch (error) {
    throw explainDecodeError(error, name);
  }
}

/**
 * Refuses bytes that are not a picture, by what they are instead.
 *
 * @throws {PantomimeError} when they are empty or of another kind
 */
export function requirePicture(bytes: Uint8Array, name: string): void {
  if (bytes.length === 0) {
    throw new PantomimeError(
      `"${name}" is empty (0 bytes); save or download it again.`,
    );
  }
  const format = formatOf(bytes);
  if (!isPicture(format)) throw new PantomimeError(refusal(format, name));
}

function refusal(format: FileFormat, name: string): string {
  switch (format) {
    case "heic":
      return `"${name}" is a HEIC picture, which cannot be read here; convert it to JPEG or PNG.`;
    case "svg":
      return `"${name}" is an SVG drawing, but a photograph is needed; use ${PICTURE_FORMATS}.`;
    case "video":
      return `"${name}" is a video, but a picture is needed; save one of its frames as PNG or JPEG.`;
    default:
      return `"${name}" is not a picture that can be read; use ${PICTURE_FORMATS}.`;
  }
}

/** Says in one sentence why sharp could not decode a picture. */
export function explainDecodeError(
  error: unknown,
  name: string,
): PantomimeError {
  if (error instanceof PantomimeError) return error;
  const told =
    (error instanceof Error ? error.message : String(error)).trim().split(
      "\n",
    )[0];
  const sentence = /pixel limit/.test(told)
    ? `"${name}" has more than ${
      PIXEL_LIMIT / 1e6
    } megapixels; scale it down first.`
    : `"${name}" is damaged or incomplete (${told}); save or download it again.`;
  return new PantomimeError(sentence, { cause: error });
}

/**
 * What a sharp pipeline yields, as a picture in three opaque sRGB channels.
 *
 * @throws whatever libvips reports
 */
export async function toPicture(image: SharpImage): Promise<Picture> {
  const { data, info } = await image.flatten({ background: "#ffffff" })
    .toColourspace("srgb")
    .raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data: plainBytes(data) };
}

/** The same memory without Node's Buffer around it, whose slice() does not copy. */
export function plainBytes(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/** A picture as input of a sharp pipeline. */
export async function fromPicture(
  picture: Picture,
): Promise<SharpImage> {
  const sharp = await loadSharp();
  const { width, height, data } = picture;
  return sharp(data, {
    raw: { width, height, channels: 3 },
    limitInputPixels: false,
  });
}

/** Encodes a picture as PNG. */
export async function encodePng(picture: Picture): Promise<Uint8Array> {
  return plainBytes(await (await fromPicture(picture)).png().toBuffer());
}

/**
 * Writes a picture as PNG, whole or not at all.
 *
 * @throws {PantomimeError} when the disk is full or the place cannot be written to
 */
export async function writePicture(
  path: string,
  picture: Picture,
): Promise<void> {
  await writeFileAtomic(path, await encodePng(picture));
}

/** Scales a picture to exactly this size, smoothly in both directions (Lanczos, 3 lobes). */
export async function resize(
  picture: Picture,
  width: number,
  height: number,
): Promise<Picture> {
  if (width === picture.width && height === picture.height) return picture;
  return await toPicture(
    (await fromPicture(picture)).resize(width, height, { fit: "fill" }),
  );
}

/** Scales a picture down, in proportion, until neither side is longer than `side`; never up. */
export async function fitWithin(
  picture: Picture,
  side: number,
): Promise<Picture> {
  const scale = Math.min(1, side / Math.max(picture.width, picture.height));
  const shrink = (length: number) => Math.max(1, Math.round(length * scale));
  return await resize(picture, shrink(picture.width), shrink(picture.height));
}

/**
 * Copies a rectangle out of a picture.
 *
 * @throws {RangeError} when it reaches over an edge or is empty
 */
export function crop(picture: Picture, box: PixelBox): Picture {
  const { left, top, width, height } = box;
  const inside = left >= 0 && top >= 0 && width > 0 && height > 0 &&
    left + width <= picture.width && top + height <= picture.height;
  if (!inside || ![left, top, width, height].every(Number.isInteger)) {
    throw new RangeError(
      `crop of ${width}x${height} at ${left},${top} from ${picture.width}x${picture.height}`,
    );
  }
  const data = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const from = ((top + row) * picture.width + left) * 3;
    data.set(picture.data.subarray(from, from + width * 3), row * width * 3);
  }
  return { width, height, data };
}

/**
 * Makes sure that pictures can be frames of one animation.
 *
 * @throws {RangeError} when there are none or their sizes differ
 */
export function requireOneSize(frames: readonly Picture[]): void {
  if (frames.length === 0) {
    throw new RangeError("an animation needs at least one frame");
  }
  const { width, height } = frames[0];
  const odd = frames.findIndex((frame) =>
    frame.width !== width || frame.height !== height
  );
  if (odd < 0) return;
  throw new RangeError(
    `frame ${odd} is ${frames[odd].width}x${
      frames[odd].height
    }, not ${width}x${height}`,
  );
}
