/**
 * What a renderer's distances look like: depth and normal maps, as planar
 * pictures in [0, 1].
 *
 * @module
 */
import { cross, dot, normalise, type Vec3 } from "../face/linear.ts";

/** Options of {@linkcode depthPicture}. */
export interface DepthPictureOptions {
  /** Distance that is shown white; the smallest when absent. */
  near?: number;
  /** Distance that is shown black; the largest when absent. */
  far?: number;
}

/** A surface is not taken to go on where it falls away more than this times as fast as it comes. */
const EDGE = 4;

/**
 * Distances in shades of grey, near ones bright. Pixels without a distance
 * (rays that hit nothing) are black.
 *
 * @param depth (R, R) distances along the rays
 * @returns (3, R, R) in [0, 1]
 */
export function depthPicture(
  depth: Float32Array,
  options: DepthPictureOptions = {},
): Float32Array {
  const found = depth.filter(Number.isFinite);
  const near = options.near ?? found.reduce((a, b) => Math.min(a, b), Infinity);
  const far = options.far ?? found.reduce((a, b) => Math.max(a, b), -Infinity);
  const picture = new Float32Array(3 * depth.length);
  depth.forEach((distance, k) => {
    if (!Number.isFinite(distance)) return;
    const grey = far > near ? (far - distance) / (far - near) : 1;
    const shown = Math.min(Math.max(grey, 0), 1);
    for (let c = 0; c < 3; c++) picture[c * depth.length + k] = shown;
  });
  return picture;
}

/**
 * Directions of the surface seen by a camera, by differences between the
 * points that neighbouring pixels see: red to the right, green up, blue to the
 * camera, each (n + 1) / 2. At an edge the side counts that belongs to the
 * pixel's own surface. Pixels without a distance are the grey of no direction.
 *
 * @param depth (R, R) distances along the rays
 * @param label (25) of the camera
 * @returns (3, R, R) in [0, 1]
 */
export function normalPicture(
  depth: Float32Array,
  label: ArrayLike<number>,
): Float32Array {
  const pixels = depth.length, side = Math.sqrt(pixels);
  const picture = new Float32Array(3 * pixels).fill(0.5);
  const points = seenPoints(depth, side, label);
  for (let k = 0; k < pixels; k++) {
    const point = points[k], x = k % side, y = Math.floor(k / side);
    const at = (i: number, j: number) =>
      i >= 0 && j >= 0 && i < side && j < side ? points[j * side + i] : null;
    if (!point) continue;
    const right = slope(at(x - 1, y), point, at(x + 1, y));
    const down = slope(at(x, y - 1), point, at(x, y + 1));
    if (!right || !down) continue;
    const n = normalise(cross(right, down));
    // of the two sides the one that the camera sees
    const sign = dot(n, point) > 0 ? -1 : 1;
    const shown = [sign * n[0], -sign * n[1], -sign * n[2]];
    shown.forEach((v, c) => picture[c * pixels + k] = (v + 1) / 2);
  }
  return picture;
}

/** What each pixel sees in the camera's axes (x right, y down, z forward); null where nothing. */
function seenPoints(
  depth: Float32Array,
  side: number,
  label: ArrayLike<number>,
): (Vec3 | null)[] {
  const [fx, skew, cx, , fy, cy] = Array.from(label).slice(16, 22);
  return Array.from(depth, (distance, k) => {
    if (!Number.isFinite(distance)) return null;
    const u = (k % side + 0.5) / side, v = (Math.floor(k / side) + 0.5) / side;
    const y = (v - cy) / fy;
    const d = normalise([(u - cx - skew * y) / fx, y, 1]);
    return [distance * d[0], distance * d[1], distance * d[2]];
  });
}

/** From one neighbour to the other, or between the point and the one that is much nearer to it. */
function slope(
  before: Vec3 | null,
  point: Vec3,
  after: Vec3 | null,
): Vec3 | null {
  const back = before && difference(point, before);
  const on = after && difference(after, point);
  if (!back || !on) return back ?? on;
  const [a, b] = [Math.hypot(...back), Math.hypot(...on)];
  if (a > EDGE * b) return on;
  if (b > EDGE * a) return back;
  return [back[0] + on[0], back[1] + on[1], back[2] + on[2]];
}

function difference(a: Vec3, b: Vec3): Vec3 {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}
