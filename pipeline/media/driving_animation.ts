/**
 * A driving performance kept as an animated GIF or WebP.
 *
 * @module
 */
import type { DrivingFrames } from "./driving.ts";
import { readBytes } from "./files.ts";
import {
  explainDecodeError,
  fitWithin,
  type Picture,
  toPicture,
} from "./picture.ts";
import { loadSharp } from "./sharp.ts";
import { type Excerpt, pickFrames } from "./timeline.ts";

/** Decoding starts over at the first page every time, so pages are decoded many at once. */
const BATCH_BYTES = 96 * 2 ** 20;

/** Browsers show pages of 10 ms or less for this long; files count on it. */
const SHORT_DELAY = 100;

/** GIF counts in hundredths of a second: delays this far apart may mean the same, in milliseconds. */
const ROUNDING = 10;

const MAX_FPS = 30;

interface Pages {
  readonly bytes: Uint8Array;
  readonly path: string;
  readonly count: number;
  readonly width: number;
  readonly height: number;
  /** Milliseconds that each page is on show. */
  readonly delays: number[];
}

/**
 * Opens an animated GIF or WebP.
 *
 * @returns null when it has one page and so is a picture like any other
 * @throws {PantomimeError} when the file is damaged
 */
export async function openAnimation(
  path: string,
  excerpt: Excerpt,
  side: number,
): Promise<DrivingFrames | null> {
  const pages = await readPages(path);
  if (pages.count === 1) return null;
  const fps = excerpt.fps ?? ownRate(pages.delays);
  let moment = 0;
  const ends = pages.delays.map((delay) => (moment += delay) / 1000);
  const picked = pickFrames(ends, fps, excerpt, path);
  const frames = {
    [Symbol.asyncIterator]: () => decodePages(pages, picked, side),
  };
  return { kind: "frames", path, fps, count: picked.length, frames };
}

async function readPages(path: string): Promise<Pages> {
  const bytes = await readBytes(path);
  const sharp = await loadSharp();
  try {
    const found = await sharp(bytes, {
      animated: true,
      limitInputPixels: false,
    }).metadata();
    const count = found.pages ?? 1;
    const delays = Array.from({ length: count }, (_, page) => {
      const delay = found.delay?.[page] ?? 0;
      return delay <= 10 ? SHORT_DELAY : delay;
    });
    const height = found.pageHeight ?? found.height;
    return { bytes, path, count, width: found.width, height, delays };
  } catch (error) {
    throw explainDecodeError(error, path);
  }
}

/** Pages that last equally long but for rounding set the rate; otherwise the shorter ones do. */
function ownRate(delays: readonly number[]): number {
  const sorted = [...delays].sort((a, b) => a - b);
  const total = delays.reduce((sum, delay) => sum + delay, 0);
  const uneven = sorted[sorted.length - 1] - sorted[0] > ROUNDING;
  const typical = uneven
    ? sorted[Math.floor(sorted.length / 4)]
    : total / delays.length;
  return Math.min(MAX_FPS, Math.max(1, 1000 / typical));
}

async function* decodePages(
  pages: Pages,
  picked: number[],
  side: number,
): AsyncGenerator<Picture> {
  const size = Math.max(
    1,
    Math.floor(BATCH_BYTES / (pages.width * pages.height * 4)),
  );
  let first = 0;
  let batch: Picture[] = [];
  for (const page of picked) {
    if (page >= first + batch.length) {
      first = page;
      batch = await decodeBatch(
        pages,
        first,
        Math.min(size, pages.count - first),
      );
    }
    yield await fitWithin(batch[page - first], side);
  }
}

async function decodeBatch(
  pages: Pages,
  first: number,
  count: number,
): Promise<Picture[]> {
  const sharp = await loadSharp();
  try {
    const input = {
      page: first,
      pages: count,
      failOn: "error",
      limitInputPixels: false,
    } as const;
    const { width, data } = await toPicture(sharp(pages.bytes, input));
    const length = width * pages.height * 3;
    return Array.from({ length: count }, (_, index) => ({
      width,
      height: pages.height,
      data: data.subarray(index * length, (index + 1) * length),
    }));
  } catch (error) {
    throw explainDecodeError(error, pages.path);
  }
}
