/**
 * The whole method, from a portrait and a performance to an animation:
 *
 *   A  portrait     detect, crop, camera
 *      performance  track, motion
 *   B  targets      the portrait with each frame's expression
 *   C  projection   w of the portrait and of each frame
 *   D  tuning       one generator for all of them
 *   E  frames       each frame at its camera, composited
 *
 * @module
 */
import { type Device, openDevice } from "../engine/mod.ts";
import {
  generatorWeights,
  loadMannequin,
  readSafetensors,
} from "../weights/mod.ts";
import { type Avatar, loadAvatar, saveAvatar } from "./avatar.ts";
import type { RunContext } from "./context.ts";
import {
  type Cam2World,
  cameraAngles,
  cameraFromAngles,
  cameraLabel,
} from "./face/camera.ts";
import type { AlignedPortrait } from "./face/crop.ts";
import { FaceDescriber } from "./face/description.ts";
import { type FaceNetworks, loadFaceNetworks } from "./face/find.ts";
import { loadPortrait } from "./face/portrait.ts";
import { synthesis } from "./generator/generator.ts";
import {
  copyGenerator,
  type Generator,
  loadGenerator,
} from "./generator/state.ts";
import { expectedShifts } from "./inversion/expressions.ts";
import { inpaintMouth } from "./inversion/inpaint.ts";
import { project } from "./inversion/project.ts";
import { type Pivot, tune } from "./inversion/tune.ts";
import { loadFaceFeatures } from "./losses/networks.ts";
import { ensureFolder } from "./media/files.ts";
import type { Picture } from "./media/picture.ts";
import type { AnimateOptions } from "./options.ts";
import { type Preset, presetOf } from "./presets.ts";
import { measureQuality, psnr } from "./quality.ts";
import { blendLatents } from "./reenactment/blend.ts";
import { drivingCamera, type Motion } from "./reenactment/motion.ts";
import {
  type LoadedPerformance,
  loadPerformance,
} from "./reenactment/performance.ts";
import { renderFrames } from "./reenactment/render.ts";
import { smoothMotion } from "./reenactment/smoothing.ts";
import { Report } from "./report.ts";
import { pictureOf, writeResults } from "./results.ts";
import { RunFolder } from "./run_folder.ts";
import {
  type ExpressionTargets,
  expressionTargets,
  SUPERSAMPLING,
} from "./transfer/targets.ts";

/** What every stage of a run may use. */
interface Run {
  device: Device;
  options: AnimateOptions;
  preset: Preset;
  context: RunContext;
  report: Report;
  networks: FaceNetworks;
  /** Intermediate results, once there are any. */
  folder: RunFolder | null;
}

/**
 * Animates a portrait, or shows an avatar of an earlier run, and writes
 * everything into the folder `options.out`.
 *
 * @throws {PantomimeError} when something about the inputs, the folder or the
 * machine does not allow it
 * @throws {DOMException} `AbortError` when the context's signal fires
 */
export async function runAnimate(
  options: AnimateOptions,
  context: RunContext,
): Promise<Report> {
  await ensureFolder(options.out);
  using device = await openDevice();
  const report = new Report(device, options);
  const networks = await loadFaceNetworks(device);
  const run: Run = {
    device,
    options,
    preset: presetOf(options),
    context,
    report,
    networks,
    folder: null,
  };
  const performance = await report.timed("performance", () => perform(run));
  const avatar = options.avatar
    ? await loadAvatar(device, options.avatar)
    : await makeAvatar(run, performance.motion);
  await show(run, avatar, performance);
  await run.folder?.remove();
  return report;
}

/** Reads or records the driving performance. */
async function perform(
  { options, preset, context, networks }: Run,
): Promise<LoadedPerformance> {
  const { fps, start, end } = options;
  const maxFrames = options.frames ?? preset.frames;
  const { motion, pictures } = await loadPerformance(
    options.driving,
    { fps, maxFrames, start, end, mostFps: preset.fps },
    () => Promise.resolve(networks),
    context.progress,
    context.signal,
  );
  return {
    motion: options.smoothing ? smoothMotion(motion) : motion,
    pictures,
  };
}

/** Stages A to D. */
async function makeAvatar(run: Run, motion: Motion): Promise<Avatar> {
  const { device, options, context, report, networks } = run;
  const weights = options.generator
    ? generatorWeights(
      await readSafetensors(options.generator),
      options.generator,
    )
    : await loadMannequin();
  const generator = loadGenerator(device, weights);
  const side = generator.config.img_resolution;
  const aligned = await report.timed(
    "portrait",
    () =>
      loadPortrait(
        networks,
        options.source,
        SUPERSAMPLING * side,
        options.face,
        context.progress,
      ),
  );
  const targets = await report.timed(
    "transfer",
    () => transfer(run, aligned, motion, side),
  );
  const folder = run.folder = await RunFolder.open(
    options.out,
    await report.fingerprint(),
    options.resume,
  );
  const label = cameraLabel(aligned.cam2world);
  const ws = await report.timed(
    "projection",
    () => projectClip(run, generator, label, motion, targets, folder),
  );
  const tuned = await report.timed(
    "tuning",
    () => tuneClip(run, generator, label, targets, ws, folder),
  );
  const avatar: Avatar = {
    generator: tuned,
    camera: aligned.cam2world,
    source: ws[0],
    ws: ws.slice(1),
    motion,
    faceMask: targets.faceMask,
    portrait: Uint8Array.from(pictureOf(targets.portrait.edited).data),
  };
  await saveAvatar(device, report.path("avatar.safetensors"), avatar);
  return avatar;
}

