/**
 * How well a generator draws heads and views that it has not learned from.
 *
 * @module
 */
import type { Device } from "../engine/mod.ts";
import { planes as makePlanes } from "../pipeline/generator/backbone.ts";
import { view } from "../pipeline/generator/generator.ts";
import { mapping } from "../pipeline/generator/mapping.ts";
import type { Generator } from "../pipeline/generator/state.ts";
import type { HeadStudio } from "./heads/interface.ts";
import { sampleCameras, sampleOnSphere } from "./heads/sample.ts";
import { rayOf, WHOLE } from "./rays.ts";
import { shoot, type Shots, viewOf } from "./shots.ts";

/** Figures of held-out heads, each the mean over all views. */
export interface HeldOutFigures {
  /** Decibels of the picture. */
  readonly psnr: number;
  /** Decibels of what superresolution starts from, against the picture made smaller. */
  readonly rawPsnr: number;
  /** Intersection over union of the head's silhouette, at the volume renderer's pixels. */
  readonly maskIou: number;
  /** Mean error of distances on the head, world units. */
  readonly distanceError: number;
}

/** Seed of the heads that no training sees. */
export const HELD_OUT = 0x7e57;

/**
 * Latents of held-out heads and cameras that see them; the same for every
 * training. Latents are equally long, since the mapping network sees directions
 * alone.
 *
 * @returns (heads, latent) and (heads, views, 25)
 */
export function heldOutHeads(
  { latent }: Pick<HeadStudio, "latent">,
  heads: number,
  views: number,
): { z: Float32Array; labels: Float32Array } {
  return {
    z: sampleOnSphere(HELD_OUT, heads, latent),
    labels: sampleCameras(HELD_OUT, heads * views),
  };
}

/** Photographs held-out heads. */
export async function heldOutShots(
  device: Device,
  studio: HeadStudio,
  heads: number,
  views: number,
  side: number,
): Promise<Shots> {
  const { z, labels } = heldOutHeads(studio, heads, views);
  return await shoot(device, studio, z, labels, heads, side);
}

/** What a generator draws of a view. */
export interface Drawn {
  /** (3, S, S) in about [-1, 1]. */
  readonly image: Float32Array;
  /** (3, R, R). */
  readonly raw: Float32Array;
  /** (R, R) distances. */
  readonly depth: Float32Array;
}

/**
 * One head seen by cameras.
 *
 * @param z (z_dim)
 * @param labels (views, 25)
 */
export async function drawHead(
  device: Device,
  generator: Generator,
  z: Float32Array,
  labels: Float32Array,
): Promise<Drawn[]> {
  using _scope = device.scope();
  const drawn: Drawn[] = [];
  const { ws, planes } = device.withoutTape(() => {
    const label = device.zeros([1, 25]);
    const ws = mapping(generator, device.tensor(z, [1, z.length]), label);
    return { ws, planes: makePlanes(generator, ws) };
  });
  for (let k = 0; k < labels.length / 25; k++) {
    using _view = device.scope();
    const label = labels.slice(25 * k, 25 * (k + 1));
    const seen = device.withoutTape(() =>
      view(generator, planes, ws, device.tensor(label, [1, 25]))
    );
    const [image, raw, depth] = await device.read(
      seen.image,
      seen.imageRaw,
      seen.depth,
    );
    drawn.push({ image, raw, depth });
  }
  return drawn;
}

/**
 * Draws each view and measures it.
 *
 * @param onView called after each
 * @returns the figures, and the pictures in the order of the views
 */
export async function measureHeldOut(
  device: Device,
  generator: Generator,
  shots: Shots,
  onView: (done: number) => void = () => {},
): Promise<{ figures: HeldOutFigures; drawn: Drawn[] }> {
  const drawn: Drawn[] = [], figures: HeldOutFigures[] = [];
  const { views } = shots, width = shots.z.length / shots.heads;
  for (let head = 0; head < shots.heads; head++) {
    const z = shots.z.slice(head * width, (head + 1) * width);
    const labels = shots.labels.slice(25 * views * head);
    const seen = await drawHead(
      device,
      generator,
      z,
      labels.subarray(0, 25 * views),
    );
    for (const [k, own] of seen.entries()) {
      const number = head * views + k;
      figures.push(figuresOf(own, shots, number, generator));
      drawn.push(own);
      onView(number + 1);
    }
  }
  return { figures: meanFigures(figures), drawn };
}

