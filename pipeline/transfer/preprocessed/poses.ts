/**
 * Cameras that come with a folder of frames: the photo's, and one for each frame (method 2.3, 6).
 * Both are JSON or NumPy arrays; all are brought to distance 2.7 from the world's origin. (The
 * release forgets that for arrays in one of its two readers.)
 *
 * @module
 */
import { CheckpointTensor, openCheckpoint } from "../../../weights/mod.ts";
import { PantomimeError } from "../../errors.ts";
import {
  type Cam2World,
  cameraCentre,
  cameraRotation,
  normaliseCamera,
} from "../../face/camera.ts";
import {
  cameraFromNumbers,
  type NamedCameras,
  readCameras,
} from "../../face/cameras_json.ts";
import {
  quaternionFromRotation,
  rotationFromQuaternion,
  slerp,
} from "../../face/linear.ts";

/**
 * The photo's camera.
 *
 * @param path a camera file, or a `.npy` of 16 or 25 numbers
 * @param name what the photo is called: the key is `NAME.jpg`; where a name has an underscore, the
 * release looks for what stands before it
 * @throws {PantomimeError} when the file has no camera of this photo
 */
export async function readSourcePose(
  path: string,
  name: string,
): Promise<Cam2World> {
  if (isArray(path)) {
    const [camera, ...others] = await readArray(path);
    if (others.length === 0) return camera;
    throw new PantomimeError(
      `"${path}" holds ${
        others.length + 1
      } poses, but the photo has one; give a single 4x4 matrix.`,
    );
  }
  const cameras = await readCameras(path);
  const keys = [`${name}.jpg`, `${name.split("_")[0]}.jpg`];
  const key = keys.find((key) => cameras.has(key));
  if (key === undefined) throw lacks(path, keys[0], cameras);
  return cameras.get(key)!;
}

/** The camera of a driving frame by its number, counted from 0. */
export type FrameCameras = (number: number) => Cam2World;

/**
 * The cameras of the frames.
 *
 * @param path a camera file with the keys `frames001.jpg` and on, counted from 1; or a `.npy` with one
 * pose for each frame or one for all
 * @param smoothed each camera is the mean with that of the number before, as published; rotations are
 * averaged as rotations, where the release averages the numbers of the matrices
 * @throws {PantomimeError} when the file is none of these; the function, when a frame has no camera
 */
export async function readTargetPoses(
  path: string,
  smoothed: boolean,
): Promise<FrameCameras> {
  const poses = isArray(path)
    ? posesOfArray(await readArray(path), path)
    : posesOfFile(await readCameras(path), path);
  return (number) => {
    const now = poses.of(number);
    const before = number > 0 && smoothed && poses.has(number - 1);
    return before ? midway(poses.of(number - 1), now) : now;
  };
}

interface Poses {
  has(number: number): boolean;
  of(number: number): Cam2World;
}

function posesOfFile(cameras: NamedCameras, path: string): Poses {
  const byNumber = new Map<number, string>();
  for (const key of cameras.keys()) {
    const match = /(\d+)(?:\.[a-z]+)?$/i.exec(key);
    if (!match) continue;
    const number = Number(match[1]) - 1, before = byNumber.get(number);
    if (before !== undefined) {
      throw new PantomimeError(
        `"${before}" and "${key}" in "${path}" are the same frame; leave one of them there.`,
      );
    }
    byNumber.set(number, key);
  }
  return {
    has: (number) => byNumber.has(number),
    of: (number) => {
      const key = byNumber.get(number);
      if (key === undefined) throw lacks(path, frameKey(number), cameras);
      return cameras.get(key)!;
    },
  };
}

function posesOfArray(cameras: readonly Cam2World[], path: string): Poses {
  const alone = cameras.length === 1;
  return {
    has: (number) => alone || number < cameras.length,
    of: (number) => {
      if (alone) return cameras[0];
      if (number < cameras.length) return cameras[number];
      throw new PantomimeError(
        `"${path}" holds ${cameras.length} poses, but frame ${number} needs one; give a pose for each frame.`,
      );
    },
  };
}

/** How the camera of a driving frame is called. */
export function frameKey(number: number): string {
  return `frames${String(number + 1).padStart(3, "0")}.jpg`;
}

function lacks(
  path: string,
  key: string,
  cameras: NamedCameras,
): PantomimeError {
  const [first] = cameras.keys();
  return new PantomimeError(
    `"${path}" has no camera "${key}" (it begins with "${first}"); give the file that belongs to these frames.`,
  );
}

/** The camera between two, halfway; at distance 2.7 like both. */
function midway(a: Cam2World, b: Cam2World): Cam2World {
  const turned = (camera: Cam2World) =>
    quaternionFromRotation(cameraRotation(camera));
  const r = rotationFromQuaternion(slerp(turned(a), turned(b), 0.5));
  const [x, y, z] = cameraCentre(a).map((v, k) => (v + cameraCentre(b)[k]) / 2);
  return normaliseCamera([
    ...[r[0], r[1], r[2], x],
    ...[r[3], r[4], r[5], y],
    ...[r[6], r[7], r[8], z],
    ...[0, 0, 0, 1],
  ]);
}

function isArray(path: string): boolean {
  return path.toLowerCase().endsWith(".npy");
}

/** Poses of an array of 16 or 25 numbers each. */
async function readArray(path: string): Promise<Cam2World[]> {
  const { root } = await openCheckpoint(path);
  const bad = new PantomimeError(
    `"${path}" holds no poses; give an array of 4x4 matrices or of 25 numbers each.`,
  );
  if (!(root instanceof CheckpointTensor) || root.size === 0) throw bad;
  const { shape, data } = root.toFloat32();
  const length = shape.at(-1) === 25 ? 25 : 16;
  const fits = length === 25 || shape.at(-1) === 16 ||
    (shape.at(-1) === 4 && shape.at(-2) === 4);
  if (!fits) throw bad;
  const count = data.length / length;
  return Array.from({ length: count }, (_, k) =>
    cameraFromNumbers(
      [...data.subarray(k * length, (k + 1) * length)],
      count === 1 ? `"${path}"` : `Pose ${k} of "${path}"`,
    ));
}
