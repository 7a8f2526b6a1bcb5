/**
 * A driving performance as numbers: for each frame the head's pose and the face's 468 points with
 * the pose taken out. Stage B reads the deformation from it, stage E the camera.
 *
 * @module
 */
import type { Cam2World, CameraAngles } from "../face/camera.ts";
import { CANONICAL, POINTS, RIGID_POINTS } from "../face/canonical.ts";
import { cameraAt, type Framing } from "../face/framing.ts";
import { fitSimilarity, solve, transformPoints } from "../face/linear.ts";
import { fitCamera } from "../face/pose.ts";
import { eyeOpenings, mouthOpening } from "../transfer/facemesh/topology.ts";

/** A face with its head's pose taken out. */
export interface FaceShape {
  /** 468 x (x, y, z) in the canonical head's frame, world units, rigid motion taken out. */
  readonly points: Float64Array;
  /** {@link mouthOpening} of the points. */
  readonly mouthOpening: number;
  /** {@link eyeOpenings} of the points: the person's right eye, then the left. */
  readonly eyeOpenings: readonly [number, number];
}

/** One frame of a performance. */
export interface MotionFrame extends FaceShape {
  /** Head pose as the camera that sees it so, degrees. */
  readonly angles: CameraAngles;
}

/** A performance. */
export interface Motion {
  /** Frames per second. */
  readonly fps: number;
  /** Index of the frame whose face is at rest. */
  readonly neutral: number;
  /**
   * The face from which deformations are measured: that of the neutral frame, or, of a single
   * picture, the canonical one.
   */
  readonly rest: FaceShape;
  /** The frames in order; at least one. */
  readonly frames: readonly MotionFrame[];
}

/** A face shape from its points; the openings follow from them. */
export function faceShape(points: Float64Array): FaceShape {
  return {
    points,
    mouthOpening: mouthOpening(points),
    eyeOpenings: eyeOpenings(points),
  };
}

/**
 * Turns tracked landmarks into a motion.
 *
 * Each frame is laid over the resting frame, and that over the canonical mesh, by a rigid similarity
 * on the points that expressions do not move. What FaceMesh's flattened depth leaves of the head's
 * turning in those points is an affine map close to the identity; it is taken out too.
 *
 * @param frames FaceMesh's points of each frame, 468 x (x, y, z) in pixels, y down, z away
 * @param fps frames per second
 * @throws {RangeError} when there is no frame
 */
export function recordMotion(
  frames: readonly ArrayLike<number>[],
  fps: number,
): Motion {
  if (frames.length === 0) {
    throw new RangeError("a motion needs at least one frame");
  }
  const angles = frames.map((points) =>
    fitCamera(points, { roll: "camera" }).angles
  );
  const upright = frames.map((points) =>
    laidOver(uprightPoints(points), CANONICAL)
  );
  const neutral = restingFrame(upright, angles);
  const rest = frames.length > 1 ? upright[neutral] : CANONICAL;
  return {
    fps,
    neutral,
    rest: faceShape(rest),
    frames: upright.map((points, i) => ({
      angles: angles[i],
      ...faceShape(straightened(laidOver(points, rest), rest)),
    })),
  };
}

/** Picture axes (y down, z away) to head axes (y up, z to the viewer). */
function uprightPoints(points: ArrayLike<number>): Float64Array {
  return Float64Array.from(
    { length: 3 * POINTS },
    (_, k) => k % 3 === 0 ? points[k] : -points[k],
  );
}

/** The points moved, turned and scaled so that the rigid ones lie on those of `target`. */
function laidOver(points: Float64Array, target: Float64Array): Float64Array {
  return transformPoints(fitSimilarity(points, target, RIGID_POINTS), points);
}

/** How strongly {@link straightened} holds on to the identity, against 150 points of spread 0.1. */
const AFFINE_PRIOR = 0.15;

