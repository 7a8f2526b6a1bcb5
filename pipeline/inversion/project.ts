/**
 * Stage C: optimise w for each frame against the edited face (method, section 4).
 *
 * One vector serves all layers (W space). The first frame starts at the mean
 * of w and explores; each later one starts where the one before ended.
 *
 * @module
 */
import {
  Adam,
  add,
  affine,
  type Device,
  gradients,
  interpolate,
  mean,
  multiply,
  normals,
  square,
  subtract,
  type Tensor,
} from "../../engine/mod.ts";
import { renderHead, synthesis } from "../generator/generator.ts";
import type { Generator } from "../generator/state.ts";
import {
  type FeatureNetwork,
  meanSquaredError,
  perceptualDistance,
  unitFeatures,
} from "../losses/perceptual.ts";
import {
  type OptimiserCheckpoint,
  restore,
  SAVE_EVERY,
  snapshot,
} from "./checkpoint.ts";
import { explorationNoise, stepRate } from "./schedule.ts";
import { type LatentStatistics, latentStatistics } from "./statistics.ts";
import type { FrameTarget } from "./targets.ts";

/** Settings of {@linkcode project}. */
export interface ProjectionSettings {
  /** Steps of the first frame. */
  firstSteps: number;
  /** Steps of each later frame. */
  nextSteps: number;
  /** Peak learning rate; the published 0.025 when absent. */
  rate?: number;
  /** Peak learning rate of later frames; `rate` when absent. */
  nextRate?: number;
  /**
   * Later frames aim at the first frame's render plus what changed in the photo, instead of at the
   * photo itself: a generator that cannot match the photo then still follows its expression. The
   * published method aims at the photo.
   */
  relative?: boolean;
  /** Weight of the perceptual distance; 1 when absent. */
  perceptual?: number;
  /** Weight of the masked squared error; the published method has none. */
  pixel?: number;
  /** Weight of the squared error over the whole picture, which places hair and shoulders. */
  surroundings?: number;
  /** Weight of the squared distance from the mean of w, in spreads. */
  prior?: number;
  /** Seed of the exploration noise. */
  seed?: number;
}

/** How {@linkcode project} is watched and continued. */
export interface ProjectionHooks {
  /** Called after each step with the frame and the steps taken for it. */
  onStep?(frame: number, step: number): void;
  /** Called when a frame is finished, with its w and its last loss. */
  onFrame?(frame: number, w: Float32Array, loss: number): void | Promise<void>;
  /**
   * Receives everything that a later run needs to go on within a frame: every
   * {@linkcode SAVE_EVERY} seconds, and when the signal fires.
   */
  onCheckpoint?(checkpoint: ProjectionCheckpoint): void | Promise<void>;
  /** Goes on from here, unless the frame is among those that are `done`. */
  resume?: ProjectionCheckpoint | null;
  /** Stops between steps. */
  signal?: AbortSignal;
  /**
   * (w_dim) for each target: how far its w is expected to be from the first target's. Each frame
   * then starts that much away from where the one before ended.
   */
  shifts?: readonly Float32Array[] | null;
  /** w of frames that an earlier run finished. */
  done?: readonly Float32Array[];
}

/** A w that is half found, and its optimiser. */
export interface ProjectionCheckpoint extends OptimiserCheckpoint {
  /** The frame that it is of. */
  frame: number;
}

/** Result of stage C. */
export interface Projection {
  /** w of every frame, (w_dim) each. */
  ws: Float32Array[];
  /** Loss at the end of every frame, NaN for frames taken over from an earlier run. */
  losses: number[];
}

/** A frame's target on the device. */
interface Aim {
  picture: Tensor;
  mask: Tensor;
  masked: Tensor[];
}

/**
 * Finds w for every frame.
 *
 * @param label (25) the source's camera, which sees every frame
 * @param targets pictures of the generator's size
 * @throws {DOMException} `AbortError` when the signal fires
 */
export async function project(
  device: Device,
  generator: Generator,
  network: FeatureNetwork,
  label: Float32Array,
  targets: readonly FrameTarget[],
  settings: ProjectionSettings,
  hooks: ProjectionHooks = {},
): Promise<Projection> {
  using _scope = device.scope();
  const statistics = await latentStatistics(device, generator, label);
  const camera = device.tensor(label, [1, 25]);
  const ws = [...(hooks.done ?? [])], losses = ws.map(() => NaN);
  let rendered: Float32Array | null = null;
  for (let frame = ws.length; frame < targets.length; frame++) {
    using _frame = device.scope();
    const side = generator.config.img_resolution;
    const seen = settings.relative && frame > 0
      ? changed(
        targets[frame],
        targets[0],
        rendered ??= await renderHead(generator, ws[0], label),
      )
      : targets[frame];
    const aim = aimAt(device, network, seen, side);
    const start = frame === 0
      ? await statistics.mean.data()
      : nextStart(ws[frame - 1], frame, hooks.shifts);
    const problem: Problem = {
      device,
      generator,
      network,
      camera,
      statistics,
      aim,
      settings,
      frame,
    };
    const { w, loss } = await optimise(problem, start, hooks);
    ws.push(w);
    losses.push(loss);
    await hooks.onFrame?.(frame, w, loss);
  }
  return { ws, losses };
}

