/**
 * `animate --preprocessed`: a folder of the published preprocessing in the place of the driving
 * performance and of stages A and B.
 *
 * @module
 */
import { PantomimeError } from "./errors.ts";
import { type Cam2World, cameraAngles, frontalCamera } from "./face/camera.ts";
import { cropPicture } from "./face/crop.ts";
import { findFace } from "./face/find.ts";
import { cameraAs, type Framing, placementUnder } from "./face/framing.ts";
import type { Preparation, Prepared } from "./make_avatar.ts";
import { type Picture, readPicture, resize } from "./media/picture.ts";
import { pickFrames } from "./media/timeline.ts";
import { type AnimateOptions, BUNDLED_SOURCE } from "./options.ts";
import type { Motion } from "./reenactment/motion.ts";
import {
  type LoadedPerformance,
  trackPerformance,
} from "./reenactment/performance.ts";
import { smoothMotion } from "./reenactment/smoothing.ts";
import type { Run } from "./run.ts";
import {
  readSourcePose,
  readTargetPoses,
} from "./transfer/preprocessed/poses.ts";
import { excerptOf, openPreprocessed } from "./transfer/preprocessed/read.ts";
import { reframed } from "./transfer/preprocessed/reframe.ts";
import { filledFrame, targetsOf } from "./transfer/targets_of.ts";
import type { Transfer } from "./transfer/transferred.ts";

/** A clip that was preprocessed. */
export interface PreprocessedClip {
  /** What the faces of its frames do, and each frame's camera. */
  readonly performance: LoadedPerformance;
  /** Its camera and targets for a generator. */
  readonly prepare: Preparation;
}

/** The rate at which a folder's frames are shown when nothing else is said. */
const FOLDER_FPS = 25;

/**
 * Opens a preprocessed clip and follows the faces of its frames, so that stage C can start near them
 * and the result can be measured. The face at rest is the portrait's.
 *
 * @param path folder of frames
 * @throws {PantomimeError} when the folder, the photo or a camera cannot be used
 */
export async function openClip(
  run: Run,
  path: string,
): Promise<PreprocessedClip> {
  const { options, preset } = run;
  const all = await openPreprocessed(path);
  const fps = options.fps ?? Math.min(FOLDER_FPS, preset.fps);
  const picked = pickFrames(all.numbers.map((_, k) => (k + 1) / fps), fps, {
    start: options.start,
    end: options.end,
    maxFrames: options.frames ?? preset.frames,
  }, path);
  const transfer = excerptOf(all, picked);
  const photo = await readPhoto(options, transfer);
  const camera = options.sourcePose
    ? await readSourcePose(options.sourcePose, transfer.name)
    : frontalCamera();
  const cameras = await camerasOf(options, transfer, camera);
  return {
    performance: {
      ...await follow(run, transfer, photo, { path, fps, cameras }),
      cameras,
    },
    prepare: (side, framing) =>
      run.report.timed(
        "transfer",
        () => prepare(run, { transfer, photo, camera }, side, framing),
      ),
  };
}

/** The bundled portrait is no aligned crop, so it stands for none given. */
async function readPhoto(
  { source }: AnimateOptions,
  { name, side }: Transfer,
): Promise<Picture | null> {
  if (source === BUNDLED_SOURCE) return null;
  const photo = await readPicture(source);
  if (photo.width !== photo.height) {
    throw new PantomimeError(
      `"${source}" is ${photo.width}x${photo.height} pixels, but with --preprocessed the source is the square crop that the frames of "${name}" were made from; give that one, or none.`,
    );
  }
  return await resize(photo, side, side);
}

async function camerasOf(
  { targetPose, smoothing = true }: AnimateOptions,
  { numbers }: Transfer,
  source: Cam2World,
): Promise<Cam2World[]> {
  if (!targetPose) return numbers.map(() => source);
  return numbers.map(await readTargetPoses(targetPose, smoothing));
}

/** Tracks the portrait and the frames; the portrait's face is the one at rest. */
async function follow(
  { options, context, networks }: Run,
  transfer: Transfer,
  photo: Picture | null,
  { path, fps, cameras }: {
    path: string;
    fps: number;
    cameras: readonly Cam2World[];
  },
): Promise<LoadedPerformance> {
  const frames = async function* () {
    let first = true;
    for await (const frame of transfer.frames()) {
      if (first) yield photo ?? frame.rendered;
      first = false;
      yield filledFrame(frame);
    }
  };
  const { motion, pictures } = await trackPerformance(
    {
      kind: "frames",
      path,
      fps,
      count: transfer.numbers.length + 1,
      frames: { [Symbol.asyncIterator]: frames },
    },
    networks,
    context.progress,
    context.signal,
  );
  const [portrait, ...seen] = motion.frames;
  const clip: Motion = {
    fps,
    rest: portrait,
    neutral: Math.max(0, motion.neutral - 1),
    frames: seen,
  };
  const moved = options.smoothing ?? true ? smoothMotion(clip) : clip;
  return {
    motion: {
      ...moved,
      frames: moved.frames.map((frame, k) => ({
        ...frame,
        angles: cameraAngles(cameras[k]),
      })),
    },
    pictures: pictures && pictures.slice(1),
  };
}

/** Frames, the photo that they were made from and its camera. */
interface Frames {
  readonly transfer: Transfer;
  readonly photo: Picture | null;
  readonly camera: Cam2World;
}

/** Targets for a generator; where it knows heads of another size, the frames are cut anew. */
async function prepare(
  run: Run,
  given: Frames,
  side: number,
  framing: Framing,
): Promise<Prepared> {
  const { device, context } = run;
  const { transfer, photo, camera } = framing === "published"
    ? given
    : await framedForMannequin(run, given);
  const stage = context.progress.stage(
    "Reading the frames",
    transfer.numbers.length,
  );
  const targets = await targetsOf(device, transfer, photo, side, (done) => {
    context.signal.throwIfAborted();
    stage.update(done);
  });
  return { camera, targets };
}

async function framedForMannequin(
  { networks }: Run,
  { transfer, photo, camera: given }: Frames,
): Promise<Frames> {
  const portrait = photo ?? await firstPicture(transfer);
  const { landmarks } = await findFace(networks, portrait, transfer.name);
  const camera = cameraAs("mannequin", given);
  const placement = placementUnder(camera, landmarks.points);
  return {
    camera,
    transfer: reframed(transfer, placement),
    photo: cropPicture(portrait, placement, transfer.side),
  };
}

async function firstPicture(transfer: Transfer): Promise<Picture> {
  for await (const { rendered } of transfer.frames()) return rendered;
  throw new PantomimeError(`"${transfer.name}" has no frames; give some.`);
}
