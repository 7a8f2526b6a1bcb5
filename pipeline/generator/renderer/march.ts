/**
 * Rays of one head: where their samples lie and what they see (method, section
 * 10.7).
 *
 * Coarse densities are computed without a tape, only to place the importance
 * samples; the union of all depths is then evaluated once, differentiably.
 *
 * @module
 */
import {
  boxLimits,
  broadcastTo,
  CORRECTED_AXES,
  type DecoderWeights,
  decodeTriplane,
  importanceDepths,
  permute,
  type PlaneAxes,
  pointsOnRays,
  PUBLISHED_AXES,
  rayMarch,
  reshape,
  slice,
  stratifiedDepths,
  type Tensor,
  type TriplaneOptions,
} from "../../../engine/mod.ts";
import type { PlaneAxesConfig } from "../../../weights/mod.ts";
import type { Generator } from "../state.ts";
import { decoderOf, densityOnly, firstOutputs } from "./decoder.ts";

/** Random numbers of a rendering; the same ones give the same picture. */
export interface RayNoise {
  /** (B or 1, rays, S) in [0, 1): places of the coarse samples in their slices. */
  jitter: Tensor;
  /** (B or 1, rays, F) in [0, 1): importance samples. */
  u: Tensor;
}

/** Rays of one head, and where each begins and ends. */
export interface RayRun {
  /** (R, 6). */
  rays: Tensor;
  /** (R, 2). */
  limits: Tensor;
}

/** Coarse and importance depths of a run of rays, in order. */
export function placeSamples(
  generator: Generator,
  planes: Tensor,
  decoder: DecoderWeights,
  { rays, limits }: RayRun,
  { jitter, u }: RayNoise,
): Tensor {
  const device = planes.device, { config } = generator;
  return device.withoutTape(() => {
    using scope = device.scope();
    const disparity = config.disparity_space_sampling;
    const t = stratifiedDepths(limits, jitter, { disparity });
    if (config.depth_resolution_importance === 0) return scope.keep(t);
    const sigma = evaluate(generator, planes, densityOnly(decoder), rays, t);
    return scope.keep(importanceDepths(t, sigma, u));
  });
}

/** (..., 2): the configuration's, or where rays meet the box that the planes span. */
export function rayLimits({ config }: Generator, rays: Tensor): Tensor {
  const { ray_start: near, ray_end: far } = config;
  const shape = [...rays.shape.slice(0, -1), 2];
  return rays.device.withoutTape(() =>
    near === "auto" || far === "auto"
      ? reshape(boxLimits(rays, config.box_warp), shape)
      : broadcastTo(rays.device.tensor([near, far], [2]), shape)
  );
}

/** Decoder outputs at samples of rays: (rays, samples, 1 + colours). */
function evaluate(
  generator: Generator,
  planes: Tensor,
  decoder: DecoderWeights,
  rays: Tensor,
  t: Tensor,
): Tensor {
  const [count, samples] = t.shape;
  const points = reshape(pointsOnRays(rays, t), [1, count * samples, 3]);
  const raw = decodeTriplane(planes, points, decoder, volume(generator));
  return reshape(raw, [count, samples, -1]);
}

/** What a run of rays sees, as `rayMarch` gives it: (rays, colours + 2). Differentiable by planes and decoder. */
export function marchRays(
  generator: Generator,
  planes: Tensor,
  decoder: DecoderWeights,
  rays: Tensor,
  t: Tensor,
): Tensor {
  return rayMarch(evaluate(generator, planes, decoder, rays, t), t, {
    whiteBack: generator.config.white_back,
  });
}

function axesOf(axes: PlaneAxesConfig): PlaneAxes {
  if (axes === "published") return PUBLISHED_AXES;
  return axes === "corrected" ? CORRECTED_AXES : axes;
}

/** Where the planes of a generator lie. */
export function volume({ config }: Generator): Omit<TriplaneOptions, "mean"> {
  return { boxWarp: config.box_warp, axes: axesOf(config.plane_axes) };
}

/** Colours that a ray is regressed to. */
const COLOURS = 3;

/** What single rays see. */
export interface SeenRays {
  /** (R, 3) the raw picture's colours in [-1, 1]. */
  colours: Tensor;
  /** (R, 1) sum of weight x distance along the unit rays. */
  weighted: Tensor;
  /** (R, 1) share of light that is stopped. */
  opacity: Tensor;
}

/**
 * What single rays see of one head: those of a picture's pixels that matter, or
 * of several cameras at once. The decoder gives no more than the raw picture's
 * colours, so that a ray costs half of one of `render`.
 *
 * @param planes (1, 3, C, H, W)
 * @param rays (R, 6) origin and unit direction
 * @param noise (R, S) and (R, F), where the samples of each ray lie
 */
export function renderRays(
  generator: Generator,
  planes: Tensor,
  rays: Tensor,
  noise: RayNoise,
): SeenRays {
  const flat = permute(planes, [0, 1, 3, 4, 2]);
  const decoder = firstOutputs(decoderOf(generator), 1 + COLOURS);
  const run = { rays, limits: rayLimits(generator, rays) };
  const t = placeSamples(generator, flat, decoder, run, noise);
  const seen = marchRays(generator, flat, decoder, rays, t);
  const columns = (first: number, count: number) =>
    slice(seen, [0, first], [rays.shape[0], count]);
  return {
    colours: columns(0, COLOURS),
    weighted: columns(COLOURS, 1),
    opacity: columns(COLOURS + 1, 1),
  };
}
