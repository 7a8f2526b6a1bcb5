/**
 * Rays, depths along them, and the mid-point ray marcher (EG3D's
 * `ray_sampler.py`, `renderer.py` and `ray_marcher.py`).
 *
 * @module
 */
import {
  boxLimits as boxLimitsKernel,
  boxLimitsFill,
  composite,
  compositeBackward,
  expectedDepth as expectedDepthKernel,
  expectedDepthBackward,
  importance,
  rayPoints,
  rays as raysKernel,
  stratified,
  transmittance,
  transmittanceBackward,
} from "../../kernels/raymarch/raymarch.ts";
import { linearWorkgroups } from "../device.ts";
import { ShapeError } from "../errors.ts";
import { firstDerivative, record } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { maxAlong } from "./reduce.ts";

/**
 * Rays through the pixel centres of a square picture, row by row.
 *
 * @param labels (batch, 25): cam2world 4x4 and normalised intrinsics 3x3
 * @param resolution pixels of a side
 * @returns (batch, resolution^2, 6): origin, unit direction. No gradient.
 */
export function cameraRays(labels: Tensor, resolution: number): Tensor {
  if (labels.shape[1] !== 25) {
    throw new ShapeError(
      `A camera label has 25 numbers, not ${labels.shape[1]}.`,
    );
  }
  const count = labels.shape[0] * resolution * resolution;
  const rays = labels.device.empty([
    labels.shape[0],
    resolution * resolution,
    6,
  ]);
  labels.device.run(raysKernel, {
    tensors: { labels, rays },
    params: { n: count, resolution },
    workgroups: linearWorkgroups(count),
  });
  return rays;
}

/**
 * Fails unless `rows`, (R, S), has two axes and the others so many numbers for
 * each of its rays.
 */
function requireRays(
  operator: string,
  rows: Tensor,
  others: Readonly<Record<string, readonly [Tensor, number]>>,
): void {
  for (const [name, [t, width]] of Object.entries(others)) {
    if (rows.shape.length === 2 && t.size === rows.shape[0] * width) continue;
    throw new ShapeError(
      `${operator} takes rows of one ray each: ${name} of [${t.shape}] does not fit [${rows.shape}].`,
    );
  }
}

/** Fails unless rows, (R, S), have as many samples as an operator needs. */
function requireSamples(operator: string, rows: Tensor, fewest: number): void {
  const samples = rows.shape[1];
  if (samples >= fewest) return;
  throw new ShapeError(
    `${operator} takes at least ${fewest} samples of each ray, not the ${samples} of [${rows.shape}].`,
  );
}

/**
 * Points on rays.
 *
 * @param rays (R, 6)
 * @param t (R, S) distances along the rays
 * @returns (R, S, 3). No gradient.
 */
export function pointsOnRays(rays: Tensor, t: Tensor): Tensor {
  requireRays("pointsOnRays", t, { rays: [rays, 6] });
  const p = t.device.empty([...t.shape, 3]);
  t.device.run(rayPoints, {
    tensors: { rays, t, p },
    params: { n: t.size, samples: t.shape[1] },
    workgroups: linearWorkgroups(t.size),
  });
  return p;
}

/**
 * Where rays enter and leave a cube around the origin (EG3D's ray limits
 * `auto`). Rays that miss it get the nearest and the farthest entry of those
 * that hit it, as published; where none hits, -1 and -2.
 *
 * @param rays (..., 6)
 * @param side length of the cube's edges
 * @returns (R, 2) near and far. No gradient.
 */
export function boxLimits(rays: Tensor, side: number): Tensor {
  const device = rays.device, n = rays.size / 6;
  const limits = device.empty([n, 2]), extremes = device.empty([2, n]);
  device.run(boxLimitsKernel, {
    tensors: { rays, limits, extremes },
    params: { n, half: side / 2 },
    workgroups: linearWorkgroups(n),
  });
  device.run(boxLimitsFill, {
    tensors: { extremes: maxAlong(extremes, 1), limits },
    params: { n },
    workgroups: linearWorkgroups(n),
  });
  return limits;
}

/** Options of {@linkcode stratifiedDepths}. */
export interface StratifiedOptions {
  /** Slices evenly spaced in 1 / depth; false when absent. */
  disparity?: boolean;
}

/**
 * One depth in each of S slices of every ray.
 *
 * @param limits (R, 2) near and far
 * @param jitter (R, S) in [0, 1), S at least 2
 * @returns (R, S) ascending. No gradient.
 * @throws {ShapeError} when the shapes are others
 */
