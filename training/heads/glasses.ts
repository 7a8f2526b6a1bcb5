/**
 * Glasses: two rims, a bridge and two temples as a part of the body's mesh that
 * every head has. While nobody wears them they are a single point.
 *
 * @module
 */
import { LANDMARKS } from "./face_kit.ts";

/** A point in the kit's centimetres. */
type Point = readonly [x: number, y: number, z: number];

/** The mesh. */
export interface Frame {
  /** (V, 3) centimetres from {@linkcode BRIDGE}, where they are worn. */
  readonly positions: Float32Array;
  /** (T, 3). */
  readonly triangles: Uint32Array;
}

/** What glasses rest on and move with: before the root of the nose. */
export const BRIDGE: Point = [0, 3.2, 11.3];
/** The landmark at that root. */
const ROOT = LANDMARKS[27];
/** Landmarks before both ears: glasses are as wide as the head is there. */
const TEMPLES = [LANDMARKS[0], LANDMARKS[16]];

/** Thickness of the frame: half of it, and corners around. */
const RADIUS = 0.17, CORNERS = 6;
/** Middle and half sizes of a rim, and how round it is: 2 an ellipse, more a box. */
const RIM = { x: 3.35, y: 3.1, width: 2.5, height: 1.9, power: 2.8 };
/** Points of a rim. */
const POINTS = 28;

/** Rims bend back like the face: this far at 1 cm from the middle, and with its square. */
const BEND = 0.05;

/** Builds the mesh. */
export function glassesFrame(): Frame {
  const positions: number[] = [], triangles: number[] = [];
  for (const side of [-1, 1]) {
    addTube({ positions, triangles }, rim(side), [0, 0, 1], true);
    addTube({ positions, triangles }, temple(side), [0, 1, 0], false);
  }
  addTube({ positions, triangles }, nose(), [0, 0, 1], false);
  return {
    positions: Float32Array.from(positions, (x, k) => x - BRIDGE[k % 3]),
    triangles: Uint32Array.from(triangles),
  };
}

/** Where a shape of the kit takes glasses: as the root of the nose moves, in centimetres. */
export function bridgeShift(shape: Float32Array): Float32Array {
  return shape.subarray(3 * ROOT, 3 * ROOT + 3);
}

/** Width of a head, or what a shape adds to it, where temples pass. */
export function templeWidth(shape: Float32Array): number {
  return shape[3 * TEMPLES[1]] - shape[3 * TEMPLES[0]];
}

function bent(x: number, y: number): Point {
  return [x, y, BRIDGE[2] - BEND * x * x];
}

/** A superellipse around an eye. */
function rim(side: number): Point[] {
  const { x, y, width, height, power } = RIM;
  const along = (v: number) => Math.sign(v) * Math.abs(v) ** (2 / power);
  return Array.from({ length: POINTS }, (_, k) => {
    const angle = 2 * Math.PI * k / POINTS;
    return bent(
      side * x + width * along(Math.cos(angle)),
      y + height * along(Math.sin(angle)),
    );
  });
}

/** From the rim's outer edge past the temple to the ear. */
function temple(side: number): Point[] {
  const points: Point[] = [
    bent(RIM.x + RIM.width, 3.8),
    [6.5, 3.9, 8.9],
    [7.7, 4, 4],
    [7.9, 3.9, 1],
  ];
  return points.map(([x, y, z]) => [side * x, y, z]);
}

/** From rim to rim. */
function nose(): Point[] {
  const inner = RIM.x - RIM.width;
  return [-inner, -inner / 2, 0, inner / 2, inner].map((x) =>
    bent(x, 3.7 + 0.25 * (1 - (x / inner) ** 2))
  );
}

/** A tube around a line; `up` is across it everywhere. */
function addTube(
  mesh: { positions: number[]; triangles: number[] },
  line: readonly Point[],
  up: Point,
  closed: boolean,
): void {
  const first = mesh.positions.length / 3, count = line.length;
  const point = (k: number) =>
    line[
      closed ? (k + count) % count : Math.min(Math.max(k, 0), count - 1)
    ];
  for (let k = 0; k < count; k++) {
    const along = minus(point(k + 1), point(k - 1));
    const across = unit(cross(along, up)), over = unit(cross(across, along));
    for (let corner = 0; corner < CORNERS; corner++) {
      const angle = 2 * Math.PI * corner / CORNERS;
      const [c, s] = [RADIUS * Math.cos(angle), RADIUS * Math.sin(angle)];
      mesh.positions.push(
        ...line[k].map((x, i) => x + c * across[i] + s * over[i]),
      );
    }
  }
  for (let k = 0; k < (closed ? count : count - 1); k++) {
    for (let corner = 0; corner < CORNERS; corner++) {
      const at = (ring: number, c: number) =>
        first + CORNERS * (ring % count) + c % CORNERS;
      const [a, b] = [at(k, corner), at(k, corner + 1)];
      const [c, d] = [at(k + 1, corner), at(k + 1, corner + 1)];
      mesh.triangles.push(a, b, c, b, d, c);
    }
  }
}

function minus(a: Point, b: Point): Point {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

function cross(a: Point, b: Point): Point {
  return [
    a[1] * b[2] - a[2] * b[1],
    a[2] * b[0] - a[0] * b[2],
    a[0] * b[1] - a[1] * b[0],
  ];
}

function unit(a: Point): Point {
  const length = Math.hypot(...a);
  return [a[0] / length, a[1] / length, a[2] / length];
}
