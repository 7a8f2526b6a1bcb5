/**
 * Stages A to D of the method: portrait, targets, projection, tuning.
 *
 * @module
 */
import { loadMannequin, readGenerator } from "../weights/mod.ts";
import { type Avatar, saveAvatar } from "./avatar.ts";
import { type Cam2World, cameraLabel } from "./face/camera.ts";
import type { AlignedPortrait } from "./face/crop.ts";
import { type Framing, framingOf } from "./face/framing.ts";
import { loadPortrait } from "./face/portrait.ts";
import { renderHead } from "./generator/generator.ts";
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
import type { Motion } from "./reenactment/motion.ts";
import { pictureOf } from "./results.ts";
import type { Run } from "./run.ts";
import { type Fingerprint, RunFolder } from "./run_folder.ts";
import {
  type ExpressionTargets,
  expressionTargets,
  SUPERSAMPLING,
} from "./transfer/targets.ts";

/** What stages C and D work on. */
export interface Prepared {
  /** Camera of the portrait. */
  camera: Cam2World;
  /** The portrait with every frame's face. */
  targets: ExpressionTargets;
}

/** What an avatar is made from, read before the performance is. */
export interface Beginning {
  /** To be tuned. */
  readonly generator: Generator;
  /** The aligned portrait; null when frames were preprocessed. */
  readonly portrait: AlignedPortrait | null;
  /** Of the run. */
  readonly fingerprint: Fingerprint;
}

/** Stages A and B for a generator of this framing whose pictures have `side` pixels a side. */
export type Preparation = (side: number, framing: Framing) => Promise<Prepared>;

/**
 * Reads whatever is needed besides the performance: following that takes time that is lost when
 * something else will not do.
 *
 * @throws {PantomimeError} when the portrait cannot be used, or the run to be resumed was another
 * @throws {WeightsError} when the generator cannot be used
 */
export async function beginAvatar(run: Run): Promise<Beginning> {
  const { device, options, context, report } = run;
  const fingerprint = await report.fingerprint();
  const { resume, out } = options;
  if (resume && !await RunFolder.canResume(out, fingerprint)) {
    context.progress.note(
      `There is no unfinished run in "${out}"; --resume starts afresh.`,
    );
  }
  const weights = options.generator
    ? await readGenerator(options.generator)
    : await loadMannequin();
  const generator = loadGenerator(device, weights);
  const portrait = options.preprocessed === undefined
    ? await report.timed("portrait", () => readPortrait(run, generator))
    : null;
  return { generator, portrait, fingerprint };
}

/** Stage A of the portrait. */
function readPortrait(
  { networks, options, context }: Run,
  { config }: Generator,
): Promise<AlignedPortrait> {
  return loadPortrait(
    networks,
    options.source,
    SUPERSAMPLING * config.img_resolution,
    options.face,
    context.progress,
    { framing: framingOf(config) },
  );
}

/**
 * Stages B to D: a portrait and a motion to a tuned head, saved as `avatar.safetensors`.
 *
 * @param begun what was read before
 * @param motion what the targets' faces do
 * @param prepare camera and targets; those of the portrait, with FaceMesh, when left out
 * @throws {PantomimeError} when the frames or the folder cannot be used
 * @throws {DOMException} `AbortError` when the run is interrupted
 */
export async function makeAvatar(
  run: Run,
  { generator, portrait, fingerprint }: Beginning,
  motion: Motion,
  prepare: Preparation = (side) =>
    prepareWithFaceMesh(run, portrait!, motion, side),
): Promise<Avatar> {
  const { device, options, report } = run;
  const { camera, targets } = await prepare(
    generator.config.img_resolution,
    framingOf(generator.config),
  );
  const folder = run.folder = await RunFolder.open(
    options.out,
    fingerprint,
    options.resume,
  );
  const label = cameraLabel(camera);
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
    camera,
    source: ws[0],
    ws: ws.slice(1),
    motion,
    faceMask: targets.faceMask,
    portrait: Uint8Array.from(pictureOf(targets.portrait.edited).data),
  };
  await saveAvatar(device, report.path("avatar.safetensors"), avatar);
  return avatar;
}

/** Stage B as Pantomime does it. */
async function prepareWithFaceMesh(
  run: Run,
  aligned: AlignedPortrait,
  motion: Motion,
  side: number,
): Promise<Prepared> {
  const targets = await run.report.timed(
    "transfer",
    () => transfer(run, aligned, motion, side),
  );
  return { camera: aligned.cam2world, targets };
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
      resume: await folder.projection(),
      onCheckpoint: (checkpoint) => folder.saveProjection(checkpoint),
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
  const count = targets.frames.length;
  const stage = context.progress.stage("Tuning", count + preset.tuning.steps);
  using _scope = device.scope();
  const network = await loadFaceFeatures(device);
  const { edited, face } = targets.portrait;
  const portrait: Pivot = { w: ws[0], picture: edited, face };
  const pivots: Pivot[] = [];
  for (const [k, target] of targets.frames.entries()) {
    if (k % PORTRAIT_EVERY === 0) pivots.push(portrait);
    const render = await renderHead(original, ws[k + 1], label);
    const picture = inpaintMouth(target, render, side, preset.inpainting);
    pivots.push({ w: ws[k + 1], picture, face: target.face });
    stage.update(k + 1);
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
          count + step,
          loss === undefined ? undefined : `loss ${loss.toFixed(4)}`,
        ),
    },
  );
  return generator;
}
