/**
 * Pieces of pictures: a window of the generator's own pixels is what a camera
 * with a longer focal length sees, and superresolution enlarges it as it does
 * the whole.
 *
 * @module
 */
import type { GeneratorConfig } from "../weights/mod.ts";
import type { Generator } from "../pipeline/generator/state.ts";
import type { Draw } from "./draw.ts";

/** A square of the volume renderer's pixels. */
export interface Window {
  /** First column. */
  readonly x: number;
  /** First row. */
  readonly y: number;
  /** Columns and rows. */
  readonly size: number;
}

/** One in so many pieces is a whole picture, whose edge is an edge. */
const WHOLE = 8;

/** Draws a window of half the picture, rather in the middle than at the edge; or the whole. */
export function drawWindow(config: GeneratorConfig, draw: Draw): Window {
  const full = config.neural_rendering_resolution;
  if (draw.below(WHOLE) === 0) return { x: 0, y: 0, size: full };
  const size = full / 2;
  // the sum of two even numbers lies rather in the middle
  const place = () =>
    Math.floor((draw.uniform() + draw.uniform()) / 2 * (full - size + 1));
  return { x: place(), y: place(), size };
}

/** The camera that sees a window alone. */
export function windowLabel(
  label: Float32Array,
  { neural_rendering_resolution: full }: GeneratorConfig,
  { x, y, size }: Window,
): Float32Array {
  const zoom = full / size, narrowed = label.slice();
  narrowed[16] *= zoom;
  narrowed[20] *= zoom;
  narrowed[18] = (label[18] - x / full) * zoom;
  narrowed[21] = (label[21] - y / full) * zoom;
  return narrowed;
}

/** The same generator for pictures as large as a window. */
export function windowGenerator(
  generator: Generator,
  { size }: Window,
): Generator {
  const { config } = generator;
  const factor = config.img_resolution / config.neural_rendering_resolution;
  return {
    ...generator,
    config: {
      ...config,
      neural_rendering_resolution: size,
      img_resolution: size * factor,
      superresolution: { ...config.superresolution, input_resolution: size },
    },
  };
}

/** Pixels of a picture's edge that superresolution would have drawn otherwise with the rest around it. */
const REACH = 4;

/** How much of a piece's edge does not count, in pixels of the picture; at least half of it does. */
export function rimOf(config: GeneratorConfig, { size }: Window): number {
  const full = config.neural_rendering_resolution;
  const rim = size === full ? 0 : Math.min(REACH, size / 4);
  return rim * config.img_resolution / full;
}

/**
 * The part of a picture that a window shows.
 *
 * @param picture (3, S, S)
 * @returns (3, P, P)
 */
export function windowOf(
  picture: Float32Array,
  { neural_rendering_resolution: full }: GeneratorConfig,
  { x, y, size }: Window,
): Float32Array {
  const side = Math.sqrt(picture.length / 3), factor = side / full;
  const part = size * factor, left = x * factor, top = y * factor;
  const cut = new Float32Array(3 * part * part);
  for (let c = 0; c < 3; c++) {
    for (let row = 0; row < part; row++) {
      const from = (c * side + top + row) * side + left;
      cut.set(picture.subarray(from, from + part), (c * part + row) * part);
    }
  }
  return cut;
}
