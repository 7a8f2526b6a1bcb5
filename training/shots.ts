/**
 * Pictures to learn from: heads, each seen by several cameras.
 *
 * @module
 */
import type { Device } from "../engine/mod.ts";
import type { HeadStudio } from "./heads/interface.ts";

/** Some heads, each seen by as many cameras, in the computer's own memory. */
export interface Shots {
  /** Number of heads. */
  readonly heads: number;
  /** Cameras of each. */
  readonly views: number;
  /** Pixels of a side. */
  readonly side: number;
  /** (heads, z_dim). */
  readonly z: Float32Array;
  /** (heads, views, 25). */
  readonly labels: Float32Array;
  /** (heads, views, 3, S, S) in [-1, 1]. */
  readonly picture: Float32Array;
  /** (heads, views, S, S) share of a pixel that is head. */
  readonly opacity: Float32Array;
  /** (heads, views, S, S) along the unit ray to the head, or to the backdrop. */
  readonly distance: Float32Array;
}

/**
 * Photographs each head with its cameras, and reads the pictures back.
 *
 * @param z (heads, z_dim)
 * @param labels (heads, views, 25)
 */
export async function shoot(
  device: Device,
  studio: HeadStudio,
  z: Float32Array,
  labels: Float32Array,
  heads: number,
  side: number,
): Promise<Shots> {
  using _scope = device.scope();
  const views = labels.length / 25 / heads, width = z.length / heads;
  const repeated = new Float32Array(heads * views * width);
  for (let k = 0; k < heads * views; k++) {
    const head = Math.floor(k / views);
    repeated.set(z.subarray(head * width, (head + 1) * width), k * width);
  }
  const made = studio.render(repeated, labels, side);
  const [picture, opacity, distance] = await device.read(
    made.picture,
    made.opacity,
    made.distance,
  );
  return { heads, views, side, z, labels, picture, opacity, distance };
}

/** The numbers of one view: planes of S x S. */
export function viewOf(
  shots: Shots,
  view: number,
): {
  label: Float32Array;
  picture: Float32Array;
  opacity: Float32Array;
  distance: Float32Array;
} {
  const pixels = shots.side ** 2;
  const of = (data: Float32Array, size: number) =>
    data.subarray(view * size, (view + 1) * size);
  return {
    label: of(shots.labels, 25),
    picture: of(shots.picture, 3 * pixels),
    opacity: of(shots.opacity, pixels),
    distance: of(shots.distance, pixels),
  };
}

/** Shots of more heads, by cameras as many and of pictures as large. */
export function joinedShots(parts: readonly Shots[]): Shots {
  const all = (of: (part: Shots) => Float32Array) => joined(parts.map(of));
  const { views, side } = parts[0];
  return {
    heads: parts.reduce((sum, { heads }) => sum + heads, 0),
    views,
    side,
    z: all(({ z }) => z),
    labels: all(({ labels }) => labels),
    picture: all(({ picture }) => picture),
    opacity: all(({ opacity }) => opacity),
    distance: all(({ distance }) => distance),
  };
}

/** Numbers one after the other. */
export function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