/** Means of figures of as many views each. */
export function meanFigures(
  figures: readonly HeldOutFigures[],
): HeldOutFigures {
  const mean = (name: keyof HeldOutFigures) =>
    figures.reduce((sum, own) => sum + own[name], 0) / figures.length;
  return {
    psnr: mean("psnr"),
    rawPsnr: mean("rawPsnr"),
    maskIou: mean("maskIou"),
    distanceError: mean("distanceError"),
  };
}

function figuresOf(
  { image, raw, depth }: Drawn,
  shots: Shots,
  number: number,
  { config }: Generator,
): HeldOutFigures {
  const wanted = viewOf(shots, number);
  const side = Math.sqrt(depth.length), factor = shots.side / side;
  const small = shrunk(wanted.picture, factor);
  const share = shrunk(wanted.opacity, factor);
  const distance = shrunk(wanted.distance, factor);
  let both = 0, either = 0, error = 0, sure = 0;
  for (let k = 0; k < depth.length; k++) {
    const end = backdropDistance(rayOf(wanted.label, side, k), config.box_warp);
    const drawn = depth[k] < end - IN_FRONT, there = share[k] > 0.5;
    if (drawn && there) both++;
    if (drawn || there) either++;
    if (share[k] <= WHOLE) continue;
    error += Math.abs(depth[k] - distance[k]);
    sure++;
  }
  return {
    psnr: decibels(image, wanted.picture),
    rawPsnr: decibels(raw, small),
    maskIou: either > 0 ? both / either : 1,
    distanceError: sure > 0 ? error / sure : 0,
  };
}

/** Identical pictures have no finite ratio; eight bits cannot show more than this. */
const BEST = 60;

/** 10 log10(4 / mean squared error) of pictures in [-1, 1]. */
function decibels(drawn: Float32Array, wanted: Float32Array): number {
  let sum = 0;
  for (let k = 0; k < drawn.length; k++) {
    const shown = Math.min(Math.max(drawn[k], -1), 1);
    sum += (shown - wanted[k]) ** 2;
  }
  return Math.min(BEST, 10 * Math.log10(4 * drawn.length / sum));
}

/** Means of squares of pixels, plane by plane. */
function shrunk(planes: Float32Array, factor: number): Float32Array {
  if (factor === 1) return planes;
  const side = sideOf(planes.length), out = side / factor;
  const small = new Float32Array(planes.length / factor ** 2);
  for (let k = 0; k < planes.length; k++) {
    const row = Math.floor(k / side), x = k % side;
    // rows of all planes follow each other, and planes hold whole squares
    const to = Math.floor(row / factor) * out + Math.floor(x / factor);
    small[to] += planes[k] / factor ** 2;
  }
  return small;
}

/** Pixels of a side of one or of three square planes. */
function sideOf(numbers: number): number {
  const side = Math.sqrt(numbers);
  return Number.isInteger(side) ? side : Math.sqrt(numbers / 3);
}

/** A ray that ends so far in front of the backdrop meets a head. */
export const IN_FRONT = 0.06;

/** Half the side of the cube in which the backdrop hangs, as a share of the planes' box. */
const BACKDROP = 0.957;
/** The backdrop is nowhere nearer or farther than this, so that rays end behind it. */
const NEAREST = 2.5, FARTHEST = 3;

/** Where a ray leaves the cube whose walls are the backdrop. */
export function backdropDistance(ray: Float32Array, boxWarp: number): number {
  const half = BACKDROP * boxWarp / 2;
  let leaves = Infinity;
  for (let axis = 0; axis < 3; axis++) {
    const step = ray[3 + axis];
    if (step === 0) continue;
    leaves = Math.min(leaves, (Math.sign(step) * half - ray[axis]) / step);
  }
  return Math.min(Math.max(leaves, NEAREST), FARTHEST);
}
