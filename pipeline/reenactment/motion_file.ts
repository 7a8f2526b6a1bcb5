/**
 * Motion files: a performance as JSON, small enough to ship and easy to read elsewhere.
 *
 * ```json
 * {
 *   "format": "pantomime-motion", "version": 1, "fps": 12, "neutral": 0, "unit": 0.0001,
 *   "rest": [x, y, z, ... 1404 integers],
 *   "frames": [{ "pose": [yaw, pitch, roll], "offsets": [1404 integers] }, ...]
 * }
 * ```
 *
 * `rest` holds the points of the face at rest in units of the generator's world, `offsets` those of
 * each frame minus `rest`; poses are degrees of the camera that sees the head so.
 *
 * @module
 */
import { POINTS } from "../face/canonical.ts";
import { PantomimeError } from "../errors.ts";
import { explainFileError, writeFileAtomic } from "../media/files.ts";
import { faceShape, type Motion, type MotionFrame } from "./motion.ts";

const FORMAT = "pantomime-motion";
const VERSION = 1;

/** World units of one integer; a twentieth of a pixel at 256. */
const UNIT = 1e-4;

/** The text of a motion file. */
export function formatMotion(motion: Motion): string {
  const integers = (values: Float64Array) =>
    Array.from(values, (v) => Math.round(v / UNIT));
  const rest = integers(motion.rest.points);
  const frames = motion.frames.map(({ angles, points }) => ({
    pose: [angles.yaw, angles.pitch, angles.roll].map((v) =>
      Math.round(v * 100) / 100
    ),
    offsets: integers(points).map((v, k) => v - rest[k]),
  }));
  const head = {
    format: FORMAT,
    version: VERSION,
    fps: motion.fps,
    neutral: motion.neutral,
  };
  return JSON.stringify({ ...head, unit: UNIT, rest, frames }) + "\n";
}

/**
 * Reads the text of a motion file.
 *
 * @param text the file's content
 * @param name what messages call it
 * @throws {PantomimeError} when it is no motion file, of a later version, or damaged
 */
export function parseMotion(text: string, name: string): Motion {
  const bad = (what: string) =>
    new PantomimeError(
      `"${name}" is not a usable motion file: ${what}; record it again.`,
    );
  const file = parseObject(text);
  if (!file || file.format !== FORMAT) {
    throw new PantomimeError(
      `"${name}" is not a motion file; give one that "animate" saved, or pictures or a video.`,
    );
  }
  if (file.version !== VERSION) {
    throw bad(
      `its version is ${file.version}, and this program reads version ${VERSION}`,
    );
  }
  const { fps, neutral, unit, rest, frames } = file;
  if (!isPositive(fps)) throw bad("its frame rate is not a positive number");
  if (!isPositive(unit)) throw bad("its unit is not a positive number");
  if (!Array.isArray(frames) || frames.length === 0) {
    throw bad("it has no frames");
  }
  if (!isIndex(neutral, frames.length)) {
    throw bad("its neutral frame does not exist");
  }
  if (!isNumbers(rest, 3 * POINTS)) {
    throw bad(`its resting face does not have ${POINTS} points`);
  }
  return {
    fps,
    neutral,
    rest: faceShape(Float64Array.from(rest, (value) => value * unit)),
    frames: frames.map((frame, i) => {
      const read = readFrame(frame, rest, unit);
      if (!read) throw bad(`its frame ${i} is damaged`);
      return read;
    }),
  };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null
      ? value as Record<string, unknown>
      : undefined;
  } catch {
    return undefined;
  }
}

function readFrame(
  frame: unknown,
  rest: number[],
  unit: number,
): MotionFrame | undefined {
  const { pose, offsets } = (frame ?? {}) as Record<string, unknown>;
  if (!isNumbers(pose, 3) || !isNumbers(offsets, rest.length)) return undefined;
  const points = Float64Array.from(
    rest,
    (value, k) => (value + offsets[k]) * unit,
  );
  return {
    angles: { yaw: pose[0], pitch: pose[1], roll: pose[2] },
    ...faceShape(points),
  };
}

function isPositive(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value > 0;
}

function isIndex(value: unknown, length: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 &&
    (value as number) < length;
}

function isNumbers(value: unknown, length: number): value is number[] {
  return Array.isArray(value) && value.length === length &&
    value.every(Number.isFinite);
}

/**
 * Reads a motion file.
 *
 * @throws {PantomimeError} when it cannot be read or is no motion file
 */
export async function readMotion(path: string): Promise<Motion> {
  const text = await Deno.readTextFile(path).catch((error) => {
    throw explainFileError(error, path, "read");
  });
  return parseMotion(text, path);
}

/**
 * Writes a motion file, whole or not at all.
 *
 * @throws {PantomimeError} when the disk is full or the place cannot be written to
 */
export async function writeMotion(path: string, motion: Motion): Promise<void> {
  await writeFileAtomic(path, new TextEncoder().encode(formatMotion(motion)));
}
