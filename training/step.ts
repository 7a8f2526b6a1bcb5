/**
 * One step of a training: heads from the shelf, rays and pieces of their
 * pictures, gradients.
 *
 * @module
 */
import {
  add,
  affine,
  type Device,
  finite,
  gradients,
  Random,
  reshape,
  slice,
  type Tensor,
} from "../engine/mod.ts";
import { planes as makePlanes } from "../pipeline/generator/backbone.ts";
import { view } from "../pipeline/generator/generator.ts";
import { mapping } from "../pipeline/generator/mapping.ts";
import {
  type RayNoise,
  renderRays,
} from "../pipeline/generator/renderer/march.ts";
import type { Generator } from "../pipeline/generator/state.ts";
import type { Precision } from "../pipeline/generator/superresolution.ts";
import type { FeatureNetwork } from "../pipeline/losses/perceptual.ts";
import { Draw } from "./draw.ts";
import { type Loss, pieceLoss, rayLoss } from "./losses.ts";
import {
  drawWindow,
  rimOf,
  windowGenerator,
  windowLabel,
  windowOf,
} from "./piece.ts";
import { pointLoss, pointTargets } from "./points.ts";
import { drawPixels, rayTargets } from "./rays.ts";
import type { ShelvedHead } from "./shelf.ts";
import { viewOf } from "./shots.ts";

/** What a step looks at. */
export interface StepOptions {
  /** Seed of the training. */
  readonly seed: number;
  /** Rays of each head. */
  readonly rays: number;
  /** Shares that are spent on points near the surface, before any other. */
  readonly pointShares: number;
  /** Arithmetic of the layers that have many pixels. */
  readonly precision: Precision;
}

/** One in so many shares teaches superresolution as well. */
const PIECE_EVERY = 2;

/** Resolutions of the backbone that are computed in half precision: StyleGAN2's number. */
const HALVES = 4;

/**
 * In half precision the loss is multiplied by this while it is differentiated,
 * so that a pixel's share of it is no smaller than what f16 can tell from 0.
 * What overflows all the same counts as nothing, as in StyleGAN2's training.
 */
const LOSS_SCALE = 1024;

/** Purposes of random streams. */
const RAYS = 3, PIECES = 4, NOISE = 5;

/** What a step came to: gradients of the parameters, and the parts of its loss. */
export interface StepGradients extends Loss {
  /** One for each parameter. */
  readonly gradients: readonly Tensor[];
}

/** One share of a step, by the number of the share since the training began. */
export function differentiate(
  device: Device,
  generator: Generator,
  parameters: readonly Tensor[],
  heads: readonly ShelvedHead[],
  network: FeatureNetwork,
  number: number,
  options: StepOptions,
): StepGradients {
  const { z_dim } = generator.config;
  const z = device.tensor(
    heads.flatMap(({ shots }) => [...shots.z]),
    [heads.length, z_dim],
  );
  const ws = mapping(generator, z, device.zeros([heads.length, 25]));
  const half = options.precision === "f16";
  const planes = makePlanes(generator, ws, { halves: half ? HALVES : 0 });
  const scene: Scene = { device, generator, heads, ws, planes, number };
  const losses = lossesOf(scene, network, options);
  const total = losses.map((loss) => loss.total).reduce(add);
  return {
    total,
    terms: Object.assign({}, ...losses.map(({ terms }) => terms)),
    gradients: half
      ? scaledGradients(total, parameters)
      : gradients(total, parameters),
  };
}

/** Gradients of a loss that half precision had a part in. */
function scaledGradients(
  loss: Tensor,
  parameters: readonly Tensor[],
): Tensor[] {
  const scaled = gradients(affine(loss, LOSS_SCALE), parameters);
  return loss.device.withoutTape(() =>
    scaled.map((g) => finite(g, 1 / LOSS_SCALE))
  );
}

/** Points first, then rays, and with every other share of these a piece of a picture. */
function lossesOf(
  scene: Scene,
  network: FeatureNetwork,
  options: StepOptions,
): Loss[] {
  if (scene.number < options.pointShares) return [atPoints(scene, options)];
  const rays = alongRays(scene, options);
  return scene.number % PIECE_EVERY === 0
    ? [rays]
    : [rays, onPieces(scene, network, options)];
}

