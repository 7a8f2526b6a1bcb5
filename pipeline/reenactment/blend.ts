/**
 * Expressions of a new performance from the ones an avatar was made with:
 * each new face is written as a weighted mean of known faces, and its w as the
 * same mean of their w.
 *
 * @module
 */
import type { Motion } from "./motion.ts";

/** Exchanges between two faces' weights, at most; a few hundred are the rule. */
const STEPS = 5000;

/** Gain below which an exchange is not worth making, relative to the largest deformation. */
const ENOUGH = 1e-9;

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

/**
 * Weights >= 0 with sum 1 that minimise x' gram x - 2 x' target. Begins at the nearest known face,
 * so that a face that is known is found as it is, and moves weight from the face where that gains
 * most to the face where it does, by as much as is best for the two.
 */
function simplexFit(gram: number[][], target: number[]): number[] {
  const faces = [...target.keys()];
  const distance = (i: number) => gram[i][i] - 2 * target[i];
  const nearest = faces.reduce((a, b) => distance(b) < distance(a) ? b : a);
  const x = target.map((_, i) => i === nearest ? 1 : 0);
  const slope = target.map((t, i) => gram[i][nearest] - t);
  const enough = ENOUGH * Math.max(...faces.map((i) => gram[i][i]));
  for (let k = 0; k < STEPS; k++) {
    const to = faces.reduce((a, b) => slope[b] < slope[a] ? b : a);
    const from = faces.filter((i) => x[i] > 0)
      .reduce((a, b) => slope[b] > slope[a] ? b : a);
    const gain = slope[from] - slope[to];
    if (gain <= enough) break;
    const bend = gram[to][to] + gram[from][from] - 2 * gram[to][from];
    const moved = Math.min(x[from], gain / Math.max(bend, enough));
    x[to] += moved;
    x[from] -= moved;
    faces.forEach((i) => slope[i] += moved * (gram[i][to] - gram[i][from]));
  }
  return x;
}
