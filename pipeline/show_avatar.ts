/**
 * Stage E of the method, and what is written and measured at the end.
 *
 * @module
 */
import type { Avatar } from "./avatar.ts";
import { type Cam2World, cameraAngles, cameraLabel } from "./face/camera.ts";
import { FaceDescriber } from "./face/description.ts";
import { cameraAs, cameraAt, type Framing, framingOf } from "./face/framing.ts";
import { renderHead } from "./generator/generator.ts";
import { Painter } from "./generator/painter.ts";
import type { Picture } from "./media/picture.ts";
import type { AnimateOptions } from "./options.ts";
import { measureQuality, psnr } from "./quality.ts";
import { blendLatents } from "./reenactment/blend.ts";
import { drivingCamera, type Motion } from "./reenactment/motion.ts";
import type { LoadedPerformance } from "./reenactment/performance.ts";
import { renderFrames } from "./reenactment/render.ts";
import { pictureOf, writeResults } from "./results.ts";
import type { Run } from "./run.ts";

/**
 * Stage E: shows an avatar with a performance, writes the results and measures them.
 *
 * @throws {PantomimeError} when the folder cannot be written to
 * @throws {DOMException} `AbortError` when the run is interrupted
 */
export async function showAvatar(
  run: Run,
  avatar: Avatar,
  { motion, pictures, cameras: given }: LoadedPerformance,
): Promise<void> {
  const { device, options, preset, context, report, networks } = run;
  const cameras = camerasOf(options, motion, {
    framing: framingOf(avatar.generator.config),
    source: avatar.camera,
    given,
  });
  const ws = options.avatar
    ? blendLatents(avatar.motion, avatar.ws, avatar.source, motion)
    : avatar.ws;
  const head = { ...avatar, ws, sourceCamera: avatar.camera };
  const stage = context.progress.stage("Rendering", cameras.length);
  const frames: Picture[] = [];
  await report.timed("rendering", () =>
    renderFrames(device, head, cameras, {
      sampleFactor: preset.sampleFactor,
      painter: new Painter(
        avatar.generator,
        options.precision,
        (line) => context.progress.warn(line),
      ),
      signal: context.signal,
      onFrame: (k, picture) => {
        frames.push(pictureOf(picture));
        stage.update(k + 1);
      },
    }));
  const side = Math.sqrt(avatar.portrait.length / 3);
  const portrait: Picture = {
    width: side,
    height: side,
    data: avatar.portrait,
  };
  const files = await report.timed(
    "writing",
    () =>
      writeResults(options.out, {
        portrait,
        frames,
        motion,
        pictures,
        cameras,
        camera: avatar.camera,
      }),
  );
  const measuring = context.progress.stage("Measuring", frames.length);
  await report.timed("measuring", async () => {
    using describer = await FaceDescriber.load(device);
    const own = await renderHead(
      avatar.generator,
      avatar.source,
      cameraLabel(avatar.camera),
    );
    report.quality = await measureQuality(networks, describer, frames, {
      portrait,
      cameras,
      mouthOpening: motion.frames.map(({ mouthOpening }) => mouthOpening),
      sourcePsnr: psnr(pictureOf(own).data, portrait.data),
    }, (done) => measuring.update(done));
  });
  await report.write(frames.length, motion.fps);
  report.print(context, files);
}

/** The cameras that frames follow from. */
interface KnownCameras {
  /** Which heads the generator was shown. */
  readonly framing: Framing;
  /** The portrait's. */
  readonly source: Cam2World;
  /** Each frame's, where they were measured. */
  readonly given?: readonly Cam2World[];
}

/** The camera of each frame: the performance's, or the source's, and the orbit on top. */
export function camerasOf(
  { pose, poseScale, orbit }: Pick<
    AnimateOptions,
    "pose" | "poseScale" | "orbit"
  >,
  motion: Motion,
  { framing, source, given }: KnownCameras,
): Cam2World[] {
  const own = cameraAngles(source);
  const driven = (k: number) =>
    given
      ? cameraAs(framing, given[k])
      : drivingCamera(motion, k, own, { scale: poseScale, framing });
  return motion.frames.map((_, k) => {
    const camera = pose === "source" ? source : driven(k);
    if (orbit === 0) return camera;
    const angles = cameraAngles(camera);
    const swing = orbit * Math.sin(2 * Math.PI * k / motion.frames.length);
    return cameraAt(framing, { ...angles, yaw: angles.yaw + swing });
  });
}