export function stratifiedDepths(
  limits: Tensor,
  jitter: Tensor,
  { disparity = false }: StratifiedOptions = {},
): Tensor {
  requireRays("stratifiedDepths", jitter, { limits: [limits, 2] });
  requireSamples("stratifiedDepths", jitter, 2);
  const t = jitter.device.empty(jitter.shape);
  t.device.run(stratified, {
    tensors: { limits, jitter, t },
    params: { n: t.size, samples: jitter.shape[1] },
    constants: { DISPARITY: disparity ? 1 : 0 },
    workgroups: linearWorkgroups(t.size),
  });
  return t;
}

/**
 * Coarse depths joined with samples drawn where the coarse densities are.
 *
 * @param t (R, S) ascending, S at least 4
 * @param sigma (R, S, K), raw density in column 0
 * @param u (R, F) in [0, 1)
 * @returns (R, S + F) ascending. No gradient, as published.
 * @throws {ShapeError} when the shapes are others
 */
export function importanceDepths(t: Tensor, sigma: Tensor, u: Tensor): Tensor {
  const [rays, coarse] = t.shape, fine = u.shape[1];
  requireRays("importanceDepths", t, {
    sigma: [sigma, coarse * (sigma.shape.at(-1) ?? 1)],
    u: [u, fine],
  });
  // samples are drawn by the weights of the intervals but the outer two
  requireSamples("importanceDepths", t, 4);
  const merged = t.device.empty([rays, coarse + fine]);
  t.device.run(importance, {
    tensors: { t, sigma, u, merged },
    params: { rays, stride: sigma.size / t.size },
    constants: { COARSE: coarse, FINE: fine },
    workgroups: linearWorkgroups(rays),
  });
  return merged;
}

/** Options of {@linkcode rayMarch}. */
export interface MarchOptions {
  /** Colours are sigmoid(raw) 1.002 - 0.001 (default) or raw. */
  sigmoid?: boolean;
  /** White instead of black where rays pass through. */
  whiteBack?: boolean;
}

/**
 * Marches rays through samples.
 *
 * @param raw (R, S, 1 + C): density and colours before their activations
 * @param t (R, S) ascending
 * @returns (R, C + 2): colours as 2C - 1, sum of weight x mid-point, sum of
 * weights. Differentiable by `raw`.
 */
export function rayMarch(
  raw: Tensor,
  t: Tensor,
  options: MarchOptions = {},
): Tensor {
  const device = raw.device;
  const [rays, samples] = t.shape, channels = raw.shape[2] - 1;
  requireRays("rayMarch", t, { raw: [raw, samples * (channels + 1)] });
  const constants = {
    SIGMOID: options.sigmoid ?? true,
    WHITE: options.whiteBack ?? false,
  };
  const through = device.empty(t.shape), weights = device.empty(t.shape);
  device.run(transmittance, {
    tensors: { raw, t, through, weights },
    params: { rays, samples, stride: channels + 1 },
    workgroups: linearWorkgroups(rays),
  });
  const y = device.empty([rays, channels + 2]);
  device.run(composite, {
    tensors: { raw, t, weights, y },
    params: { n: y.size, samples, channels },
    constants,
    workgroups: linearWorkgroups(y.size),
  });
  return record(y, [raw], (g) => {
    const d_raw = device.empty(raw.shape), pull = device.empty(t.shape);
    device.run(compositeBackward, {
      tensors: { raw, t, weights, g, d_raw, pull },
      params: { n: t.size, samples, channels },
      constants,
      workgroups: linearWorkgroups(t.size),
    });
    device.run(transmittanceBackward, {
      tensors: { raw, t, through, pull, d_raw },
      params: { rays, samples, stride: channels + 1 },
      workgroups: linearWorkgroups(rays),
    });
    return [firstDerivative(d_raw, [raw, g], "rayMarch")];
  });
}

/**
 * Mean distance of what rays see: clamp(weighted / opacity, near, far); a ray
 * that meets nothing is far.
 *
 * @param weighted sums of weight x distance
 * @param opacity sums of weights, of the same shape
 * @param limits (2) near and far of all samples; no gradient
 * @returns distances, of the same shape. Differentiable by the first two, where not clamped.
 */
export function expectedDepth(
  weighted: Tensor,
  opacity: Tensor,
  limits: Tensor,
): Tensor {
  const device = weighted.device,
    launch = {
      params: { n: weighted.size },
      workgroups: linearWorkgroups(weighted.size),
    };
  const depth = device.empty(weighted.shape);
  device.run(expectedDepthKernel, {
    tensors: { weighted, opacity, limits, depth },
    ...launch,
  });
  return record(depth, [weighted, opacity], (g) => {
    const d_weighted = device.empty(g.shape), d_opacity = device.empty(g.shape);
    device.run(expectedDepthBackward, {
      tensors: { weighted, opacity, limits, g, d_weighted, d_opacity },
      ...launch,
    });
    return [d_weighted, d_opacity].map((d) =>
      firstDerivative(d, [weighted, opacity, g], "expectedDepth")
    );
  });
}
