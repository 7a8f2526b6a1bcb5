/**
 * `animate --deca`: the published stage B in the place of FaceMesh's.
 *
 * @module
 */
import type { AlignedPortrait } from "./face/crop.ts";
import type { Preparation } from "./make_avatar.ts";
import type { FrameWatcher } from "./reenactment/performance.ts";
import type { LoadedPerformance } from "./reenactment/performance.ts";
import type { Run } from "./run.ts";
import { type DecaOptions, DecaStage } from "./transfer/deca/stage.ts";
import { targetsOf } from "./transfer/targets_of.ts";

/** A clip as DECA sees it. */
export interface DecaClip {
  /** What the face does, as FaceMesh sees it: cameras and comparisons follow from it. */
  readonly performance: LoadedPerformance;
  /** Its camera and targets for a generator. */
  readonly prepare: Preparation;
}

/**
 * Watches a performance with DECA.
 *
 * @param aligned the portrait
 * @param perform reads the performance and shows its frames to the watcher
 * @throws {WeightsError} when a file of DECA or FLAME cannot be used
 * @throws {PantomimeError} when the performance cannot be used
 */
export async function openDecaClip(
  run: Run,
  options: DecaOptions,
  aligned: AlignedPortrait,
  perform: (watch: FrameWatcher) => Promise<LoadedPerformance>,
): Promise<DecaClip> {
  const { device, report, context } = run;
  const { source, eyes, expressionScale } = run.options;
  const stage = await DecaStage.open(device, options);
  stage.describe(context.progress);
  const performance = await report.timed(
    "performance",
    () => perform((picture, points) => stage.watch(picture, points)),
  );
  return {
    performance,
    prepare: async (side) => {
      using _done = stage;
      const progress = context.progress.stage(
        "Transferring expressions",
        performance.motion.frames.length,
      );
      const targets = await report.timed(
        "transfer",
        async () =>
          await targetsOf(
            device,
            await stage.transfer(aligned, {
              name: source,
              eyes,
              expressionScale,
            }),
            aligned.picture,
            side,
            (done) => {
              context.signal.throwIfAborted();
              progress.update(done);
            },
          ),
      );
      return { camera: aligned.cam2world, targets };
    },
  };
}