/** The heads of a step with their planes. */
interface Scene {
  readonly device: Device;
  readonly generator: Generator;
  readonly heads: readonly ShelvedHead[];
  readonly ws: Tensor;
  readonly planes: Tensor;
  /** Number of the share. */
  readonly number: number;
}

/** Places of the samples on rays, (B, R, S) and (B, R, F). */
function rayNoise(
  { device, generator: { config } }: Scene,
  shape: readonly number[],
  draw: Draw,
): RayNoise {
  const random = new Random(device, draw.below(2 ** 31));
  const of = (samples: number) =>
    random.uniform([...shape, Math.max(1, samples)]);
  return {
    jitter: of(config.depth_resolution),
    u: of(config.depth_resolution_importance),
  };
}

/** The mean over the heads of what their rays say. */
function alongRays(scene: Scene, { seed, rays }: StepOptions): Loss {
  const { device, generator, heads, planes, number } = scene;
  const draw = new Draw(seed, RAYS, number);
  const losses = heads.map(({ shots, attention }, k) => {
    const pixels = drawPixels(shots, 0, attention, rays, draw);
    const target = rayTargets(device, shots, pixels);
    const noise = rayNoise(scene, [rays], new Draw(seed, NOISE, number, k));
    const seen = renderRays(generator, headOf(planes, k), target.rays, noise);
    return rayLoss(seen, target);
  });
  return meanOf(losses);
}

/** The mean over the heads of what points near their surfaces say. */
function atPoints(scene: Scene, { seed, rays }: StepOptions): Loss {
  const { device, generator, heads, planes, number } = scene;
  const draw = new Draw(seed, RAYS, number);
  return meanOf(heads.map(({ shots, attention }, k) => {
    const pixels = drawPixels(shots, 0, attention, rays, draw);
    const target = pointTargets(device, shots, pixels, draw);
    return pointLoss(generator, headOf(planes, k), target);
  }));
}

/** Planes of one head. */
function headOf(planes: Tensor, head: number): Tensor {
  const [batch, ...rest] = planes.shape;
  if (batch === 1) return planes;
  return reshape(
    slice(planes, planes.shape.map((_, k) => k === 0 ? head : 0), [1, ...rest]),
    [1, ...rest],
  );
}

function meanOf(losses: readonly Loss[]): Loss {
  const share = 1 / losses.length;
  const mean = (parts: readonly Tensor[]) =>
    parts.length === 1 ? parts[0] : affine(parts.reduce(add), share);
  return {
    total: mean(losses.map(({ total }) => total)),
    terms: Object.fromEntries(
      Object.keys(losses[0].terms).map((
        name,
      ) => [name, mean(losses.map(({ terms }) => terms[name]))]),
    ),
  };
}

/** What the pieces of one view of each head say. */
function onPieces(
  scene: Scene,
  network: FeatureNetwork,
  { seed, precision }: StepOptions,
): Loss {
  const { device, generator, heads, ws, planes, number } = scene;
  const { config } = generator, draw = new Draw(seed, PIECES, number);
  const window = drawWindow(config, draw);
  const seen = heads.map(({ shots }) => viewOf(shots, draw.below(shots.views)));
  const labels = seen.flatMap(({ label }) => [
    ...windowLabel(label, config, window),
  ]);
  const targets = seen.flatMap(({ picture }) => [
    ...windowOf(picture, config, window),
  ]);
  const part = Math.sqrt(targets.length / 3 / heads.length);
  const noise = rayNoise(scene, [heads.length, window.size ** 2], draw);
  const made = view(
    windowGenerator(generator, window),
    planes,
    ws,
    device.tensor(labels, [heads.length, 25]),
    { noise, precision },
  );
  return pieceLoss(
    { image: made.image, raw: made.imageRaw },
    device.tensor(targets, [heads.length, 3, part, part]),
    rimOf(config, window),
    network,
  );
}
