/**
 * A driving performance, whatever its form, to a motion.
 *
 * @module
 */
import type { Progress } from "../context.ts";
import { PantomimeError } from "../errors.ts";
import type { Cam2World } from "../face/camera.ts";
import type { FaceNetworks } from "../face/find.ts";
import { trackFace } from "../face/track.ts";
import { type DrivingFrames, openDriving } from "../media/driving.ts";
import { fitWithin, type Picture } from "../media/picture.ts";
import { type Excerpt, pickFrames } from "../media/timeline.ts";
import { type Motion, recordMotion } from "./motion.ts";
import { readMotion } from "./motion_file.ts";
import { smoothMotion } from "./smoothing.ts";

/** Pixels that the pictures of a performance are kept with, for comparisons. */
const KEPT_SIDE = 256;

/** A performance, read or recorded. */
export interface LoadedPerformance {
  /** What the face did. */
  motion: Motion;
  /** One picture a frame, small; null when the performance was a motion file. */
  pictures: Picture[] | null;
  /** One camera a frame, where they were measured elsewhere; the motion's angles decide when absent. */
  cameras?: readonly Cam2World[];
}

/** Sees every frame of a performance in turn, with FaceMesh's points of its face, if there is one. */
export type FrameWatcher = (
  picture: Picture,
  points: Float32Array | null,
) => Promise<void> | void;

/** Frames of a performance that may lack a face, as a share. */
const MOST_MISSING = 0.5;

/** Part and density of a performance. */
export interface PerformanceOptions extends Excerpt {
  /** Frames per second at most when `fps` is not given. */
  readonly mostFps: number;
}

/**
 * Reads or records the motion of a performance.
 *
 * @param networks made when pictures have to be tracked
 * @param watch called for each picture; never for a motion file
 * @throws {PantomimeError} when it cannot be read or shows no face
 */
export async function loadPerformance(
  path: string,
  options: PerformanceOptions,
  networks: () => Promise<FaceNetworks>,
  progress: Progress,
  signal: AbortSignal,
  watch?: FrameWatcher,
): Promise<LoadedPerformance> {
  let driving = await openDriving(path, options);
  if (driving.kind === "motion") {
    const motion = await readMotion(driving.path);
    const fps = options.fps ?? Math.min(motion.fps, options.mostFps);
    return {
      motion: excerptOf(motion, { ...options, fps }, path),
      pictures: null,
    };
  }
  if (options.fps === undefined && driving.fps > options.mostFps) {
    const sparser = await openDriving(path, {
      ...options,
      fps: options.mostFps,
    });
    if (sparser.kind === "frames") driving = sparser;
  }
  return await trackPerformance(
    driving,
    await networks(),
    progress,
    signal,
    watch,
  );
}

/**
 * The motion of a performance, smoothed or not.
 *
 * @param smoothing when left out, pictures are smoothed and motion files, which were smoothed before
 * they were written, are not
 */
export function smoothed(
  { motion, pictures }: LoadedPerformance,
  smoothing: boolean = pictures !== null,
): Motion {
  return smoothing ? smoothMotion(motion) : motion;
}

/** The part of a motion that is asked for; its resting face stays what it was. */
function excerptOf(motion: Motion, excerpt: Excerpt, name: string): Motion {
  const fps = excerpt.fps ?? motion.fps;
  const ends = motion.frames.map((_, k) => (k + 1) / motion.fps);
  const picked = pickFrames(ends, fps, excerpt, name);
  const neutral = Math.max(0, picked.indexOf(motion.neutral));
  return {
    ...motion,
    fps,
    neutral,
    frames: picked.map((k) => motion.frames[k]),
  };
}

/**
 * Records the motion of pictures.
 *
 * @param watch called for each of them
 * @throws {PantomimeError} when half of them show no face
 */
export async function trackPerformance(
  driving: DrivingFrames,
  networks: FaceNetworks,
  progress: Progress,
  signal: AbortSignal,
  watch?: FrameWatcher,
): Promise<LoadedPerformance> {
  const total = Number.isFinite(driving.count) ? driving.count : undefined;
  const stage = progress.stage("Following the performance", total);
  const meshes: (Float32Array | null)[] = [], pictures: Picture[] = [];
  let current: Picture;
  async function* watched() {
    for await (const picture of driving.frames) {
      current = picture;
      pictures.push(await fitWithin(picture, KEPT_SIDE));
      yield picture;
    }
  }
  for await (const found of trackFace(networks, watched())) {
    signal.throwIfAborted();
    meshes.push(found?.points ?? null);
    await watch?.(current!, found?.points ?? null);
    stage.update(meshes.length);
  }
  const missing = meshes.filter((mesh) => !mesh).length;
  if (missing > MOST_MISSING * meshes.length) {
    throw new PantomimeError(
      `A face was seen in only ${
        meshes.length - missing
      } of ${meshes.length} frames of "${driving.path}"; use a performance that shows one face throughout.`,
    );
  }
  stage.finish(`${meshes.length} frames`);
  if (missing > 0) {
    progress.warn(
      `${missing} of ${meshes.length} frames show no face; their neighbours stand in.`,
    );
  }
  return { motion: recordMotion(held(meshes), driving.fps), pictures };
}

/** Frames without a face repeat the last one before them, or the first one at all. */
function held(meshes: readonly (Float32Array | null)[]): Float32Array[] {
  let last = meshes.find((mesh) => mesh !== null)!;
  return meshes.map((mesh) => last = mesh ?? last);
}
