/**
 * One sitting of a training: everything that it works with, how long it lasts,
 * and what it leaves behind whenever it saves.
 *
 * @module
 */
import { join } from "@std/path";
import type { Device } from "../engine/mod.ts";
import type { RunContext } from "../pipeline/context.ts";
import type { FeatureNetwork } from "../pipeline/losses/perceptual.ts";
import { isVaried } from "./begin.ts";
import { type TrainingState, writeCheckpoint } from "./checkpoint.ts";
import { type HeldOutFigures, measureHeldOut } from "./heldout.ts";
import type { Learner } from "./learner.ts";
import type { TrainingLog } from "./log.ts";
import type { Means } from "./means.ts";
import { settingsOf, type TrainOptions } from "./options.ts";
import { writePreview } from "./preview.ts";
import { FILES, type TrainingRecord, writeResult } from "./result.ts";
import { COOLING, endOfLeg, type Leg } from "./schedule.ts";
import type { Shelf } from "./shelf.ts";
import type { Shots } from "./shots.ts";

/** Everything that a sitting works with. */
export interface Sitting {
  /** Where everything is computed. */
  readonly device: Device;
  /** What was asked for. */
  readonly options: TrainOptions;
  /** Progress and interruption. */
  readonly context: RunContext;
  /** What learns. */
  readonly learner: Learner;
  /** Heads to learn from. */
  readonly shelf: Shelf;
  /** Sees how far apart pictures look. */
  readonly network: FeatureNetwork;
  /** Heads that are not learned from. */
  readonly heldOut: Shots;
  /** Grows with the training. */
  readonly log: TrainingLog;
  /** Losses since the last line of the log. */
  readonly means: Means;
  /** What the training began with. */
  readonly from: string;
  /** How far it was when the sitting began. */
  readonly start: TrainingState;
  /** Time of this sitting. */
  readonly clock: SittingClock;
}

/** Seconds over which the pace is taken. */
const PACE_OVER = 120;
/** Minutes of a sitting when nobody says otherwise. */
const MINUTES = 30;

/** The time of a sitting, which ends after so many minutes, or at a step that is known when it begins. */
export class SittingClock {
  readonly #begun = performance.now();
  readonly #seconds: number;
  readonly #first: number;
  readonly #last: number;
  readonly #marks: [step: number, seconds: number][] = [];

  /**
   * Begins now.
   *
   * @param leg that the sitting goes on with
   * @param step where it begins
   */
  constructor(leg: Leg, step: number, minutes: number = MINUTES) {
    this.#seconds = minutes * 60;
    this.#first = step;
    this.#last = endOfLeg(leg);
  }

  /** Seconds since the sitting began. */
  get seconds(): number {
    return (performance.now() - this.#begun) / 1000;
  }

  get #counted(): boolean {
    return this.#last < Infinity;
  }

  /** What progress counts to: steps of the sitting, or seconds. */
  get total(): number {
    return this.#counted ? this.#last - this.#first : this.#seconds;
  }

  /** What progress has counted to. */
  done(step: number): number {
    return this.#counted ? step - this.#first : Math.floor(this.seconds);
  }

  /** Notes how many steps there are. */
  mark(step: number): void {
    this.#marks.push([step, this.seconds]);
    const old = this.seconds - PACE_OVER;
    while (this.#marks.length > 2 && this.#marks[1][1] < old) {
      this.#marks.shift();
    }
  }

  /** Steps per second of late; 0 before there was one. */
  get pace(): number {
    const [first, last] = [this.#marks[0], this.#marks.at(-1)];
    if (!first || !last || first === last) return 0;
    return (last[0] - first[0]) / (last[1] - first[1]);
  }

  /** The leg, with its cooling once there are only the minutes left for that. */
  end(leg: Leg, step: number): Leg {
    const left = this.#seconds - this.seconds;
    if (leg.cooling || left > COOLING * this.#seconds) return leg;
    const steps = Math.round(Math.max(0, left) * this.pace);
    return { ...leg, cooling: { from: step, to: step + Math.max(1, steps) } };
  }
}

/** Saves everything: the checkpoint, the result so far, its figures and a preview. */
export async function save(
  sitting: Sitting,
  leg: Leg,
): Promise<{ state: TrainingState; record: TrainingRecord }> {
  const { device, learner, options, heldOut, log, from } = sitting;
  const step = learner.steps, path = (name: string) => join(options.out, name);
  const weights = await learner.result();
  const { figures, drawn } = await measureHeldOut(
    device,
    learner.average,
    heldOut,
  );
  const state: TrainingState = {
    step,
    seconds: secondsOf(sitting),
    leg,
    before: sitting.start.before ?? figures,
  };
  const settings = settingsOf(options);
  await writeCheckpoint(path(FILES.checkpoint), device, learner, state, {
    settings,
    from,
  });
  await log.add({ step, seconds: state.seconds, heldOut: figures });
  const sheet = `step-${String(step).padStart(7, "0")}.png`;
  await writePreview(path(join(FILES.previews, sheet)), heldOut, drawn);
  const record = recordOf(sitting, state, figures);
  await writeResult(options.out, weights, record);
  return { state, record };
}

/** Seconds of all sittings. */
export function secondsOf({ start, clock }: Sitting): number {
  return start.seconds + clock.seconds;
}

function recordOf(
  { device, options, shelf, from, learner }: Sitting,
  { step, seconds, before }: TrainingState,
  after: HeldOutFigures,
): TrainingRecord {
  const shares = step * options.accumulate, { weights } = learner;
  return {
    steps: step,
    headsDrawn: shelf.drawn(Math.max(0, shares - 1)),
    headsSeen: shares * options.batch,
    seconds: Math.round(seconds),
    adapter: device.info.description || device.info.vendor,
    from,
    course: {
      ...settingsOf(options),
      variety: isVaried(weights),
      resolution: weights.config.img_resolution,
    },
    figures: { before: before ?? after, after },
  };
}
