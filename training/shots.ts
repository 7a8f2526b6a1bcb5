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

/** Pictures that are made at once: the meshes of hundreds are more than a GPU binds. */
const AT_ONCE = 16;

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
  const pictures = labels.length / 25, views = pictures / heads;
  const width = z.length / heads;
  const parts: Float32Array[][] = [];
  for (let from = 0; from < pictures; from += AT_ONCE) {
    using _scope = device.scope();
    const to = Math.min(pictures, from + AT_ONCE);
    const own = Array.from({ length: to - from }, (_, k) => {
      const head = Math.floor((from + k) / views);
      return z.subarray(head * width, (head + 1) * width);
    });
    const cameras = labels.slice(25 * from, 25 * to);
    const made = studio.render(joined(own), cameras, side);
    parts.push(
      await device.read(made.picture, made.opacity, made.distance),
    );
  }
  const [picture, opacity, distance] = [0, 1, 2]
    .map((k) => joined(parts.map((part) => part[k])));
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
