/**
 * What a generator is taught: the colours, distances and silhouettes of known
 * heads along rays, and whole pieces of their pictures.
 *
 * @module
 */
import {
  abs,
  add,
  affine,
  clamp,
  expectedDepth,
  interpolate,
  mean,
  multiply,
  relu,
  slice,
  square,
  subtract,
  sum,
  type Tensor,
} from "../engine/mod.ts";
import type { SeenRays } from "../pipeline/generator/renderer/march.ts";
import {
  type FeatureNetwork,
  perceptualDistance,
  unitFeatures,
} from "../pipeline/losses/perceptual.ts";
import type { RayTargets } from "./rays.ts";

/** Parts of a loss by name, each one number on the device, before their weights. */
export type Terms = Readonly<Record<string, Tensor>>;

/** A loss and what it is made of. */
export interface Loss {
  /** What is differentiated. */
  readonly total: Tensor;
  /** For the log. */
  readonly terms: Terms;
}

/** Weights of the parts: distances are world units, of which a head has half a one. */
const SQUARED = 0.5,
  DISTANCE = 1.5,
  BACKDROP = 0.5,
  SOLID = 0.05,
  SLOPES = 0.6,
  PERCEPTUAL = 0.25,
  RAW = 0.5;

/** Errors of distance beyond this teach nothing: the surface is another one. */
const FAR_OFF = 0.2;
/** How far in front of the backdrop a ray may end that should reach it. */
const MARGIN = 0.04;

/** Absolute and squared difference of colours. */
function colourError(a: Tensor, b: Tensor): { absolute: Tensor; both: Tensor } {
  const error = subtract(a, b), absolute = mean(abs(error));
  return {
    absolute,
    both: add(absolute, affine(mean(square(error)), SQUARED)),
  };
}

/** Colour, distance and opacity of rays. */
export function rayLoss(seen: SeenRays, target: RayTargets): Loss {
  const device = seen.colours.device;
  const limits = device.tensor([1, 5], [2]);
  const distance = expectedDepth(seen.weighted, seen.opacity, limits);
  const { absolute, both } = colourError(seen.colours, target.colours);
  const off = clamp(abs(subtract(distance, target.distance)), 0, FAR_OFF);
  const surface = sum(multiply(off, target.head));
  const short = relu(affine(subtract(target.distance, distance), 1, -MARGIN));
  const floating = sum(multiply(short, target.backdrop));
  const clear = mean(square(affine(seen.opacity, -1, 1)));
  return {
    total: [
      both,
      affine(surface, DISTANCE),
      affine(floating, BACKDROP),
      affine(clear, SOLID),
    ].reduce(add),
    terms: { colour: absolute, distance: surface, floating, clear },
  };
}

/** A piece of a picture and of what it was made from. */
export interface Piece {
  /** (B, 3, P, P). */
  readonly image: Tensor;
  /** (B, 3, p, p), what superresolution started from. */
  readonly raw: Tensor;
}

/**
 * A piece of a picture: colours, slopes of colours and features of a network.
 *
 * @param target (B, 3, P, P)
 * @param rim pixels of the piece's edge that do not count, where a whole picture would go on
 * @param network sees pieces as it sees pictures
 */
export function pieceLoss(
  { image, raw }: Piece,
  target: Tensor,
  rim: number,
  network: FeatureNetwork,
): Loss {
  const small = interpolate(target, [raw.shape[2], raw.shape[3]], {
    mode: "area",
  });
  const [inner, wanted] = [image, target].map((x) => inside(x, rim));
  const { absolute, both } = colourError(inner, wanted);
  const slopes = [2, 3].map((axis) =>
    mean(abs(subtract(slope(inner, axis), slope(wanted, axis))))
  ).reduce(add);
  const coarse = mean(abs(subtract(raw, small)));
  const perceptual = perceptualDistance(
    unitFeatures(network, inner),
    image.device.withoutTape(() => unitFeatures(network, wanted)),
  );
  return {
    total: [
      both,
      affine(slopes, SLOPES),
      affine(coarse, RAW),
      affine(perceptual, PERCEPTUAL),
    ].reduce(add),
    terms: { picture: absolute, slopes, raw: coarse, perceptual },
  };
}

/** A picture without its edge. */
function inside(x: Tensor, rim: number): Tensor {
  if (rim === 0) return x;
  const [batch, channels, height, width] = x.shape;
  return slice(x, [0, 0, rim, rim], [
    batch,
    channels,
    height - 2 * rim,
    width - 2 * rim,
  ]);
}

/** Differences of neighbours along an axis. */
function slope(x: Tensor, axis: number): Tensor {
  const size = x.shape.map((n, k) => k === axis ? n - 1 : n);
  const from = (start: number) =>
    slice(x, x.shape.map((_, k) => k === axis ? start : 0), size);
  return subtract(from(1), from(0));
}
