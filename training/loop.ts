/**
 * The training itself: steps, a look at the loss now and then, and every few
 * minutes a checkpoint, a preview and the figures of heads that it has not seen.
 *
 * @module
 */
import { join } from "@std/path";
import { add, affine, type Device, type Tensor } from "../engine/mod.ts";
import type { RunContext, Stage } from "../pipeline/context.ts";
import { PantomimeError } from "../pipeline/errors.ts";
import { loadFaceFeatures } from "../pipeline/losses/networks.ts";
import { ensureFolder } from "../pipeline/media/files.ts";
import { type Beginning, requireSameLatents } from "./begin.ts";
import type { HeadStudio } from "./heads/interface.ts";
import { heldOutShots } from "./heldout.ts";
import { Learner } from "./learner.ts";
import { TrainingLog } from "./log.ts";
import { Means } from "./means.ts";
import type { TrainOptions } from "./options.ts";
import { FILES, type TrainingRecord } from "./result.ts";
import {
  batchFactor,
  endOfLeg,
  type Leg,
  nextLeg,
  rateFactor,
} from "./schedule.ts";
import { Shelf } from "./shelf.ts";
import { save, secondsOf, type Sitting, SittingClock } from "./sitting.ts";
import { differentiate } from "./step.ts";
import { teachMapping } from "./teach.ts";

/** Steps between two looks at the loss. */
const LOOK = 10;
/** Heads and views of a preview, and of the figures in the log. */
const PREVIEW_HEADS = 4, PREVIEW_VIEWS = 2;
/** Steps of the first lesson of a training from nothing. */
const LESSON = 1500;

/**
 * Trains a generator, and leaves the result in the folder of the options.
 *
 * @param begun where it begins, {@linkcode beginning} of the same options
 * @throws {PantomimeError} when the folder cannot be used, the weights do not fit or the training diverges
 * @throws {DOMException} `AbortError` when the context's signal fires; everything is saved then
 */
export async function train(
  device: Device,
  studio: HeadStudio,
  { weights, state, tensors, from }: Beginning,
  options: TrainOptions,
  context: RunContext,
): Promise<TrainingRecord> {
  requireSameLatents(weights, studio);
  const leg = nextLeg(state.leg, state.step, options);
  const clock = new SittingClock(leg, state.step, options.minutes);
  await ensureFolder(join(options.out, FILES.previews));
  using _scope = device.scope();
  using learner = new Learner(device, weights);
  using means = new Means(device);
  if (tensors) learner.restore(state.step, tensors);
  else if (from === "none") {
    await firstLesson(device, learner, studio, options, context);
  }
  const { seed, batch, views } = options;
  const side = weights.config.img_resolution;
  const [heads, cameras] = [PREVIEW_HEADS, PREVIEW_VIEWS];
  const sitting: Sitting = {
    device,
    options,
    context,
    learner,
    means,
    from,
    shelf: new Shelf(device, studio, { seed, batch, views, side }),
    network: await loadFaceFeatures(device),
    heldOut: await heldOutShots(device, studio, heads, cameras, side),
    log: await TrainingLog.open(join(options.out, FILES.log), state.step),
    start: state,
    clock,
  };
  return await sit(sitting, leg);
}

/** Teaches the mapping network before there are pictures. */
async function firstLesson(
  device: Device,
  learner: Learner,
  studio: HeadStudio,
  { seed }: TrainOptions,
  { progress, signal }: RunContext,
): Promise<void> {
  const stage = progress.stage("First lesson", LESSON);
  const error = await teachMapping(
    device,
    learner.generator,
    studio,
    seed,
    LESSON,
    (done) => {
      signal.throwIfAborted();
      stage.update(done);
    },
  );
  learner.forgetAverage();
  stage.finish(`latents are read with an error of ${error.toFixed(2)}`);
}

/** Steps until the leg ends or the user has seen enough. */
async function sit(begun: Sitting, leg: Leg): Promise<TrainingRecord> {
  const { learner, options, context, device, clock } = begun;
  const { signal } = context;
  // figures of before the first step are those that all others are held against
  const before = begun.start.before ?? (await save(begun, leg)).state.before;
  const sitting = { ...begun, start: { ...begun.start, before } };
  const stage = context.progress.stage("Training", clock.total);
  let saved = performance.now(), looked = learner.steps;
  clock.mark(learner.steps);
  for (;;) {
    leg = clock.end(leg, learner.steps);
    if (signal.aborted || learner.steps >= endOfLeg(leg)) break;
    await takeStep(sitting, leg);
    // a CPU computes while commands are recorded: waiting costs it little, and Ctrl-C is heard
    if (device.profile === "cpu") await device.finish();
    clock.mark(learner.steps);
    if (learner.steps % LOOK > 0) continue;
    await look(sitting, leg, stage);
    looked = learner.steps;
    if (performance.now() - saved < options.saveSeconds * 1000) continue;
    await save(sitting, leg);
    saved = performance.now();
  }
  // what has not moved is saved already
  if (learner.steps === begun.start.step) signal.throwIfAborted();
  // what diverged is not to take the place of the last checkpoint
  if (learner.steps > looked) await look(sitting, leg, stage);
  const { record } = await save(sitting, leg);
  signal.throwIfAborted();
  stage.finish();
  return record;
}

/** One step of Adam, of as many shares as gradients are gathered from. */
async function takeStep(sitting: Sitting, leg: Leg): Promise<void> {
  const { device, learner, options, shelf, network, means } = sitting;
  const { accumulate, batch, points, rate } = options, step = learner.steps;
  using _scope = device.scope();
  let gathered: readonly Tensor[] = [];
  for (let share = 0; share < accumulate; share++) {
    const number = step * accumulate + share;
    const heads = await shelf.take(number);
    using inner = device.scope();
    const { terms, total, gradients } = differentiate(
      device,
      learner.generator,
      learner.parameters,
      heads,
      network,
      number,
      { ...options, pointShares: points * accumulate },
    );
    means.add({ loss: total, ...terms });
    gathered = device.withoutTape(() =>
      gradients.map((g, k) => share === 0 ? g : add(gathered[k], g))
    );
    inner.keep(gathered);
  }
  const mean = device.withoutTape(() =>
    accumulate === 1 ? gathered : gathered.map((g) => affine(g, 1 / accumulate))
  );
  const factor = rate * batchFactor(batch * accumulate) * rateFactor(step, leg);
  learner.step(mean, factor);
}

/** Reads the losses, writes them down and shows them. */
async function look(sitting: Sitting, leg: Leg, stage: Stage): Promise<void> {
  const { learner, log, means, clock, options } = sitting;
  const step = learner.steps, heads = options.batch * options.accumulate;
  const losses = await means.take();
  if (!Number.isFinite(losses.loss)) {
    throw new PantomimeError(
      `The training diverged at step ${step}; go on from its last checkpoint with --resume and a smaller --rate.`,
    );
  }
  const headsPerSecond = clock.pace * heads;
  await log.add({
    step,
    seconds: secondsOf(sitting),
    headsPerSecond,
    rate: rateFactor(step, leg),
    ...losses,
  });
  stage.update(
    clock.done(step),
    `step ${step}, ${headsPerSecond.toFixed(2)} heads/s, loss ${
      losses.loss.toFixed(3)
    }`,
  );
}
