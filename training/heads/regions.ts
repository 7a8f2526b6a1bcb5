/**
 * Where on the neutral head hair and beard grow and clothes lie.
 *
 * @module
 */
import { LANDMARKS, PARTS } from "./face_kit.ts";

/** Shares of the skin's vertices, (11248) each. */
export interface Regions {
  /** Skin that a beard may cover. */
  readonly beard: Float32Array;
  /** Density of single stubble around 1. */
  readonly stubble: Float32Array;
  /** Skin under the hair. */
  readonly scalp: Float32Array;
  /** Neck under the collar. */
  readonly clothes: Float32Array;
}

type Point = readonly [number, number];

/** The regions on a neutral head (26719, 3) in centimetres. */
export function regionsOf(neutral: Float32Array): Regions {
  const count = PARTS.skin.end;
  const of = (share: (x: number, y: number, z: number) => number) =>
    Float32Array.from(
      { length: count },
      (_, k) =>
        share(
          ...neutral.subarray(3 * k, 3 * k + 3) as unknown as [
            number,
            number,
            number,
          ],
        ),
    );
  return {
    beard: beardOf(neutral),
    stubble: Float32Array.from(
      { length: count },
      (_, k) => 0.6 + 0.8 * speckle(k),
    ),
    scalp: of(scalpShare),
    clothes: of((x, y, z) =>
      limit((-12.4 + 0.35 * Math.abs(x) + 0.25 * limit(4 - z, 0, 9) - y) / 0.6)
    ),
  };
}

const limit = (x: number, low = 0, high = 1) =>
  Math.min(Math.max(x, low), high);

/** The hairline sinks from the forehead to the nape; ears stay free. */
function scalpShare(x: number, y: number, z: number): number {
  if (Math.abs(x) > 8.3 && y < 5 && z > -3) return 0;
  const line = 8.2 - 4.6 * limit((9.5 - z) / 9.5) ** 0.8 -
    8.5 * limit((2 - z) / 10);
  return 1 / (1 + Math.exp(-1.6 * (y - line)));
}

/** A number in [0, 1) of a vertex, without a pattern. */
function speckle(k: number): number {
  const hash = Math.imul(k + 1, 0x9e3779b1);
  return (Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) >>> 0) / 2 ** 32;
}

/** Jaw to jaw below the nose, without the lips; from the front. */
function beardOf(neutral: Float32Array): Float32Array {
  const landmark = (k: number): Point => [
    neutral[3 * LANDMARKS[k]],
    neutral[3 * LANDMARKS[k] + 1],
  ];
  const jaw = Array.from({ length: 15 }, (_, k) => landmark(k + 1))
    .map(([x, y]): Point => [1.04 * x, y]);
  const lips = Array.from({ length: 12 }, (_, k) => landmark(k + 48))
    .map(([x, y]): Point => [0.95 * x, y]);
  const moustache: Point[] = [
    [5.6, -1.2],
    [3.2, -1.6],
    [1.2, -1.7],
    [-1.2, -1.7],
    [-3.2, -1.6],
    [-5.6, -1.2],
  ];
  const hair = softMask([...jaw, ...moustache], 22);
  const bare = softMask(lips, 6);
  return Float32Array.from({ length: PARTS.skin.end }, (_, k) => {
    const [x, y, z] = neutral.subarray(3 * k, 3 * k + 3);
    if (k >= PARTS.face.end || z < 4) return 0;
    return lookUp(hair, x, y) * (1 - lookUp(bare, x, y));
  });
}

/** Pixels of a mask's side; it shows 30 x 30 cm around the origin. */
const MASK = 1024, EXTENT = 30;

function lookUp(mask: Float32Array, x: number, y: number): number {
  const column = limit(Math.floor((x / EXTENT + 0.5) * MASK), 0, MASK - 1);
  const row = limit(Math.floor((0.5 - y / EXTENT) * MASK), 0, MASK - 1);
  return mask[row * MASK + column];
}

/** A polygon in centimetres, blurred with a Gaussian of `sigma` pixels. */
function softMask(polygon: readonly Point[], sigma: number): Float32Array {
  const points = polygon.map(([x, y]): Point => [
    (x / EXTENT + 0.5) * MASK,
    (0.5 - y / EXTENT) * MASK,
  ]);
  let mask = new Float32Array(MASK * MASK);
  for (let row = 0; row < MASK; row++) {
    const cuts = crossings(points, row + 0.5);
    for (let k = 0; k + 1 < cuts.length; k += 2) {
      mask.fill(
        1,
        row * MASK + Math.ceil(cuts[k] - 0.5),
        row * MASK + Math.ceil(cuts[k + 1] - 0.5),
      );
    }
  }
  for (let pass = 0; pass < 6; pass++) mask = blurredRows(mask, sigma);
  return mask;
}

/** Where the edges of a polygon cross a row, from left to right. */
function crossings(points: readonly Point[], y: number): number[] {
  return points.flatMap(([x0, y0], k) => {
    const [x1, y1] = points[(k + 1) % points.length];
    return (y0 <= y) === (y1 <= y)
      ? []
      : [x0 + (y - y0) / (y1 - y0) * (x1 - x0)];
  }).sort((a, b) => a - b);
}

/**
 * One of the six passes of a Gaussian: each row as a column of the result,
 * averaged with a box of a third of the variance whose two ends count in part.
 */
function blurredRows(
  mask: Float32Array,
  sigma: number,
): Float32Array<ArrayBuffer> {
  const variance = sigma ** 2 / 3;
  const half = Math.floor((Math.sqrt(12 * variance + 1) - 1) / 2);
  const end = (2 * half + 1) * (3 * variance - half * (half + 1)) /
    (6 * ((half + 1) ** 2 - variance));
  const total = 2 * half + 1 + 2 * end;
  const result = new Float32Array(mask.length);
  for (let row = 0; row < MASK; row++) {
    const at = (x: number) => mask[row * MASK + limit(x, 0, MASK - 1)];
    let sum = 0;
    for (let x = -half; x <= half; x++) sum += at(x);
    for (let x = 0; x < MASK; x++) {
      const ends = end * (at(x - half - 1) + at(x + half + 1));
      result[x * MASK + row] = (sum + ends) / total;
      sum += at(x + half + 1) - at(x - half);
    }
  }
  return result;
}
