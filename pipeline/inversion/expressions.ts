/**
 * Where a generator keeps expressions: for the mannequin, whose latent axes
 * have a meaning, how w moves when the face does. It gives stage C a better
 * start than the frame before, and frames w that differ even after few steps.
 *
 * @module
 */
import { type Device, normals } from "../../engine/mod.ts";
import {
  type ExpressionBasis,
  mannequinExpressions,
} from "../../weights/mod.ts";
import { mapping } from "../generator/mapping.ts";
import type { Generator } from "../generator/state.ts";
import type { Motion } from "../reenactment/motion.ts";

/** One side of an expression axis of z. */
export interface ExpressionAxis {
  /** What the face does. */
  readonly name: string;
  /** Index in z. */
  readonly latent: number;
  /** 1 or -1: which side of the latent. */
  readonly sign: 1 | -1;
  /** weight = scale |z| - shift, at least 0. */
  readonly scale: number;
  /** See `scale`. */
  readonly shift: number;
  /** Whether left and right exchange under a mirror. */
  readonly sided?: boolean;
}

/** The mannequin's expression axes, as its heads were made (gaze is left out: FaceMesh does not see it). */
export const EXPRESSION_AXES: readonly ExpressionAxis[] = [
  { name: "jawOpen", latent: 12, sign: 1, scale: 0.42, shift: 0.05 },
  { name: "smile", latent: 13, sign: 1, scale: 0.55, shift: 0 },
  { name: "frown", latent: 13, sign: -1, scale: 0.55, shift: 0 },
  { name: "browUp", latent: 14, sign: 1, scale: 0.45, shift: 0 },
  { name: "browDown", latent: 14, sign: -1, scale: 0.5, shift: 0 },
  { name: "blink", latent: 15, sign: 1, scale: 0.8, shift: 0.75 },
  { name: "eyeWide", latent: 15, sign: -1, scale: 0.35, shift: 0.25 },
  { name: "pucker", latent: 16, sign: 1, scale: 0.5, shift: 0.15 },
  { name: "stretch", latent: 16, sign: -1, scale: 0.4, shift: 0.1 },
  { name: "upperLipUp", latent: 17, sign: 1, scale: 0.35, shift: 0.05 },
  { name: "lowerLipDown", latent: 17, sign: -1, scale: 0.35, shift: 0.05 },
  {
    name: "mouthLeft",
    latent: 19,
    sign: 1,
    scale: 0.25,
    shift: 0.1,
    sided: true,
  },
  {
    name: "mouthRight",
    latent: 19,
    sign: -1,
    scale: 0.25,
    shift: 0.1,
    sided: true,
  },
];

/** Weight of an expression for a value of its latent. */
export function weightOf(
  { sign, scale, shift }: ExpressionAxis,
  z: number,
): number {
  return Math.max(0, scale * sign * z - shift);
}

/** The latent's value, with its sign, that gives a weight; 0 for none. */
function latentOf(
  { sign, scale, shift }: ExpressionAxis,
  weight: number,
): number {
  return weight <= 0 ? 0 : sign * Math.min(3, (weight + shift) / scale);
}

/**
 * Latent expression values of each frame of a motion: the weights >= 0 whose
 * combined deformation is nearest to the frame's.
 *
 * @returns one list a frame, parallel to {@linkcode EXPRESSION_AXES}' latents
 */
export function expressionLatents(
  basis: ExpressionBasis,
  motion: Motion,
  scale = 1,
): Map<number, number>[] {
  const axes = EXPRESSION_AXES.map(({ name }) =>
    Float64Array.from(basis.axes[name], (v) => v * basis.unit)
  );
  const gram = axes.map((a) => axes.map((b) => dot(a, b)));
  return motion.frames.map(({ points }) => {
    const offsets = points.map((v, k) => scale * (v - motion.rest.points[k]));
    const weights = nonNegative(gram, axes.map((a) => dot(a, offsets)));
    const latents = new Map<number, number>();
    EXPRESSION_AXES.forEach((axis, k) => {
      latents.set(
        axis.latent,
        (latents.get(axis.latent) ?? 0) + latentOf(axis, weights[k]),
      );
    });
    return latents;
  });
}

/** Share of the mean diagonal that keeps weights small where they explain little. */
const RIDGE = 0.02;

/** x >= 0 that minimises x' gram x - 2 x' target, by coordinate descent. */
function nonNegative(gram: number[][], target: number[]): number[] {
  const ridge = RIDGE * gram.reduce((sum, row, k) => sum + row[k], 0) /
    gram.length;
  const x = target.map(() => 0);
  for (let sweep = 0; sweep < 100; sweep++) {
    for (let i = 0; i < x.length; i++) {
      const rest = gram[i].reduce(
        (sum, v, j) => j === i ? sum : sum + v * x[j],
        0,
      );
      x[i] = Math.max(0, (target[i] - rest) / (gram[i][i] + ridge));
    }
  }
  return x;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
  return sum;
}

/** Heads over which the change of w is averaged. */
const HEADS = 32;

/**
 * How far w is expected to move from the face at rest, for each frame of a
 * motion; null for generators whose latent axes have no known meaning.
 *
 * @param label (25) camera label of the source
 * @param scale of the expression, 1 as tracked
 */
export async function expectedShifts(
  device: Device,
  generator: Generator,
  label: Float32Array,
  motion: Motion,
  scale: number,
): Promise<Float32Array[] | null> {
  if (generator.config.semantics !== "mannequin") return null;
  const latents = expressionLatents(mannequinExpressions, motion, scale);
  return await expressionShifts(device, generator, label, latents);
}

/**
 * How w changes with the expression of each frame, averaged over heads.
 *
 * @param label (25) camera label of the source
 * @param latents {@linkcode expressionLatents}
 * @returns (w_dim) for each frame, to be added to the w of the face at rest
 */
export async function expressionShifts(
  device: Device,
  generator: Generator,
  label: Float32Array,
  latents: readonly Map<number, number>[],
): Promise<Float32Array[]> {
  const { z_dim, w_dim } = generator.config;
  const heads = normals(7, 0, HEADS * z_dim);
  const still = new Set(EXPRESSION_AXES.map(({ latent }) => latent));
  const rows = [new Map<number, number>(), ...latents];
  const z = new Float32Array(rows.length * HEADS * z_dim),
    c = new Float32Array(rows.length * HEADS * 25);
  rows.forEach((values, row) => {
    for (let head = 0; head < HEADS; head++) {
      const at = row * HEADS + head;
      c.set(label, at * 25);
      for (let k = 0; k < z_dim; k++) {
        z[at * z_dim + k] = still.has(k)
          ? values.get(k) ?? 0
          : heads[head * z_dim + k];
      }
    }
  });
  using _scope = device.scope();
  const count = rows.length * HEADS;
  const w = await device.withoutTape(() =>
    mapping(
      generator,
      device.tensor(z, [count, z_dim]),
      device.tensor(c, [count, 25]),
    )
  ).data();
  const means = rows.map((_, row) => {
    const mean = new Float32Array(w_dim);
    for (let k = 0; k < HEADS * w_dim; k++) {
      mean[k % w_dim] += w[row * HEADS * w_dim + k] / HEADS;
    }
    return mean;
  });
  return means.slice(1).map((mean) => mean.map((v, k) => v - means[0][k]));
}
