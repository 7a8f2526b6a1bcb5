/**
 * Expressions of a new performance from the ones an avatar was made with:
 * each new face is written as a weighted mean of known faces, and its w as the
 * same mean of their w.
 *
 * @module
 */
import type { Motion } from "./motion.ts";

/** Projected-gradient steps; the problem is small and smooth. */
const STEPS = 300;

/**
 * w for each frame of a new motion.
 *
 * @param known performance that the avatar was made with
 * @param ws its w, one a frame
 * @param source w of the face at rest in the portrait
 * @param wanted the new performance
 */
export function blendLatents(
  known: Motion,
  ws: readonly Float32Array[],
  source: Float32Array,
  wanted: Motion,
): Float32Array[] {
  const basis = [
    new Float64Array(offsets(known, 0).length),
    ...known.frames.map((_, k) => offsets(known, k)),
  ];
  const latents = [source, ...ws];
  const gram = basis.map((a) => basis.map((b) => dot(a, b)));
  return wanted.frames.map((_, k) => {
    const face = offsets(wanted, k);
    const weights = simplexFit(gram, basis.map((b) => dot(b, face)));
    return mix(latents, weights);
  });
}

/** Deformation since the resting frame. */
function offsets(motion: Motion, frame: number): Float64Array {
  const rest = motion.rest.points;
  return motion.frames[frame].points.map((v, k) => v - rest[k]);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
  return sum;
}

function mix(
  latents: readonly Float32Array[],
  weights: readonly number[],
): Float32Array {
  return latents[0].map((_, k) =>
    latents.reduce((sum, w, i) => sum + weights[i] * w[k], 0)
  );
}

/** Weights >= 0 with sum 1 that minimise x' gram x - 2 x' target. */
function simplexFit(gram: number[][], target: number[]): number[] {
  const step = 1 /
    Math.max(
      ...gram.map((row) => row.reduce((sum, v) => sum + Math.abs(v), 0)),
      1e-12,
    );
  let x = target.map(() => 1 / target.length);
  for (let k = 0; k < STEPS; k++) {
    const slope = gram.map((row, i) =>
      row.reduce((sum, v, j) => sum + v * x[j], 0) - target[i]
    );
    x = ontoSimplex(x.map((v, i) => v - step * slope[i]));
  }
  return x;
}

/** Nearest point of the probability simplex (Duchi et al. 2008). */
function ontoSimplex(x: readonly number[]): number[] {
  const sorted = x.toSorted((a, b) => b - a);
  let sum = 0, shift = 0;
  sorted.forEach((v, k) => {
    sum += v;
    const candidate = (sum - 1) / (k + 1);
    if (v > candidate) shift = candidate;
  });
  return x.map((v) => Math.max(0, v - shift));
}