/** Stage B. */
async function transfer(
  { device, options, context }: Run,
  aligned: AlignedPortrait,
  motion: Motion,
  side: number,
): Promise<ExpressionTargets> {
  const { expressionScale, eyes } = options;
  const stage = context.progress.stage(
    "Transferring expressions",
    motion.frames.length,
  );
  return await expressionTargets(device, aligned, motion, side, {
    expressionScale,
    eyes,
  }, (done) => {
    context.signal.throwIfAborted();
    stage.update(done);
  });
}

/** Stage C: w of the portrait, then of each frame. */
async function projectClip(
  { device, options, preset, context, report }: Run,
  generator: Generator,
  label: Float32Array,
  motion: Motion,
  targets: ExpressionTargets,
  folder: RunFolder,
): Promise<Float32Array[]> {
  const { firstSteps, nextSteps } = preset.projection;
  const all = [targets.portrait, ...targets.frames];
  const stage = context.progress.stage(
    "Inverting",
    firstSteps + nextSteps * targets.frames.length,
  );
  using _scope = device.scope();
  const network = await loadFaceFeatures(device);
  const done = await folder.latents();
  const shifts = preset.shiftScale === 0 ? null : await expectedShifts(
    device,
    generator,
    label,
    motion,
    options.expressionScale,
  );
  const { ws, losses } = await project(
    device,
    generator,
    network,
    label,
    all,
    preset.projection,
    {
      signal: context.signal,
      done,
      shifts: shifts && [
        new Float32Array(shifts[0].length),
        ...shifts.map((shift) => shift.map((v) => preset.shiftScale * v)),
      ],
      onStep: (frame, step) =>
        stage.update(
          frame === 0 ? step : firstSteps + (frame - 1) * nextSteps + step,
        ),
      onFrame: async (_frame, w, _loss) => {
        done.push(w);
        await folder.saveLatents(done);
      },
    },
  );
  report.losses.projection = losses;
  report.steps.projection = firstSteps + nextSteps * targets.frames.length;
  return ws;
}

/** The portrait itself is a pivot once for so many frames. */
const PORTRAIT_EVERY = 6;

/** Stage D: one generator for the portrait and all frames, mouths inpainted. */
async function tuneClip(
  { device, preset, context, report }: Run,
  original: Generator,
  label: Float32Array,
  targets: ExpressionTargets,
  ws: readonly Float32Array[],
  folder: RunFolder,
): Promise<Generator> {
  const side = original.config.img_resolution;
  const generator = copyGenerator(device, original);
  const stage = context.progress.stage("Tuning", preset.tuning.steps);
  using _scope = device.scope();
  const network = await loadFaceFeatures(device);
  const { edited, face } = targets.portrait;
  const portrait: Pivot = { w: ws[0], picture: edited, face };
  const pivots: Pivot[] = [];
  for (const [k, target] of targets.frames.entries()) {
    if (k % PORTRAIT_EVERY === 0) pivots.push(portrait);
    const render = await view(device, original, ws[k + 1], label);
    const picture = inpaintMouth(target, render, side, preset.inpainting);
    pivots.push({ w: ws[k + 1], picture, face: target.face });
  }
  report.steps.tuning = preset.tuning.steps;
  report.losses.tuning = await tune(
    device,
    generator,
    network,
    label,
    pivots,
    preset.tuning,
    {
      signal: context.signal,
      resume: await folder.tuning(),
      onCheckpoint: (checkpoint) => folder.saveTuning(checkpoint),
      onStep: (step, loss) =>
        stage.update(
          step,
          loss === undefined ? undefined : `loss ${loss.toFixed(4)}`,
        ),
    },
  );
  return generator;
}

/** (3, S, S) of one head from one camera. */
async function view(
  device: Device,
  generator: Generator,
  w: Float32Array,
  label: Float32Array,
): Promise<Float32Array> {
  using _scope = device.scope();
  const { image } = device.withoutTape(() =>
    synthesis(
      generator,
      device.tensor(w, [1, w.length]),
      device.tensor(label, [1, 25]),
    )
  );
  return await image.data();
}

/** Stage E, results and figures. */
async function show(
  run: Run,
  avatar: Avatar,
  { motion, pictures }: LoadedPerformance,
): Promise<void> {
  const { device, options, preset, context, report, networks } = run;
  const cameras = camerasOf(options, motion, avatar.camera);
  const ws = options.avatar
    ? blendLatents(avatar.motion, avatar.ws, avatar.source, motion)
    : avatar.ws;
  const head = { ...avatar, ws, sourceCamera: avatar.camera };
  const stage = context.progress.stage("Rendering", cameras.length);
  const frames: Picture[] = [];
  await report.timed("rendering", () =>
    renderFrames(device, head, cameras, {
      sampleFactor: preset.sampleFactor,
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
    const own = await view(
      device,
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

/** The camera of each frame: the performance's, or the source's, and the orbit on top. */
function camerasOf(
  options: AnimateOptions,
  motion: Motion,
  source: Cam2World,
): Cam2World[] {
  const own = cameraAngles(source);
  return motion.frames.map((_, k) => {
    const driven = options.pose === "source"
      ? source
      : drivingCamera(motion, k, own, { scale: options.poseScale });
    if (options.orbit === 0) return driven;
    const angles = cameraAngles(driven);
    const swing = options.orbit *
      Math.sin(2 * Math.PI * k / motion.frames.length);
    return cameraFromAngles({ ...angles, yaw: angles.yaw + swing });
  });
}
