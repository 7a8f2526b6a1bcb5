/**
 * Stage D: tune one generator on all frames of the clip at the source's
 * camera, the w of stage C being fixed pivots (method, section 5).
 *
 * @module
 */
import {
  Adam,
  add,
  affine,
  type Device,
  gradients,
  normals,
  type Tensor,
} from "../../engine/mod.ts";
import { synthesis } from "../generator/generator.ts";
import { type Generator, tunable } from "../generator/state.ts";
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
import { stepRate } from "./schedule.ts";

/** Settings of {@linkcode tune}. */
export interface TuningSettings {
  /** Steps over the clip. */
  steps: number;
  /** Peak learning rate; the published 1e-3 when absent. */
  rate?: number;
  /** Weight of the squared error; 1 when absent. */
  pixel?: number;
  /** Weight of the perceptual distance; 1 when absent. */
  perceptual?: number;
  /** Weight of the squared error inside the face mask, on top of `pixel`; the published method has none. */
  face?: number;
  /** Weight of the squared error where frames differ, see {@linkcode motionWeights}; the published method has none. */
  motion?: number;
  /** Seed of the order of frames. */
  seed?: number;
}

/** How {@linkcode tune} is watched and continued. */
export interface TuningHooks {
  /** Called after each step; `loss` is read back only now and then. */
  onStep?(step: number, loss?: number): void;
  /**
   * Receives everything that a later run needs to go on: every {@linkcode SAVE_EVERY} seconds, when
   * the signal fires, and at the end.
   */
  onCheckpoint?(checkpoint: OptimiserCheckpoint): void | Promise<void>;
  /** Goes on from here. */
  resume?: OptimiserCheckpoint | null;
  /** Stops between steps. */
  signal?: AbortSignal;
}

/** One frame that the generator shall reproduce. */
export interface Pivot {
  /** (w_dim). */
  w: Float32Array;
  /** (3, S, S) in [-1, 1]. */
  picture: Float32Array;
  /** (S, S): 1 on the face. */
  face: Float32Array;
}

/**
 * Where the frames of a clip differ: the variance of each pixel over the
 * frames, scaled to mean 1 and limited. Without such weights the few pixels
 * that move count for little beside those that all frames share.
 *
 * @param pictures (3, S, S) each
 * @returns (S, S)
 */
export function motionWeights(pictures: readonly Float32Array[]): Float32Array {
  const pixels = pictures[0].length / 3;
  const mean = new Float64Array(pictures[0].length),
    variance = new Float32Array(pixels);
  for (const picture of pictures) {
    picture.forEach((v, k) => mean[k] += v / pictures.length);
  }
  for (const picture of pictures) {
    picture.forEach((v, k) => variance[k % pixels] += (v - mean[k]) ** 2);
  }
  const average = variance.reduce((a, b) => a + b, 0) / pixels;
  return average > 0
    ? variance.map((v) => Math.min(MOST_MOTION, v / average))
    : variance;
}

/** Limit of {@linkcode motionWeights}. */
const MOST_MOTION = 30;

interface Frame {
  w: Tensor;
  picture: Tensor;
  face: Tensor;
  features: Tensor[];
}

/** Steps between two looks at the loss. */
const LOOK = 10;

/**
 * Tunes a generator in place. Mapping network and noise maps stay as they are.
 *
 * @param label (25) the source's camera
 * @returns losses, one for every {@linkcode LOOK} steps
 * @throws {DOMException} `AbortError` when the signal fires
 */
export async function tune(
  device: Device,
  generator: Generator,
  network: FeatureNetwork,
  label: Float32Array,
  pivots: readonly Pivot[],
  settings: TuningSettings,
  hooks: TuningHooks = {},
): Promise<number[]> {
  using _scope = device.scope();
  const side = generator.config.img_resolution;
  const camera = device.tensor(label, [1, 25]);
  const frames = pivots.map(({ w, picture, face }): Frame => {
    const tensor = device.tensor(picture, [1, 3, side, side]);
    return {
      w: device.tensor(w, [1, w.length]),
      picture: tensor,
      face: device.tensor(face, [1, 1, side, side]),
      features: device.withoutTape(() => unitFeatures(network, tensor)),
    };
  });
  const moving = device.tensor(
    motionWeights(pivots.map(({ picture }) => picture)).map(Math.sqrt),
    [1, 1, side, side],
  );
  const named = tunable(generator), parameters = [...named.values()];
  parameters.forEach((p) => p.track());
  using adam = new Adam(parameters, { rate: settings.rate ?? 1e-3 });
  const names = [...named.keys()];
  if (hooks.resume) restore(adam, names, hooks.resume);
  const losses: number[] = [];
  let saved = Date.now();
  try {
    for (let k = adam.steps; k < settings.steps; k++) {
      if (hooks.signal?.aborted) await save(device, adam, names, hooks);
      hooks.signal?.throwIfAborted();
      using _step = device.scope();
      const frame = frames[frameOfStep(k, frames.length, settings.seed ?? 0)];
      const loss = tuningLoss(
        generator,
        network,
        camera,
        frame,
        moving,
        settings,
      );
      adam.step(
        gradients(loss, parameters),
        (settings.rate ?? 1e-3) * stepRate(k, settings.steps),
      );
      const look = k % LOOK === LOOK - 1 || k === settings.steps - 1;
      if (look) losses.push(await loss.item());
      hooks.onStep?.(k + 1, look ? losses.at(-1) : undefined);
      if (look && Date.now() - saved > SAVE_EVERY * 1000) {
        await save(device, adam, names, hooks);
        saved = Date.now();
      }
    }
    await save(device, adam, names, hooks);
  } finally {
    parameters.forEach((p) => p.tracked = false);
  }
  return losses;
}

async function save(
  device: Device,
  adam: Adam,
  names: readonly string[],
  hooks: TuningHooks,
): Promise<void> {
  if (!hooks.onCheckpoint || adam.steps === 0) return;
  await hooks.onCheckpoint(await snapshot(device, adam, names));
}

function tuningLoss(
  generator: Generator,
  network: FeatureNetwork,
  camera: Tensor,
  frame: Frame,
  moving: Tensor,
  settings: TuningSettings,
): Tensor {
  const { image } = synthesis(generator, frame.w, camera);
  const terms = [
    affine(meanSquaredError(image, frame.picture), settings.pixel ?? 1),
  ];
  if (settings.motion) {
    terms.push(
      affine(meanSquaredError(image, frame.picture, moving), settings.motion),
    );
  }
  if (settings.face) {
    terms.push(
      affine(meanSquaredError(image, frame.picture, frame.face), settings.face),
    );
  }
  if (settings.perceptual ?? 1) {
    const distance = perceptualDistance(
      unitFeatures(network, image),
      frame.features,
    );
    terms.push(affine(distance, settings.perceptual ?? 1));
  }
  return terms.reduce(add);
}

/** A fresh shuffle of all frames for every pass over them. */
function frameOfStep(step: number, count: number, seed: number): number {
  const pass = Math.floor(step / count);
  const keys = normals(seed, pass, count);
  const order = Array.from(keys.keys()).sort((a, b) => keys[a] - keys[b]);
  return order[step % count];
}
