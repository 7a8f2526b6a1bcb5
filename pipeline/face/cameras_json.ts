/**
 * Cameras as the published preprocessing keeps them (method 2.3):
 *
 * ```json
 * { "adam.jpg": { "intrinsics": [[2985.29, 0, 512], ...3 rows], "pose": [[...4], ...4 rows] }, ... }
 * ```
 *
 * `pose` is cam2world with OpenCV's axes, measured by a pose network: its distance from the world's
 * origin varies. Whoever uses it scales that distance to 2.7, so it is done here, while reading.
 * The intrinsics are pixels of the 1024-pixel crop and the same for all; nobody looks at them.
 *
 * @module
 */
import { PantomimeError } from "../errors.ts";
import { explainFileError, writeFileAtomic } from "../media/files.ts";
import {
  type Cam2World,
  cameraCentre,
  cameraRotation,
  normaliseCamera,
} from "./camera.ts";
import { multiply, transpose } from "./linear.ts";

/** Cameras by the name of the picture that they see, such as `adam.jpg` or `frames001.jpg`. */
export type NamedCameras = ReadonlyMap<string, Cam2World>;

/** Focal length of the crop of 1024 pixels: 1015 (1024 / 224) (300 / 466.285), of which 700 are kept. */
const CROP_FOCAL = 2985.29;

/** Its principal point. */
const CROP_CENTRE = 512;

/** Rows and columns of a rotation may be this far from orthonormal: poses are printed as float32. */
const ORTHONORMAL = 1e-3;

/**
 * A pose from its numbers, at distance 2.7 from the world's origin.
 *
 * @param numbers row-major: 16 of a cam2world matrix, or 25 of a label, whose intrinsics are left out
 * @param where what messages call it
 * @throws {PantomimeError} when they are no camera
 */
export function cameraFromNumbers(
  numbers: readonly number[],
  where: string,
): Cam2World {
  const bad = (what: string) =>
    new PantomimeError(`${where} ${what}; give a cam2world matrix.`);
  const right = numbers.length === 16 || numbers.length === 25;
  if (!right || !numbers.every(Number.isFinite)) {
    throw bad("is not a pose of 4x4 numbers");
  }
  const pose = numbers.slice(0, 16);
  if ([0, 0, 0, 1].some((v, k) => Math.abs(pose[12 + k] - v) > ORTHONORMAL)) {
    throw bad("has a last row that is not 0 0 0 1");
  }
  if (!isRotation(pose)) throw bad("has a rotation that is not orthonormal");
  if (Math.hypot(...cameraCentre(pose)) < 1e-6) {
    throw bad("stands at the world's origin, inside the head");
  }
  return normaliseCamera(pose);
}

function isRotation(pose: Cam2World): boolean {
  const r = cameraRotation(pose);
  const product = multiply(transpose(r), r);
  const [a, b, c, d, e, f, g, h, i] = r;
  const determinant = a * (e * i - f * h) - b * (d * i - f * g) +
    c * (d * h - e * g);
  return determinant > 0 &&
    product.every((v, k) => Math.abs(v - (k % 4 ? 0 : 1)) < ORTHONORMAL);
}

/**
 * Reads the text of a camera file; every pose comes out at distance 2.7.
 *
 * @param text the file's content
 * @param name what messages call it
 * @throws {PantomimeError} when it is no such file, or a pose in it is no camera
 */
export function parseCameras(text: string, name: string): NamedCameras {
  const entries = Object.entries(parseObject(text, name));
  if (entries.length === 0) {
    throw new PantomimeError(
      `"${name}" holds no camera; give a cameras.json with "pose" for each picture.`,
    );
  }
  return new Map(entries.map(([key, entry]) => {
    const { pose } = (entry ?? {}) as Record<string, unknown>;
    if (!Array.isArray(pose)) {
      throw new PantomimeError(
        `"${key}" in "${name}" has no "pose"; give a cameras.json with "pose" for each picture.`,
      );
    }
    return [key, cameraFromNumbers(pose.flat(), `"${key}" in "${name}"`)];
  }));
}

function parseObject(text: string, name: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (value !== null && typeof value === "object" && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch {
    // said below
  }
  throw new PantomimeError(
    `"${name}" is not a camera file; give the cameras.json of the preprocessing.`,
  );
}

/**
 * Reads a camera file.
 *
 * @throws {PantomimeError} when it cannot be read or is none
 */
export async function readCameras(path: string): Promise<NamedCameras> {
  const text = await Deno.readTextFile(path).catch((error) => {
    throw explainFileError(error, path, "read");
  });
  return parseCameras(text, path);
}

/** The text of a camera file, one camera a line. */
export function formatCameras(cameras: NamedCameras): string {
  const intrinsics = [
    [CROP_FOCAL, 0, CROP_CENTRE],
    [0, CROP_FOCAL, CROP_CENTRE],
    [0, 0, 1],
  ];
  const lines = [...cameras].map(([name, camera]) => {
    const pose = [0, 4, 8, 12].map((row) => camera.slice(row, row + 4));
    return `${JSON.stringify(name)}: ${JSON.stringify({ intrinsics, pose })}`;
  });
  return `{\n${lines.join(",\n")}\n}\n`;
}

/**
 * Writes a camera file, whole or not at all.
 *
 * @throws {PantomimeError} when the place cannot be written to
 */
export async function writeCameras(
  path: string,
  cameras: NamedCameras,
): Promise<void> {
  await writeFileAtomic(path, formatCameras(cameras));
}
