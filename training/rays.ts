/**
 * Which rays a step looks along: more of them where a picture has detail and
 * where a face speaks.
 *
 * @module
 */
import type { Device, Tensor } from "../engine/mod.ts";
import { project } from "../pipeline/face/camera.ts";
import { CANONICAL } from "../pipeline/face/canonical.ts";
import type { Draw } from "./draw.ts";
import { type Shots, viewOf } from "./shots.ts";

/** Rays of one head with what they should see. */
export interface RayTargets {
  /** (R, 6) origin, unit direction. */
  readonly rays: Tensor;
  /** (R, 3) in [-1, 1]. */
  readonly colours: Tensor;
  /** (R, 1) distance along the ray: of the head, or of the backdrop where there is none. */
  readonly distance: Tensor;
  /** (R, 1): 1 / R on the head, 0 elsewhere and where a pixel shows both. */
  readonly head: Tensor;
  /** (R, 1): 1 / R on the backdrop, 0 elsewhere and where a pixel shows both. */
  readonly backdrop: Tensor;
}

/** A pixel is of the head above, of the backdrop below one minus this share. */
export const WHOLE = 0.98;

/** Shares of rays: anywhere, and where colours or distances change. */
const ANYWHERE = 0.35, DETAIL = 0.25;

/** What speaks, eyes and mouth: points of the canonical mesh, the radius around their middle in world units, the share of rays. */
const SPEAKING = [
  { points: [33, 133], radius: 0.025, share: 0.1 },
  { points: [362, 263], radius: 0.025, share: 0.1 },
  { points: [78, 308, 13, 14], radius: 0.045, share: 0.2 },
].map(({ points, ...spot }) => ({ centre: middleOf(points), ...spot }));

function middleOf(points: readonly number[]): [number, number, number] {
  const mean = (axis: number) =>
    points.reduce((sum, k) => sum + CANONICAL[3 * k + axis], 0) / points.length;
  return [mean(0), mean(1), mean(2)];
}

/** Running sums over the pixels of a view of how much each is worth looking at; the last is 1. */
export function attention(shots: Shots, view: number): Float64Array {
  const { side } = shots, pixels = side * side;
  const { label, picture, opacity, distance } = viewOf(shots, view);
  const detail = new Float64Array(pixels);
  for (let k = 0; k < pixels; k++) {
    const x = k % side, right = x + 1 < side ? 1 : 0;
    const down = k + side < pixels ? side : 0;
    for (const step of [right, down]) {
      for (let c = 0; c < 3; c++) {
        const at = c * pixels + k;
        detail[k] += Math.abs(picture[at + step] - picture[at]);
      }
      const seen = Math.min(opacity[k], opacity[k + step]);
      const fall = Math.abs(distance[k + step] - distance[k]) * EDGE;
      detail[k] += Math.abs(opacity[k + step] - opacity[k]) +
        (seen > 0 ? seen * Math.min(1, fall) : 0);
    }
  }
  const spots = SPEAKING.map(({ centre, radius, share }) => {
    const [u, v, depth] = project([...label.subarray(0, 16)], centre);
    const pixelsWide = radius * label[16] * side / depth;
    return [spot(side, u * side, v * side, pixelsWide), share] as const;
  });
  return summed([[detail, DETAIL], ...spots]);
}

/** How much a step of one world unit counts beside one of colour. */
const EDGE = 5;

/** A map of exp(-(r / radius)^2) around a place in pixels. */
function spot(
  side: number,
  x: number,
  y: number,
  radius: number,
): Float64Array {
  const map = new Float64Array(side * side);
  const reach = Math.ceil(2.5 * radius);
  const range = (centre: number) =>
    [
      Math.max(0, Math.floor(centre) - reach),
      Math.min(side - 1, Math.floor(centre) + reach),
    ] as const;
  const [left, right] = range(x), [top, bottom] = range(y);
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      const squared = (column + 0.5 - x) ** 2 + (row + 0.5 - y) ** 2;
      map[row * side + column] = Math.exp(-squared / radius ** 2);
    }
  }
  return map;
}

/** Running sums of maps in their shares, the rest being even; a map of zeros gives its share to the rest. */
function summed(
  parts: readonly (readonly [map: Float64Array, share: number])[],
): Float64Array {
  const pixels = parts[0][0].length;
  const worth = new Float64Array(pixels).fill(ANYWHERE / pixels);
  for (const [map, share] of parts) {
    const total = map.reduce((sum, v) => sum + v, 0);
    for (let k = 0; k < pixels; k++) {
      worth[k] += share * (total > 0 ? map[k] / total : 1 / pixels);
    }
  }
  let sum = 0;
  for (let k = 0; k < pixels; k++) worth[k] = sum += worth[k];
  return worth.map((v) => v / sum);
}

/** The first index whose running sum exceeds a number in [0, 1). */
function indexOf(sums: Float64Array, value: number): number {
  let low = 0, high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle] > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Pixels of some views of one head. */
export interface Pixels {
  /** Number of the view among all of the shots. */
  readonly views: Int32Array;
  /** Number of the pixel in its picture. */
  readonly pixels: Int32Array;
}

/**
 * Draws pixels of a head's views, as many of each.
 *
 * @param sums {@linkcode attention} of each view of the shots
 */
export function drawPixels(
  { views }: Shots,
  head: number,
  sums: readonly Float64Array[],
  count: number,
  draw: Draw,
): Pixels {
  const chosen = Int32Array.from(
    { length: count },
    (_, k) => head * views + k % views,
  );
  return {
    views: chosen,
    pixels: chosen.map((view) => indexOf(sums[view], draw.uniform())),
  };
}

/** The ray through the centre of a pixel: origin and unit direction. */
export function rayOf(
  label: Float32Array,
  side: number,
  pixel: number,
): Float32Array {
  const u = (pixel % side + 0.5) / side;
  const v = (Math.floor(pixel / side) + 0.5) / side;
  const x = (u - label[18]) / label[16], y = (v - label[21]) / label[20];
  const length = Math.hypot(x, y, 1);
  const along = (row: number) =>
    (label[row] * x + label[row + 1] * y + label[row + 2]) / length;
  return Float32Array.of(
    label[3],
    label[7],
    label[11],
    along(0),
    along(4),
    along(8),
  );
}

/** Rays through pixels, and what they should see, on the device. */
export function rayTargets(
  device: Device,
  shots: Shots,
  { views, pixels }: Pixels,
): RayTargets {
  const count = pixels.length, plane = shots.side ** 2;
  const rays = new Float32Array(6 * count);
  const colours = new Float32Array(3 * count);
  const [distance, head, backdrop] = [0, 1, 2].map(() =>
    new Float32Array(count)
  );
  for (let k = 0; k < count; k++) {
    const seen = viewOf(shots, views[k]), at = pixels[k];
    rays.set(rayOf(seen.label, shots.side, at), 6 * k);
    for (let c = 0; c < 3; c++) {
      colours[3 * k + c] = seen.picture[c * plane + at];
    }
    if (seen.opacity[at] > WHOLE) head[k] = 1 / count;
    else if (seen.opacity[at] < 1 - WHOLE) backdrop[k] = 1 / count;
    distance[k] = seen.distance[at];
  }
  const column = (data: Float32Array) => device.tensor(data, [count, 1]);
  return {
    rays: device.tensor(rays, [count, 6]),
    colours: device.tensor(colours, [count, 3]),
    distance: column(distance),
    head: column(head),
    backdrop: column(backdrop),
  };
}
