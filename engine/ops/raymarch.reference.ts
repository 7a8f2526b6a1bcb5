/**
 * Rays, depths and the ray marcher in plain TypeScript and float64, step by
 * step as the method describes them (method, section 10.7).
 *
 * @module
 */
import type { NumberArray } from "./conformance.ts";
import { sigmoid, softplus } from "./elementwise.reference.ts";
import type { MarchOptions, StratifiedOptions } from "./raymarch.ts";
import { build, reader, zip } from "./reference.ts";

/** `cameraRays` of labels (batch, 25). */
export function cameraRaysReference(
  labels: NumberArray,
  resolution: number,
): NumberArray {
  const batch = labels.shape[0], at = reader(labels);
  const data: number[] = [];
  for (let b = 0; b < batch; b++) {
    const pose = (row: number, column: number) => at(b, 4 * row + column);
    const [fx, skew, cx, , fy, cy] = [16, 17, 18, 19, 20, 21].map((k) =>
      at(b, k)
    );
    for (let i = 0; i < resolution; i++) {
      for (let j = 0; j < resolution; j++) {
        const u = (j + 0.5) / resolution, v = (i + 0.5) / resolution;
        const camera = [
          (u - cx + cy * skew / fy - skew * v / fy) / fx,
          (v - cy) / fy,
          1,
          1,
        ];
        const origin = [0, 1, 2].map((row) => pose(row, 3));
        const way = origin.map((o, row) =>
          camera.reduce((sum, p, k) => sum + p * pose(row, k), 0) - o
        );
        data.push(...origin, ...way.map((d) => d / Math.hypot(...way)));
      }
    }
  }
  return {
    data: Float64Array.from(data),
    shape: [batch, resolution * resolution, 6],
  };
}

/** `pointsOnRays` of rays (R, 6) at depths (R, S). */
export function pointsOnRaysReference(
  rays: NumberArray,
  t: NumberArray,
): NumberArray {
  const ray = reader(rays), depth = reader(t);
  return build(
    [...t.shape, 3],
    ([r, s, k]) => ray(r, k) + depth(r, s) * ray(r, 3 + k),
  );
}

/** `stratifiedDepths` between limits (R, 2) with jitter (R, S). */
export function stratifiedDepthsReference(
  limits: NumberArray,
  jitter: NumberArray,
  { disparity = false }: StratifiedOptions = {},
): NumberArray {
  const limit = reader(limits), shake = reader(jitter);
  return build(jitter.shape, ([r, k]) => {
    const near = limit(r, 0), far = limit(r, 1);
    const share = (k + shake(r, k)) / (jitter.shape[1] - 1);
    return disparity
      ? 1 / ((1 - share) / near + share / far)
      : near + share * (far - near);
  });
}

/** `boxLimits` of rays (R, 6) and a cube. */
export function boxLimitsReference(
  rays: NumberArray,
  side: number,
): NumberArray {
  const at = reader(rays), count = rays.shape[0];
  const limits = Array.from({ length: count }, (_, r) => {
    const slabs = [0, 1, 2].map((axis) =>
      [-side / 2, side / 2]
        .map((wall) => (wall - at(r, axis)) / at(r, 3 + axis))
        .sort((a, b) => a - b)
    );
    const near = Math.max(...slabs.map(([entry]) => entry));
    const far = Math.min(...slabs.map(([, exit]) => exit));
    return near > far ? [-1, -2] : [near, far];
  });
  const entries = limits.filter(([near, far]) => far > near).map(([n]) => n);
  const missed = [Math.min(...entries), Math.max(...entries)];
  const filled = limits.map(([near, far]) =>
    far > near || entries.length === 0 ? [near, far] : missed
  );
  return { data: Float64Array.from(filled.flat()), shape: [count, 2] };
}

/** `expectedDepth`. */
export function expectedDepthReference(
  weighted: NumberArray,
  opacity: NumberArray,
  limits: NumberArray,
): NumberArray {
  const [near, far] = limits.data;
  return zip(
    weighted,
    opacity,
    (sum, share) =>
      Math.min(Math.max(share === 0 ? far : sum / share, near), far),
  );
}

