/**
 * Turned squares of a picture: what the face networks look at, and how their pixels are taken.
 *
 * Coordinates are continuous: the picture spans [0, width] x [0, height], and the centre of the
 * first pixel is at (0.5, 0.5).
 *
 * @module
 */
import type { Picture } from "../media/picture.ts";

/** A square in a picture, possibly turned and possibly reaching beyond the edges. */
export interface Region {
  /** Centre, in pixels from the left. */
  readonly x: number;
  /** Centre, in pixels from the top. */
  readonly y: number;
  /** Length of a side, in pixels. */
  readonly side: number;
  /** Radians by which the square's upper edge is turned clockwise, as seen on the screen. */
  readonly angle: number;
}

/** A point in a picture, in pixels. */
export type Point = readonly [x: number, y: number];

/** What lies beyond the edges: the nearest pixel again, or black. */
export type Border = "repeat" | "black";

/** From the unit square, (0, 0) at the region's upper left, to the picture. */
export function fromRegion(region: Region, u: number, v: number): Point {
  const { x, y, side, angle } = region;
  const [across, down] = [(u - 0.5) * side, (v - 0.5) * side];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return [x + across * cos - down * sin, y + across * sin + down * cos];
}

/** From the picture to the unit square of the region. */
export function toRegion(region: Region, [px, py]: Point): Point {
  const { x, y, side, angle } = region;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [dx, dy] = [px - x, py - y];
  return [
    (dx * cos + dy * sin) / side + 0.5,
    (dy * cos - dx * sin) / side + 0.5,
  ];
}

/**
 * The smallest upright square, in the frame turned by `angle`, around points; enlarged by `factor`.
 */
export function regionAround(
  points: Iterable<Point>,
  angle: number,
  factor: number,
): Region {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of points) {
    const [across, down] = [x * cos + y * sin, y * cos - x * sin];
    left = Math.min(left, across);
    right = Math.max(right, across);
    top = Math.min(top, down);
    bottom = Math.max(bottom, down);
  }
  const [across, down] = [(left + right) / 2, (top + bottom) / 2];
  return {
    x: across * cos - down * sin,
    y: across * sin + down * cos,
    side: factor * Math.max(right - left, bottom - top),
    angle,
  };
}

/**
 * The pixels of a region, scaled to `size` x `size`.
 *
 * Bilinear; where the region is larger than `size` it reads from a picture that was halved often
 * enough, four samples to a pixel, so that nothing aliases.
 *
 * @returns three planes (red, green, blue) of `size` rows, 0 to 255
 */
export function sampleRegion(
  picture: Picture,
  region: Region,
  size: number,
  border: Border = "repeat",
): Float32Array {
  const level = Math.max(0, Math.floor(Math.log2(region.side / size)));
  const { picture: source, scale } = halved(picture, level);
  // Halving leaves up to two source pixels for each of ours.
  const samples = region.side * scale / size > 1.2 ? 2 : 1;
  const plane = size * size;
  const planes = new Float32Array(3 * plane);
  const [cos, sin] = [Math.cos(region.angle), Math.sin(region.angle)];
  const step = region.side * scale / (size * samples);
  // The centre of the first sample, in pixel indices of the source, whose first centre is 0.
  const half = (size * samples - 1) / 2 * step;
  const x0 = region.x * scale - half * cos + half * sin - 0.5;
  const y0 = region.y * scale - half * sin - half * cos - 0.5;
  const weight = 1 / (samples * samples);
  for (let row = 0; row < size * samples; row++) {
    const out = Math.floor(row / samples) * size;
    for (let column = 0; column < size * samples; column++) {
      accumulate(
        source,
        x0 + step * (column * cos - row * sin),
        y0 + step * (column * sin + row * cos),
        border,
        weight,
        planes,
        out + Math.floor(column / samples),
        plane,
      );
    }
  }
  return planes;
}

/** Adds the bilinear value at (x, y), in pixel indices, to pixel `at` of each plane. */
function accumulate(
  { width, height, data }: Picture,
  x: number,
  y: number,
  border: Border,
  weight: number,
  planes: Float32Array,
  at: number,
  plane: number,
): void {
  const left = Math.floor(x), top = Math.floor(y);
  const outside = x < -1 || y < -1 || x > width || y > height;
  if (border === "black" && outside) return;
  const fx = x - left, fy = y - top;
  for (let k = 0; k < 4; k++) {
    const column = left + (k & 1), row = top + (k >> 1);
    const inside = column >= 0 && column < width && row >= 0 && row < height;
    if (!inside && border === "black") continue;
    const share = weight * (k & 1 ? fx : 1 - fx) * (k >> 1 ? fy : 1 - fy);
    const from = 3 * (Math.min(Math.max(row, 0), height - 1) * width +
      Math.min(Math.max(column, 0), width - 1));
    planes[at] += share * data[from];
    planes[at + plane] += share * data[from + 1];
    planes[at + 2 * plane] += share * data[from + 2];
  }
}

/** Halved copies of pictures, for as long as the pictures live. */
const pyramids = new WeakMap<Picture, Picture[]>();

/** A picture halved `level` times, or as often as it can be; `scale` is what became of a pixel. */
function halved(
  picture: Picture,
  level: number,
): { picture: Picture; scale: number } {
  const pyramid = pyramids.get(picture) ?? [picture];
  pyramids.set(picture, pyramid);
  while (pyramid.length <= level) {
    const last = pyramid[pyramid.length - 1];
    if (Math.min(last.width, last.height) < 2) break;
    pyramid.push(halve(last));
  }
  const reached = Math.min(level, pyramid.length - 1);
  return { picture: pyramid[reached], scale: 0.5 ** reached };
}

/** Means of 2 x 2 pixels; an odd last row or column is left out. */
function halve({ width, height, data }: Picture): Picture {
  const [w, h] = [width >> 1, height >> 1];
  const half = new Uint8Array(w * h * 3);
  const stride = width * 3;
  for (let row = 0, to = 0; row < h; row++) {
    let from = 2 * row * stride;
    for (let column = 0; column < w; column++, from += 6) {
      for (let c = from; c < from + 3; c++) {
        half[to++] =
          (data[c] + data[c + 3] + data[c + stride] + data[c + stride + 3] +
            2) >> 2;
      }
    }
  }
  return { width: w, height: h, data: half };
}
