/**
 * Which frame of a performance is seen at which moment of the animation.
 *
 * @module
 */
import { PantomimeError } from "../errors.ts";

/** The part of a performance that is asked for, and how densely. */
export interface Excerpt {
  /** Frames per second of the animation; the performance's own rate when left out. */
  readonly fps?: number;
  /** At most this many frames, counted from the start. */
  readonly maxFrames?: number;
  /** Where to begin, in seconds; 0 when left out. */
  readonly start?: number;
  /** Where to stop, in seconds; the end of the performance when left out. */
  readonly end?: number;
}

/**
 * Picks the frame that is on show in the middle of each step of `fps`: there, the rounding of delays
 * to whole milliseconds (in a GIF, to hundredths of a second) cannot show a frame twice.
 *
 * @param ends the moment, in seconds, at which each frame goes away; ascending
 * @param fps steps per second
 * @param excerpt the part asked for (its own `fps` is not looked at)
 * @returns indices of frames, ascending, at least one
 * @throws {PantomimeError} when nothing is left between start and end
 */
export function pickFrames(
  ends: readonly number[],
  fps: number,
  excerpt: Excerpt,
  name: string,
): number[] {
  const { start, end } = requireSpan(ends[ends.length - 1], excerpt, name);
  const steps = Math.max(1, Math.round((end - start) * fps));
  let frame = 0;
  return Array.from(
    { length: Math.min(steps, excerpt.maxFrames ?? Infinity) },
    (_, step) => {
      const moment = start + (step + 0.5) / fps;
      while (frame < ends.length - 1 && ends[frame] <= moment) frame++;
      return frame;
    },
  );
}

/**
 * The start and end asked for, in seconds, within a performance of this length.
 *
 * @throws {PantomimeError} when nothing is left between them
 */
export function requireSpan(
  length: number,
  excerpt: Excerpt,
  name: string,
): { start: number; end: number } {
  const start = excerpt.start ?? 0;
  const end = Math.min(excerpt.end ?? Infinity, length);
  if (start >= length) {
    throw new PantomimeError(
      `"${name}" lasts ${seconds(length)}, so nothing is left after ${
        seconds(start)
      }; ` +
        `begin earlier.`,
    );
  }
  if (start >= end) {
    throw new PantomimeError(
      `Nothing of "${name}" lies between ${seconds(start)} and ${
        seconds(end)
      }; ` +
        `let the end come after the start.`,
    );
  }
  return { start, end };
}

function seconds(value: number): string {
  return `${Number(value.toFixed(2))} s`;
}