/** Where a later frame starts: at the w of the one before, moved as the expression is expected to move it. */
function nextStart(
  before: Float32Array,
  frame: number,
  shifts: ProjectionHooks["shifts"],
): Float32Array {
  if (!shifts) return before;
  const from = shifts[frame - 1], to = shifts[frame];
  return before.map((v, k) => v + to[k] - from[k]);
}

/** The first frame's render, changed as the photo changed; where the mouth opened, too. */
function changed(
  target: FrameTarget,
  first: FrameTarget,
  render: Float32Array,
): FrameTarget {
  return {
    edited: render.map((v, k) => v + target.edited[k] - first.edited[k]),
    face: target.face.map((v, k) => Math.max(v, target.hole[k])),
    hole: new Float32Array(target.hole.length),
  };
}

function aimAt(
  device: Device,
  network: FeatureNetwork,
  target: FrameTarget,
  side: number,
): Aim {
  const picture = device.tensor(target.edited, [1, 3, side, side]);
  const mask = device.tensor(
    target.face.map((v, k) => v > 0.5 && target.hole[k] <= 0.5 ? 1 : 0),
    [1, 1, side, side],
  );
  return {
    picture,
    mask,
    masked: device.withoutTape(() =>
      unitFeatures(network, blackOutside(picture, mask))
    ),
  };
}

/** The picture inside the mask, black (-1) outside. */
function blackOutside(picture: Tensor, mask: Tensor): Tensor {
  return affine(multiply(affine(picture, 1, 1), mask), 1, -1);
}

interface Problem {
  device: Device;
  generator: Generator;
  network: FeatureNetwork;
  camera: Tensor;
  statistics: LatentStatistics;
  aim: Aim;
  settings: ProjectionSettings;
  frame: number;
}

/** Names of what is optimised, for checkpoints. */
const NAMES = ["w"];

async function optimise(
  problem: Problem,
  start: Float32Array,
  hooks: ProjectionHooks,
): Promise<{ w: Float32Array; loss: number }> {
  const { device, settings, frame, statistics } = problem;
  const steps = frame === 0 ? settings.firstSteps : settings.nextSteps;
  const peak = (frame > 0 ? settings.nextRate : undefined) ?? settings.rate ??
    0.025;
  const w = device.tensor(start, [1, start.length]).track();
  using adam = new Adam([w]);
  if (hooks.resume?.frame === frame) restore(adam, NAMES, hooks.resume);
  let loss: Tensor | null = null;
  let saved = Date.now();
  for (let k = adam.steps; k < steps; k++) {
    if (hooks.signal?.aborted || Date.now() - saved > SAVE_EVERY * 1000) {
      await save(problem, adam, hooks);
      saved = Date.now();
    }
    hooks.signal?.throwIfAborted();
    using scope = device.scope();
    const scale = frame === 0
      ? statistics.spread * explorationNoise(k / steps)
      : 0;
    const noise = device.tensor(
      normals(settings.seed ?? 0, k, w.size).map((v) => v * scale),
      w.shape,
    );
    const now = projectionLoss(problem, add(w, noise), w);
    adam.step(
      gradients(now, [w]),
      peak * stepRate(k, steps),
    );
    loss?.release();
    loss = scope.keep(now);
    // a wait every few steps keeps memory and the queue short, and lets Ctrl-C in
    if (k % 4 === 3) await device.finish();
    hooks.onStep?.(frame, k + 1);
  }
  if (!loss) return { w: start, loss: NaN };
  const [values, [last]] = await device.read(w, loss);
  return { w: values, loss: last };
}

/** Before a step, so that one is always left, whose loss is the frame's. */
async function save(
  { device, frame }: Problem,
  adam: Adam,
  hooks: ProjectionHooks,
): Promise<void> {
  if (!hooks.onCheckpoint || adam.steps === 0) return;
  await hooks.onCheckpoint({ ...await snapshot(device, adam, NAMES), frame });
}

function projectionLoss(problem: Problem, w: Tensor, center: Tensor): Tensor {
  const { generator, network, camera, aim, settings, statistics } = problem;
  const { image, imageRaw } = synthesis(generator, w, camera);
  const terms: Tensor[] = [];
  const term = (weight: number | undefined, value: () => Tensor) => {
    if (weight) terms.push(affine(value(), weight));
  };
  term(
    settings.perceptual ?? 1,
    () =>
      perceptualDistance(
        unitFeatures(network, blackOutside(image, aim.mask)),
        aim.masked,
      ),
  );
  term(settings.pixel, () => meanSquaredError(image, aim.picture, aim.mask));
  term(settings.surroundings, () => {
    const size = imageRaw.shape[2];
    return meanSquaredError(
      imageRaw,
      interpolate(aim.picture, [size, size], { mode: "area" }),
    );
  });
  term(
    settings.prior,
    () =>
      affine(
        mean(square(subtract(center, statistics.mean))),
        w.size / statistics.spread ** 2,
      ),
  );
  return terms.reduce(add);
}
