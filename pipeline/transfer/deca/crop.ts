/**
 * The square in which DECA sees a face, and the way between it and the photo
 * (Feng et al. 2021; method, sections 3.1 and 11.5).
 *
 *     box   = smallest box around 68 landmarks
 *     size  = trunc(1.25 * 1.1 * (width + height) / 2), around the box's middle
 *
 * A crop of side S shows the square's corner at the centre of its first pixel
 * and the opposite corner at the centre of its last one. In the release the
 * picture is drawn half a pixel of the photo away from where it was read,
 * because pixel indices are taken for distances from the edge; here both are
 * distances from the edge, pixel centres lying at + 0.5.
 *
 * @module
 */
import type { Picture } from "../../media/picture.ts";

/** A square in a picture, in pixels, which need not lie inside it. */
export interface DecaCrop {
  /** What the centre of the crop's first column shows. */
  readonly left: number;
  /** What the centre of the crop's first row shows. */
  readonly top: number;
  /** From the first column to the last. */
  readonly size: number;
}

/**
 * FaceMesh's points that stand for the 68 landmarks of FAN, in iBUG order:
 * jaw 17, brows 5 + 5, nose 4 + 5, eyes 6 + 6, lips 12 + 8. The usual
 * correspondence; only the box around them matters to DECA.
 */
export const IBUG_68: readonly number[] = [
  ...[162, 234, 93, 58, 172, 136, 149, 148, 152],
  ...[377, 378, 365, 397, 288, 323, 454, 389],
  ...[71, 63, 105, 66, 107, 336, 296, 334, 293, 301],
  ...[168, 197, 5, 4, 75, 97, 2, 326, 305],
  ...[33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380],
  ...[61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181],
  ...[78, 82, 13, 312, 308, 317, 14, 87],
];

/** Side of the crop through which the release goes from DECA's coordinates to the photo's. */
const FINE_SIDE = 1024;

/**
 * Where DECA looks for a face.
 *
 * @param points FaceMesh's points, 468 x (x, y, z) in pixels
 */
export function decaCrop(points: ArrayLike<number>): DecaCrop {
  const [x, y] = [0, 1].map((axis) => {
    const all = IBUG_68.map((k) => points[3 * k + axis]);
    const low = Math.min(...all), high = Math.max(...all);
    return { middle: (low + high) / 2, extent: high - low };
  });
  const size = Math.trunc(1.25 * 1.1 * (x.extent + y.extent) / 2);
  return { left: x.middle - size / 2, top: y.middle - size / 2, size };
}

/**
 * The crop of a picture: bilinear, black where there is no picture. A picture
 * more than twice as fine as the crop is averaged on the way (the release
 * skips pixels).
 *
 * @param side pixels of the crop's side
 * @returns (3, side, side) in [0, 1]
 */
export function warpCrop(
  picture: Picture,
  { left, top, size }: DecaCrop,
  side: number,
): Float32Array {
  const step = size / (side - 1), taps = Math.max(1, Math.floor(step));
  const offsets = Array.from(
    { length: taps },
    (_, k) => step * ((k + 0.5) / taps - 0.5),
  );
  const planes = new Float32Array(3 * side * side);
  const add = (pixel: number, x: number, y: number) => {
    for (let c = 0; c < 3; c++) {
      planes[c * side * side + pixel] += bilinear(picture, x, y, c) /
        (255 * taps * taps);
    }
  };
  for (let j = 0; j < side; j++) {
    for (let i = 0; i < side; i++) {
      for (const dy of offsets) {
        for (const dx of offsets) {
          add(j * side + i, left + i * step + dx, top + j * step + dy);
        }
      }
    }
  }
  return planes;
}

/** One channel at (x, y), 0 beyond the picture. */
function bilinear(
  { width, height, data }: Picture,
  x: number,
  y: number,
  channel: number,
): number {
  const i = Math.floor(x - 0.5), j = Math.floor(y - 0.5);
  const u = x - 0.5 - i, v = y - 0.5 - j;
  const at = (column: number, row: number) =>
    column < 0 || row < 0 || column >= width || row >= height
      ? 0
      : data[3 * (row * width + column) + channel];
  return (1 - v) * ((1 - u) * at(i, j) + u * at(i + 1, j)) +
    v * ((1 - u) * at(i, j + 1) + u * at(i + 1, j + 1));
}

/**
 * Vertices as DECA's camera (s, t) sees them, in the photo: with
 * X = s (x + t_x), Y = -s (y + t_y), Z = -s z, which run from -1 to 1 over the
 * crop, (X, Y) goes to pixels, and Z, smaller being nearer, by the same scale.
 *
 * @param vertices (V, 3) of FLAME, y up, z to the viewer
 * @param cam scale and translation
 * @returns (V, 3): pixels of the photo, y down, and depth
 */
export function projectToPicture(
  vertices: ArrayLike<number>,
  cam: ArrayLike<number>,
  { left, top, size }: DecaCrop,
): Float32Array {
  const half = size * FINE_SIDE / (FINE_SIDE - 1) / 2;
  const scale = half * cam[0];
  const projected = new Float32Array(vertices.length);
  for (let k = 0; k < vertices.length; k += 3) {
    projected[k] = left + half + scale * (vertices[k] + cam[1]);
    projected[k + 1] = top + half - scale * (vertices[k + 1] + cam[2]);
    projected[k + 2] = -scale * vertices[k + 2];
  }
  return projected;
}

/**
 * Where the crop shows the photo: 1 inside, 0 outside of either, a pixel
 * between (method 3.4, the in-bounds map).
 *
 * @param side pixels of the photo's side
 * @returns (side, side)
 */
export function cropBounds(
  { left, top, size }: DecaCrop,
  side: number,
): Float32Array {
  const along = (start: number) =>
    Float32Array.from({ length: side }, (_, k) => {
      const inside = Math.min(k + 1 - start, start + size - k);
      return k === 0 || k === side - 1 ? 0 : Math.min(1, Math.max(0, inside));
    });
  const columns = along(left), rows = along(top);
  return Float32Array.from(
    { length: side * side },
    (_, k) => columns[k % side] * rows[Math.floor(k / side)],
  );
}
