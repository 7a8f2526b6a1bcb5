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
import { makeAvatar } from "./make_avatar.ts";
import { ensureFolder } from "./media/files.ts";
import type { AnimateOptions } from "./options.ts";
import { openClip } from "./preprocessed.ts";
import { presetOf } from "./presets.ts";
import {
  addExpression,
  heldExpression,
} from "./reenactment/expression_motion.ts";
import {
  type FrameWatcher,
  type LoadedPerformance,
  loadPerformance,
} from "./reenactment/performance.ts";
import { smoothMotion } from "./reenactment/smoothing.ts";
import { Report } from "./report.ts";
import type { Run } from "./run.ts";
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
  const clip = preprocessed !== undefined
    ? await report.timed("performance", () => openClip(run, preprocessed))
    : deca
    ? await openDecaClip(run, deca, (watch) => perform(run, options, watch))
    : null;
  const performance = clip?.performance ??
    await report.timed("performance", () => perform(run, options));
  const avatar = options.avatar
    ? await loadAvatar(device, options.avatar)
    : await makeAvatar(run, performance.motion, clip?.prepare);
  await showAvatar(run, avatar, performance);
  await run.folder?.remove();
  return report;
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
  const { motion, pictures } = await loadPerformance(
    driving,
    { fps, maxFrames, start, end, mostFps: preset.fps },
    () => Promise.resolve(networks),
    context.progress,
    context.signal,
    watch,
  );
  const smooth = options.smoothing ? smoothMotion(motion) : motion;
  return {
    motion: expression
      ? addExpression(smooth, expression, options.expressionScale)
      : smooth,
    pictures,
  };
}
