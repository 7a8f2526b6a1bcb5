/**
 * `animate --deca`: the published stage B in the place of FaceMesh's.
 *
 * @module
 */
import { loadPortrait } from "./face/portrait.ts";
import type { Preparation } from "./make_avatar.ts";
import type { FrameWatcher } from "./reenactment/performance.ts";
import type { LoadedPerformance } from "./reenactment/performance.ts";
import type { Run } from "./run.ts";
import { type DecaOptions, DecaStage } from "./transfer/deca/stage.ts";
import { SUPERSAMPLING } from "./transfer/targets.ts";
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
 * @param perform reads the performance and shows its frames to the watcher
 * @throws {WeightsError} when a file of DECA or FLAME cannot be used
 * @throws {PantomimeError} when the performance or, later, the portrait cannot be used
 */
export async function openDecaClip(
  run: Run,
  options: DecaOptions,
  perform: (watch: FrameWatcher) => Promise<LoadedPerformance>,
): Promise<DecaClip> {
  const { device, report, networks, context } = run;
  const { source, face, eyes, expressionScale } = run.options;
  const stage = await DecaStage.open(device, options);
  stage.describe(context.progress);
  const performance = await report.timed(
    "performance",
    () => perform((picture, points) => stage.watch(picture, points)),
  );
  return {
    performance,
    prepare: async (side, framing) => {
      using _done = stage;
      const aligned = await report.timed("portrait", () =>
        loadPortrait(
          networks,
          source,
          SUPERSAMPLING * side,
          face,
          context.progress,
          { framing },
        ));
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
