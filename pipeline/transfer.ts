/**
 * Stages A and B alone: what the published preprocessing leaves for its inversion, made with
 * FaceMesh, or with DECA as published. Folder and files are laid out as in the published samples.
 *
 * @module
 */
import { join, parse } from "@std/path";
import { openDevice } from "../engine/mod.ts";
import type { RunContext } from "./context.ts";
import { UsageError } from "./errors.ts";
import type { Cam2World } from "./face/camera.ts";
import { writeCameras } from "./face/cameras_json.ts";
import { type FaceNetworks, loadFaceNetworks } from "./face/find.ts";
import { publishedCamera } from "./face/framing.ts";
import { loadPortrait } from "./face/portrait.ts";
import { ensureFolder, isSameFile, requireReplaceable } from "./media/files.ts";
import { writePicture } from "./media/picture.ts";
import type { Motion } from "./reenactment/motion.ts";
import {
  type FrameWatcher,
  loadPerformance,
  smoothed,
} from "./reenactment/performance.ts";
import { DecaStage } from "./transfer/deca/stage.ts";
import { faceMeshTransfer } from "./transfer/facemesh/frames.ts";
import { FRAME_NAME } from "./transfer/preprocessed/folder.ts";
import { frameKey } from "./transfer/preprocessed/poses.ts";
import { writePreprocessed } from "./transfer/preprocessed/write.ts";
import type { TransferOptions } from "./transfer_options.ts";

/** What {@linkcode runTransfer} wrote. */
export interface TransferResult {
  /** The folder of frames: what `--preprocessed` takes. */
  readonly frames: string;
  /** How many there are. */
  readonly count: number;
  /** The aligned portrait that they were made from. */
  readonly photo: string;
  /** Its camera. */
  readonly sourcePose: string;
  /** The frames' cameras. */
  readonly targetPose: string;
}

/** Pixels of a side, as published. */
const SIDE = 512;

/** Pixels that a head has to span; it is enlarged without limit in the published crop. */
const SMALLEST = 128;

/** Frames per second at most, as published clips have them. */
const MOST_FPS = 30;

/**
 * Writes the frames, the aligned portrait and the cameras into the folder `options.out`.
 *
 * @throws {UsageError} when a result would take the place of an input
 * @throws {PantomimeError} when something about the inputs, the folder or the machine does not allow it
 * @throws {DOMException} `AbortError` when the context's signal fires
 */
export async function runTransfer(
  options: TransferOptions,
  context: RunContext,
): Promise<TransferResult> {
  const { source, face, out } = options;
  await ensureFolder(out);
  const name = frameName(source);
  const places = placesIn(out, name);
  await requireFree(places, options);
  using device = await openDevice();
  const networks = await loadFaceNetworks(device);
  using deca = options.deca ? await DecaStage.open(device, options.deca) : null;
  deca?.describe(context.progress);
  const aligned = await loadPortrait(
    networks,
    source,
    SIDE,
    face,
    context.progress,
    { framing: "published", smallest: SMALLEST },
  );
  const motion = await perform(
    options,
    context,
    networks,
    (picture, points) => deca?.watch(picture, points),
  );
  const result: TransferResult = { ...places, count: motion.frames.length };
  const { eyes, expressionScale } = options;
  const transfer = deca
    ? await deca.transfer(aligned, { name, eyes, expressionScale })
    : faceMeshTransfer(device, name, aligned, motion, options);
  const stage = context.progress.stage("Transferring", result.count);
  try {
    await writePreprocessed(result.frames, transfer, options.format, (done) => {
      context.signal.throwIfAborted();
      stage.update(done);
    });
  } catch (error) {
    // an interruption is no failure to write
    context.signal.throwIfAborted();
    throw error;
  }
  await writePicture(result.photo, aligned.picture);
  await writeCameras(
    result.sourcePose,
    new Map([[`${name}.jpg`, aligned.cam2world]]),
  );
  await writeCameras(
    result.targetPose,
    new Map(motion.frames.map(({ angles }, k): [string, Cam2World] => [
      frameKey(k),
      publishedCamera(angles),
    ])),
  );
  return result;
}

/** Where everything goes. */
function placesIn(out: string, name: string): Omit<TransferResult, "count"> {
  return {
    frames: join(out, "output"),
    photo: join(out, `${name}.png`),
    sourcePose: join(out, "source_cameras.json"),
    targetPose: join(out, "target_cameras.json"),
  };
}

/** Results take the place of earlier results, but not of what they are made from. */
async function requireFree(
  { photo, frames }: Omit<TransferResult, "count">,
  { source, driving }: TransferOptions,
): Promise<void> {
  for (const input of [source, driving]) {
    if (!await isSameFile(photo, input)) continue;
    throw new UsageError(
      `"${input}" would be replaced by the aligned portrait of that name; give another --out.`,
    );
  }
  await requireReplaceable(frames, FRAME_NAME, [source, driving]);
}

async function perform(
  options: TransferOptions,
  { progress, signal }: RunContext,
  networks: FaceNetworks,
  watch: FrameWatcher,
): Promise<Motion> {
  const { driving, fps, start, end, frames, smoothing } = options;
  const performance = await loadPerformance(
    driving,
    { fps, start, end, maxFrames: frames, mostFps: MOST_FPS },
    () => Promise.resolve(networks),
    progress,
    signal,
    watch,
  );
  return smoothed(performance, smoothing);
}

/** The published inversion takes what stands before the first underscore for the photo's name. */
function frameName(source: string): string {
  return parse(source).name.replaceAll("_", "-");
}
