/**
 * The mask of stage E: the source's face region, lifted by its distance and
 * seen from the target camera (method, section 6, with the true reprojection
 * that section 6.1 recommends).
 *
 * @module
 */
import {
  type Cam2World,
  cameraCentre,
  cameraRotation,
  FOCAL,
  project,
} from "../face/camera.ts";
import { apply, normalise, type Vec3 } from "../face/linear.ts";
import { blur } from "../inversion/inpaint.ts";

/**
 * Sigma of the feather in shares of the picture's side, and as much the reach of its kernel: the
 * published one is 15 pixels wide at a sigma of 7.
 */
const FEATHER = 7 / 512;

type Point = readonly [number, number];

/**
 * Lifts every pixel of a mask to where its ray meets the head: o + depth d.
 *
 * @param mask (S, S), pixels above 0.5 count
 * @param side S
 * @param depth (R, R) distance along the unit rays
 * @param resolution R
 * @param camera from which both were seen
 * @returns world positions
 */
export function liftMask(
  mask: Float32Array,
  side: number,
  depth: Float32Array,
  resolution: number,
  camera: Cam2World,
): Vec3[] {
  const rotation = cameraRotation(camera), origin = cameraCentre(camera);
  const points: Vec3[] = [];
  for (let k = 0; k < mask.length; k++) {
    if (mask[k] <= 0.5) continue;
    const u = (k % side + 0.5) / side, v = (Math.floor(k / side) + 0.5) / side;
    const distance = depth[
      Math.floor(v * resolution) * resolution + Math.floor(u * resolution)
    ];
    const d = normalise(
      apply(rotation, [(u - 0.5) / FOCAL, (v - 0.5) / FOCAL, 1]),
    );
    points.push([
      origin[0] + distance * d[0],
      origin[1] + distance * d[1],
      origin[2] + distance * d[2],
    ]);
  }
  return points;
}

/**
 * The region as a camera sees it: convex hull of the projected points, feathered.
 *
 * @returns (S, S) in [0, 1]
 */
export function projectMask(
  points: readonly Vec3[],
  camera: Cam2World,
  side: number,
): Float32Array {
  const hull = convexHull(points.map((p): Point => {
    const [u, v] = project(camera, p);
    return [u * side, v * side];
  }));
  const feather = FEATHER * side;
  return blur(fillConvex(hull, side), side, feather, feather);
}

/**
 * foreground mask + background (1 - mask).
 *
 * @param foreground (3, S, S)
 * @param background (3, S, S)
 * @param mask (S, S)
 */
export function composite(
  foreground: Float32Array,
  background: Float32Array,
  mask: Float32Array,
): Float32Array {
  return foreground.map((f, k) => {
    const m = mask[k % mask.length];
    return m * f + (1 - m) * background[k];
  });
}

/** Corners of the convex hull in order (Andrew's monotone chain). */
export function convexHull(points: readonly Point[]): Point[] {
  const sorted = points.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]);
  if (sorted.length < 3) return sorted;
  const half = (list: readonly Point[]) => {
    const chain: Point[] = [];
    for (const p of list) {
      while (chain.length > 1 && turn(chain.at(-2)!, chain.at(-1)!, p) <= 0) {
        chain.pop();
      }
      chain.push(p);
    }
    return chain.slice(0, -1);
  };
  return [...half(sorted), ...half(sorted.toReversed())];
}

function turn(a: Point, b: Point, c: Point): number {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

/** 1 at pixel centres inside a convex polygon. */
function fillConvex(hull: readonly Point[], side: number): Float32Array {
  const mask = new Float32Array(side * side);
  if (hull.length < 3) return mask;
  for (let y = 0; y < side; y++) {
    const [left, right] = span(hull, y + 0.5);
    const first = Math.max(0, Math.ceil(left - 0.5)),
      last = Math.min(side - 1, Math.floor(right - 0.5));
    for (let x = first; x <= last; x++) mask[y * side + x] = 1;
  }
  return mask;
}

/** Where a horizontal line enters and leaves the polygon; empty when it misses. */
function span(hull: readonly Point[], y: number): [number, number] {
  let left = Infinity, right = -Infinity;
  hull.forEach(([x0, y0], k) => {
    const [x1, y1] = hull[(k + 1) % hull.length];
    if ((y0 > y) === (y1 > y)) return;
    const x = x0 + (x1 - x0) * (y - y0) / (y1 - y0);
    left = Math.min(left, x);
    right = Math.max(right, x);
  });
  return [left, right];
}
