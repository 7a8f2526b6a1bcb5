/**
 * Temporal smoothing of a motion: the one-euro filter (Casiez, Roussel and Vogel 2012), a low-pass
 * whose cut-off rises with speed, so that a resting face does not tremble and a quick one does not
 * lag. The whole clip is known, so it runs forwards and backwards and the two are averaged: their
 * delays cancel. (The release averages the current and the previous camera matrix, method 6.)
 *
 * @module
 */
import {
  aimedCamera,
  cameraAngles,
  cameraFromAngles,
  cameraRotation,
} from "../face/camera.ts";
import {
  type Quaternion,
  quaternionFromRotation,
  rotationFromQuaternion,
} from "../face/linear.ts";
import { faceShape, type Motion } from "./motion.ts";

/** How much to smooth. */
export interface OneEuroOptions {
  /** Cut-off of slow signals in Hz; lower is smoother. */
  readonly minCutoff: number;
  /** Hz of cut-off for each unit of speed a second. */
  readonly beta: number;
  /** Cut-off of the speed itself in Hz. */
  readonly speedCutoff: number;
}

/** For points in world units. */
export const POINT_SMOOTHING: OneEuroOptions = {
  minCutoff: 2.5,
  beta: 40,
  speedCutoff: 2,
};

/** For rotations as unit quaternions. */
export const POSE_SMOOTHING: OneEuroOptions = {
  minCutoff: 1.5,
  beta: 8,
  speedCutoff: 2,
};

/** Weight of a new sample in an exponential low-pass with this cut-off. */
function weightOf(cutoff: number, fps: number): number {
  const r = 2 * Math.PI * cutoff / fps;
  return r / (r + 1);
}

/**
 * Filters a sequence of vectors with one common cut-off, set by the speed of each group of numbers.
 *
 * @param frames vectors of equal length
 * @param group how many numbers form one moving thing (3 for points, 4 for quaternions)
 */
export function oneEuro(
  frames: readonly ArrayLike<number>[],
  fps: number,
  group: number,
  options: OneEuroOptions,
): Float64Array[] {
  const forwards = onePass(frames, fps, group, options);
  const backwards = onePass(frames.toReversed(), fps, group, options)
    .toReversed();
  return forwards.map((frame, i) =>
    frame.map((value, k) => (value + backwards[i][k]) / 2)
  );
}

function onePass(
  frames: readonly ArrayLike<number>[],
  fps: number,
  group: number,
  { minCutoff, beta, speedCutoff }: OneEuroOptions,
): Float64Array[] {
  const state = Float64Array.from(frames[0]);
  const speed = new Float64Array(state.length);
  const speedWeight = weightOf(speedCutoff, fps);
  return frames.map((frame) => {
    for (let g = 0; g < state.length; g += group) {
      let squared = 0;
      for (let k = g; k < g + group; k++) {
        speed[k] += speedWeight * ((frame[k] - state[k]) * fps - speed[k]);
        squared += speed[k] ** 2;
      }
      const weight = weightOf(minCutoff + beta * Math.sqrt(squared), fps);
      for (let k = g; k < g + group; k++) {
        state[k] += weight * (frame[k] - state[k]);
      }
    }
    return state.slice();
  });
}

/** Quaternions of a path, each in the half-space of the one before. */
function continuous(path: readonly Quaternion[]): Quaternion[] {
  const out: Quaternion[] = [];
  for (const q of path) {
    const before = out.at(-1) ?? q;
    const cosine = q[0] * before[0] + q[1] * before[1] + q[2] * before[2] +
      q[3] * before[3];
    out.push(cosine < 0 ? [-q[0], -q[1], -q[2], -q[3]] : q);
  }
  return out;
}

/** The motion with poses (as rotations) and points smoothed; the face at rest stays what it was. */
export function smoothMotion(
  motion: Motion,
  points: OneEuroOptions = POINT_SMOOTHING,
  pose: OneEuroOptions = POSE_SMOOTHING,
): Motion {
  const { frames, fps } = motion;
  const moved = oneEuro(frames.map((frame) => frame.points), fps, 3, points);
  const path = continuous(
    frames.map(({ angles }) =>
      quaternionFromRotation(cameraRotation(cameraFromAngles(angles)))
    ),
  );
  const turned = oneEuro(path, fps, 4, pose).map(([x, y, z, w]) => {
    const length = Math.hypot(x, y, z, w);
    const q: Quaternion = [x / length, y / length, z / length, w / length];
    return cameraAngles(aimedCamera(rotationFromQuaternion(q)));
  });
  return {
    ...motion,
    frames: frames.map((_, i) => ({
      angles: turned[i],
      ...faceShape(moved[i]),
    })),
  };
}
