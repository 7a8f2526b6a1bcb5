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
import { openDevice } from "../engine/mod.ts";
import { loadAvatar } from "./avatar.ts";
import type { RunContext } from "./context.ts";
import { openDecaClip } from "./deca_clip.ts";
import { loadFaceNetworks } from "./face/find.ts";
import { beginAvatar, makeAvatar } from "./make_avatar.ts";
import { FRAME_FILE } from "./media/animation.ts";
import { ensureFolder, requireReplaceable } from "./media/files.ts";
import type { AnimateOptions } from "./options.ts";
import { openClip } from "./preprocessed.ts";
import { presetOf } from "./presets.ts";
import {
  addExpression,
  heldExpression,
} from "./reenactment/expression_motion.ts";
import type { Motion } from "./reenactment/motion.ts";
import {
  type FrameWatcher,
  type LoadedPerformance,
  loadPerformance,
  smoothed,
} from "./reenactment/performance.ts";
import { Report } from "./report.ts";
import { framesFolder } from "./results.ts";
import type { Run } from "./run.ts";
import { RunFolder } from "./run_folder.ts";
import { showAvatar } from "./show_avatar.ts";

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
  await requireFree(options);
  using device = await openDevice();
  const report = new Report(device, options);
  const networks = await loadFaceNetworks(device);
  const run: Run = {
    device,
    // with an expression on top, the performance has been scaled before it
    options: options.expression ? { ...options, expressionScale: 1 } : options,
    preset: presetOf(options),
    context,
    report,
    networks,
    folder: null,
  };
  const { preprocessed, deca } = options;
  // inputs that will not do are told before the performance is followed
  const shown = options.avatar
    ? await loadAvatar(device, options.avatar)
    : null;
  const begun = shown ? null : await beginAvatar(run);
  const clip = preprocessed !== undefined
    ? await report.timed("performance", () => openClip(run, preprocessed))
    : deca && begun?.portrait
    ? await openDecaClip(
      run,
      deca,
      begun.portrait,
      (watch) => perform(run, options, watch),
    )
    : null;
  const performance = clip?.performance ??
    await report.timed("performance", () => perform(run, options));
  const avatar = shown ??
    await makeAvatar(run, begun!, performance.motion, clip?.prepare);
  await showAvatar(run, avatar, performance);
  await run.folder?.remove();
  return report;
}

/** Results take the place of earlier results, but not of what they are made from. */
async function requireFree(options: AnimateOptions): Promise<void> {
  const { source, driving, preprocessed, avatar, out } = options;
  const inputs = [source, driving, preprocessed, avatar];
  await requireReplaceable(framesFolder(out), FRAME_FILE, inputs);
  if (avatar === undefined) await RunFolder.requireFree(out, inputs);
}

/** Reads or records the driving performance, and adds the expression that was asked for. */
async function perform(
  { preset, context, networks }: Run,
  options: AnimateOptions,
  watch?: FrameWatcher,
): Promise<LoadedPerformance> {
  const { driving, expression, fps, start, end } = options;
  if (driving === undefined) {
    const { frames = 1 } = options;
    const motion = heldExpression(expression ?? {}, frames, fps ?? preset.fps);
    return { motion, pictures: null };
  }
  const maxFrames = options.frames ?? preset.frames;
  const loaded = await loadPerformance(
    driving,
    { fps, maxFrames, start, end, mostFps: preset.fps },
    () => Promise.resolve(networks),
    context.progress,
    context.signal,
    watch,
  );
  const motion = smoothed(loaded, options.smoothing);
  return { ...loaded, motion: expressed(motion, options) };
}

/**
 * A motion with the expression that was asked for; its own is scaled with it, or for an avatar,
 * where no stage B will do that.
 */
export function expressed(
  motion: Motion,
  { expression, expressionScale, avatar }: Pick<
    AnimateOptions,
    "expression" | "expressionScale" | "avatar"
  >,
): Motion {
  const scaled = avatar !== undefined && expressionScale !== 1;
  return expression || scaled
    ? addExpression(motion, expression ?? {}, expressionScale)
    : motion;
}