/** The points under the affine map, close to the identity, that brings the rigid ones to `target`. */
function straightened(
  points: Float64Array,
  target: Float64Array,
): Float64Array {
  const centre = [0, 1, 2].map((k) =>
    RIGID_POINTS.reduce((sum, i) => sum + points[3 * i + k], 0) /
    RIGID_POINTS.length
  );
  const row = (
    i: number,
  ) => [...centre.map((c, k) => points[3 * i + k] - c), 1];
  const normal = [0, 1, 2, 3].map((a) =>
    [0, 1, 2, 3].map((b) => a === b ? AFFINE_PRIOR : 0)
  );
  const right = [0, 1, 2].map(() => [0, 0, 0, 0]);
  for (const i of RIGID_POINTS) {
    const p = row(i);
    for (let a = 0; a < 4; a++) {
      for (let b = 0; b < 4; b++) normal[a][b] += p[a] * p[b];
      for (let k = 0; k < 3; k++) {
        right[k][a] += p[a] * (target[3 * i + k] - points[3 * i + k]);
      }
    }
  }
  const maps = right.map((b) => solve(normal, b));
  return points.map((value, at) => {
    const p = row(Math.floor(at / 3));
    return value + maps[at % 3].reduce((sum, m, a) => sum + m * p[a], 0);
  });
}

/**
 * The frame at rest: among the frames whose mouth is nearly as shut as it gets, whose eyes are not
 * blinking and whose head is turned least, the one most like all the others of these.
 */
function restingFrame(
  frames: readonly Float64Array[],
  angles: readonly CameraAngles[],
): number {
  const mouths = frames.map(mouthOpening);
  const eyes = frames.map((points) => Math.min(...eyeOpenings(points)));
  const turns = angles.map(({ yaw, pitch }) => Math.hypot(yaw, pitch));
  const shut = quantile(mouths, 0.05) +
    0.1 * (Math.max(...mouths) - Math.min(...mouths)) + 0.01;
  const open = 0.85 * quantile(eyes, 0.5);
  const all = frames.map((_, i) => i);
  const calm = all.filter((i) => mouths[i] <= shut && eyes[i] >= open);
  const pool = calm.length > 0 ? calm : [mouths.indexOf(Math.min(...mouths))];
  const facing = quantile(pool.map((i) => turns[i]), 0.5);
  return medoid(frames, pool.filter((i) => turns[i] <= facing));
}

function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.round(q * (sorted.length - 1))];
}

/** The member with the smallest sum of distances to the other members. */
function medoid(
  frames: readonly Float64Array[],
  members: readonly number[],
): number {
  const distance = (a: Float64Array, b: Float64Array) =>
    Math.sqrt(a.reduce((sum, value, k) => sum + (value - b[k]) ** 2, 0));
  const cost = (i: number) =>
    members.reduce((sum, j) => sum + distance(frames[i], frames[j]), 0);
  return members.reduce(
    (best, i) => cost(i) < cost(best) ? i : best,
    members[0],
  );
}

/** How the driving head's turning reaches the source's. */
export interface DrivingCameraOptions {
  /** Scale of the turning, 1 as tracked. */
  readonly scale?: number;
  /**
   * "absolute": the camera of the driving frame itself, as the method does (default); "relative":
   * the turning since the resting frame on top of the source's pose.
   */
  readonly pose?: "absolute" | "relative";
  /** Which heads the generator was shown, see {@linkcode cameraAt}; "mannequin" when absent. */
  readonly framing?: Framing;
}

/**
 * The generator's camera for one frame of a motion.
 *
 * @param source camera of the aligned portrait
 */
export function drivingCamera(
  motion: Motion,
  frame: number,
  source: CameraAngles,
  { scale = 1, pose = "absolute", framing = "mannequin" }:
    DrivingCameraOptions = {},
): Cam2World {
  const now = motion.frames[frame].angles;
  const rest = pose === "absolute"
    ? undefined
    : motion.frames[motion.neutral].angles;
  const turned = (axis: keyof CameraAngles) =>
    rest ? source[axis] + scale * (now[axis] - rest[axis]) : scale * now[axis];
  return cameraAt(framing, {
    yaw: turned("yaw"),
    pitch: turned("pitch"),
    roll: turned("roll"),
  });
}