/** Weights of the intervals between samples of one ray. */
export function marchWeights(
  sigma: readonly number[],
  t: readonly number[],
): number[] {
  let through = 1;
  return t.slice(1).map((far, k) => {
    const density = softplus((sigma[k] + sigma[k + 1]) / 2 - 1);
    const alpha = 1 - Math.exp(-density * (far - t[k]));
    const weight = alpha * through;
    through *= 1 - alpha + 1e-10;
    return weight;
  });
}

/** Larger of neighbours, then mean of neighbours, then 0.01 more. */
export function smoothedWeights(weights: readonly number[]): number[] {
  const padded = [-Infinity, ...weights, -Infinity];
  const pooled = padded.slice(1).map((w, k) => Math.max(padded[k], w));
  return weights.map((_, k) => (pooled[k] + pooled[k + 1]) / 2 + 0.01);
}

/** Depths at which the distribution of the weights over the bins reaches u. */
export function invertedCdf(
  bins: readonly number[],
  weights: readonly number[],
  u: readonly number[],
): number[] {
  const total = weights.reduce((sum, w) => sum + w + 1e-5, 0);
  const cdf = [0];
  for (const w of weights) cdf.push(cdf.at(-1)! + (w + 1e-5) / total);
  return u.map((v) => {
    const right = cdf.findIndex((edge) => edge > v);
    const above = right < 0 ? cdf.length - 1 : right;
    const below = Math.max((right < 0 ? cdf.length : right) - 1, 0);
    const width = cdf[above] - cdf[below];
    const share = (v - cdf[below]) / (width < 1e-5 ? 1 : width);
    return bins[below] + share * (bins[above] - bins[below]);
  });
}

/** `importanceDepths` of depths (R, S) with densities in column 0 of (R, S, K). */
export function importanceDepthsReference(
  t: NumberArray,
  sigma: NumberArray,
  u: NumberArray,
): NumberArray {
  const [rays, coarse] = t.shape, fine = u.shape[1];
  const density = reader(sigma), data: number[] = [];
  for (let r = 0; r < rays; r++) {
    const depths = [...t.data.subarray(r * coarse, (r + 1) * coarse)];
    const weights = smoothedWeights(
      marchWeights(depths.map((_, s) => density(r, s, 0)), depths),
    );
    const bins = depths.slice(1).map((far, k) => (depths[k] + far) / 2);
    const own = [...u.data.subarray(r * fine, (r + 1) * fine)];
    const drawn = invertedCdf(bins, weights.slice(1, -1), own);
    data.push(...[...depths, ...drawn].sort((a, b) => a - b));
  }
  return { data: Float64Array.from(data), shape: [rays, coarse + fine] };
}

/** `rayMarch` of raw (R, S, 1 + C) at depths (R, S). */
export function rayMarchReference(
  raw: NumberArray,
  t: NumberArray,
  { sigmoid: activated = true, whiteBack = false }: MarchOptions = {},
): NumberArray {
  const [rays, samples, width] = raw.shape, colours = width - 1;
  const value = reader(raw), data: number[] = [];
  for (let r = 0; r < rays; r++) {
    const depths = [...t.data.subarray(r * samples, (r + 1) * samples)];
    const weights = marchWeights(
      depths.map((_, s) => value(r, s, 0)),
      depths,
    );
    const colour = (s: number, c: number) =>
      activated
        ? sigmoid(value(r, s, 1 + c)) * 1.002 - 0.001
        : value(r, s, 1 + c);
    const along = (f: (s: number) => number) =>
      weights.reduce((sum, w, k) => sum + w * (f(k) + f(k + 1)) / 2, 0);
    const opacity = along(() => 1);
    for (let c = 0; c < colours; c++) {
      const seen = along((s) => colour(s, c)) + (whiteBack ? 1 - opacity : 0);
      data.push(2 * seen - 1);
    }
    data.push(along((s) => depths[s]), opacity);
  }
  return { data: Float64Array.from(data), shape: [rays, colours + 2] };
}
