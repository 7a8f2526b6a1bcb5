/**
 * The float64 reference of the mesh rasteriser: z-buffer, perspective-free interpolation, bilinear
 * texture. What the kernel on the GPU is checked against (method 3.5, 11.5).
 *
 * A pixel's centre is at +0.5. Of the triangles over it, the nearest wins; between lips at equal
 * depth, skin wins over teeth and teeth over the cavity, by their order.
 *
 * @module
 */
import type { Picture } from "../../media/picture.ts";
import type { SourceMesh } from "./source.ts";
import { TriangleKind } from "./topology.ts";

/** One frame of stage B. */
export interface TransferFrame {
  /** The portrait with the deformed face drawn over it. */
  readonly edited: Picture;
  /** Opacity of the face, 0 to 1, soft at its rim; one number a pixel. */
  readonly faceMask: Float32Array;
  /** 1 where the mouth opened and the portrait has nothing to show, else 0. */
  readonly holeMask: Float32Array;
}

/** Colour of the opened mouth until a later stage fills it. */
export const CAVITY_COLOUR: readonly [number, number, number] = [38, 14, 14];

/**
 * Draws the portrait's texture on the deformed mesh over the portrait.
 *
 * @param portrait the aligned crop, square
 * @param vertices 549 x (x, y, depth) in pixels of the crop
 */
export function rasterise(
  portrait: Picture,
  source: SourceMesh,
  vertices: ArrayLike<number>,
): TransferFrame {
  const size = portrait.width;
  const data = Uint8ClampedArray.from(portrait.data);
  const faceMask = new Float32Array(size * size);
  const holeMask = new Float32Array(size * size);
  const depth = new Float64Array(size * size).fill(Infinity);
  const { triangles, kinds } = source.topology;
  kinds.forEach((kind, t) => {
    const [a, b, c] = triangles.subarray(3 * t, 3 * t + 3);
    cover(vertices, a, b, c, size, (pixel, wa, wb, wc, z) => {
      if (z >= depth[pixel]) return;
      depth[pixel] = z;
      const mix = (from: ArrayLike<number>, stride: number, k: number) =>
        wa * from[stride * a + k] + wb * from[stride * b + k] +
        wc * from[stride * c + k];
      faceMask[pixel] = mix(source.mask, 1, 0);
      holeMask[pixel] = kind === TriangleKind.cavity ? 1 : 0;
      const colour = kind === TriangleKind.cavity ? CAVITY_COLOUR : sample(
        portrait,
        size * mix(source.uv, 2, 0),
        size * mix(source.uv, 2, 1),
      );
      data.set(colour, 3 * pixel);
    });
  });
  return { edited: { width: size, height: size, data }, faceMask, holeMask };
}

/** Visits each pixel whose centre a triangle covers, with its barycentric weights and depth. */
function cover(
  vertices: ArrayLike<number>,
  a: number,
  b: number,
  c: number,
  size: number,
  visit: (
    pixel: number,
    wa: number,
    wb: number,
    wc: number,
    depth: number,
  ) => void,
): void {
  const [ax, ay, az] = [
    vertices[3 * a],
    vertices[3 * a + 1],
    vertices[3 * a + 2],
  ];
  const [bx, by, bz] = [
    vertices[3 * b],
    vertices[3 * b + 1],
    vertices[3 * b + 2],
  ];
  const [cx, cy, cz] = [
    vertices[3 * c],
    vertices[3 * c + 1],
    vertices[3 * c + 2],
  ];
  const area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay);
  if (Math.abs(area) < 1e-9) return;
  const first = (...values: number[]) =>
    Math.max(0, Math.ceil(Math.min(...values) - 0.5));
  const last = (...values: number[]) =>
    Math.min(size - 1, Math.floor(Math.max(...values) - 0.5));
  for (let j = first(ay, by, cy); j <= last(ay, by, cy); j++) {
    for (let i = first(ax, bx, cx); i <= last(ax, bx, cx); i++) {
      const [x, y] = [i + 0.5, j + 0.5];
      const wb = ((x - ax) * (cy - ay) - (cx - ax) * (y - ay)) / area;
      const wc = ((bx - ax) * (y - ay) - (x - ax) * (by - ay)) / area;
      const wa = 1 - wb - wc;
      if (wa < 0 || wb < 0 || wc < 0) continue;
      visit(j * size + i, wa, wb, wc, wa * az + wb * bz + wc * cz);
    }
  }
}

/** Bilinear colour at (x, y) pixels, edges repeated. */
function sample(
  { width, height, data }: Picture,
  x: number,
  y: number,
): [number, number, number] {
  const clamp = (v: number, limit: number) =>
    Math.min(Math.max(v, 0), limit - 1);
  const [u, v] = [clamp(x - 0.5, width), clamp(y - 0.5, height)];
  const [u0, v0] = [Math.floor(u), Math.floor(v)];
  const [u1, v1] = [clamp(u0 + 1, width), clamp(v0 + 1, height)];
  const [fu, fv] = [u - u0, v - v0];
  const at = (i: number, j: number, k: number) => data[3 * (j * width + i) + k];
  const channel = (k: number) =>
    (at(u0, v0, k) * (1 - fu) + at(u1, v0, k) * fu) * (1 - fv) +
    (at(u0, v1, k) * (1 - fu) + at(u1, v1, k) * fu) * fv;
  return [channel(0), channel(1), channel(2)];
}
