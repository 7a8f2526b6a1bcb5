/**
 * Mesh drawing in plain TypeScript and float64.
 *
 * @module
 */
import type { NumberArray } from "./conformance.ts";
import { NO_TRIANGLE, type RasterSize } from "./raster.ts";
import { build } from "./reference.ts";

/** A {@linkcode Raster} in float64. */
export interface RasterReference {
  /** (H, W): index of the triangle, or {@linkcode NO_TRIANGLE}. */
  triangle: Uint32Array;
  /** (3, H, W). */
  barycentric: Float64Array;
  /** Size of the picture. */
  size: RasterSize;
}

type Point = readonly [number, number];

/** Twice the area of (a, b, p); its sign changes exactly when a and b change places. */
function edge(a: Point, b: Point, p: Point): number {
  const swap = a[1] > b[1] || (a[1] === b[1] && a[0] > b[0]);
  const [low, high] = swap ? [b, a] : [a, b];
  const e = (high[0] - low[0]) * (p[1] - low[1]) -
    (high[1] - low[1]) * (p[0] - low[0]);
  return swap ? -e : e;
}

/** Whether p is inside of the edge, or on it and the edge is a top or left one. */
function inside(a: Point, b: Point, p: Point): boolean {
  const e = edge(a, b, p);
  return e > 0 || (e === 0 && (b[1] < a[1] || (b[1] === a[1] && b[0] > a[0])));
}

/** Weights of a triangle's corners at p, or null where p is outside. */
function weightsAt(
  [a, b, c]: readonly Point[],
  p: Point,
): [number, number, number] | null {
  if (edge(a, b, c) < 0) {
    const swapped = weightsAt([a, c, b], p);
    return swapped && [swapped[0], swapped[2], swapped[1]];
  }
  const parts = [edge(b, c, p), edge(c, a, p), edge(a, b, p)];
  const area = parts[0] + parts[1] + parts[2];
  if (!(area > 0 && inside(b, c, p) && inside(c, a, p) && inside(a, b, p))) {
    return null;
  }
  return [parts[0] / area, parts[1] / area, parts[2] / area];
}

/** Indices of the pixels in the box around some points. */
function* pixelsAround(
  points: readonly Point[],
  { height, width }: RasterSize,
): Generator<number> {
  const range = (axis: 0 | 1, size: number) => {
    const at = points.map((p) => p[axis]);
    const low = Math.floor(Math.min(...at)), high = Math.ceil(Math.max(...at));
    return [Math.max(low, 0), Math.min(high, size)];
  };
  const [left, right] = range(0, width), [top, bottom] = range(1, height);
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) yield y * width + x;
  }
}

/** Nearest triangle and its weights at every pixel centre. */
export function rasteriseReference(
  vertices: ArrayLike<number>,
  triangles: ArrayLike<number>,
  size: RasterSize,
): RasterReference {
  const { height, width } = size, pixels = height * width;
  const triangle = new Uint32Array(pixels).fill(NO_TRIANGLE);
  const barycentric = new Float64Array(3 * pixels);
  const depth = new Float64Array(pixels).fill(Infinity);
  for (let t = 0; 3 * t < triangles.length; t++) {
    const corners = [0, 1, 2].map((k) => 3 * triangles[3 * t + k]);
    const points = corners.map((v) => [vertices[v], vertices[v + 1]] as const);
    for (const i of pixelsAround(points, size)) {
      const p = [i % width + 0.5, Math.floor(i / width) + 0.5] as const;
      const weights = weightsAt(points, p);
      if (!weights) continue;
      const z = weights.reduce(
        (s, w, k) => s + w * vertices[corners[k] + 2],
        0,
      );
      if (z >= depth[i]) continue;
      depth[i] = z;
      triangle[i] = t;
      weights.forEach((w, k) => barycentric[k * pixels + i] = w);
    }
  }
  return { triangle, barycentric, size };
}

/** Numbers of the vertices (V, C) at each pixel: (C, H, W). */
export function interpolateAttributesReference(
  attributes: NumberArray,
  { triangle, barycentric, size: { height, width } }: RasterReference,
  triangles: ArrayLike<number>,
): NumberArray {
  const channels = attributes.shape[1], pixels = height * width;
  return build([channels, height, width], ([c], k) => {
    const p = k % pixels, t = triangle[p];
    if (t === NO_TRIANGLE) return 0;
    let sum = 0;
    for (let corner = 0; corner < 3; corner++) {
      sum += barycentric[corner * pixels + p] *
        attributes.data[channels * triangles[3 * t + corner] + c];
    }
    return sum;
  });
}

/** A picture (C, h, w) on the mesh: (C, H, W). */
export function sampleTextureReference(
  image: NumberArray,
  uvPixels: NumberArray,
  raster: RasterReference,
  triangles: ArrayLike<number>,
): NumberArray {
  const [channels, h, w] = image.shape;
  const { height, width } = raster.size, pixels = height * width;
  const at = interpolateAttributesReference(uvPixels, raster, triangles).data;
  const inner = (v: number, n: number) => Math.min(Math.max(v, 0), n - 1);
  return build([channels, height, width], ([c], k) => {
    const p = k % pixels;
    if (raster.triangle[p] === NO_TRIANGLE) return 0;
    const x = inner(at[p] - 0.5, w), y = inner(at[pixels + p] - 0.5, h);
    const x0 = Math.floor(x), y0 = Math.floor(y);
    const number = (i: number, j: number) =>
      image.data[(c * h + inner(j, h)) * w + inner(i, w)];
    const row = (j: number) =>
      number(x0, j) * (1 - x + x0) + number(x0 + 1, j) * (x - x0);
    return row(y0) * (1 - y + y0) + row(y0 + 1) * (y - y0);
  });
}
