/**
 * What the tests measure of meshes.
 *
 * @module
 */
import type { Device, SurfaceMesh, Tensor } from "../../engine/mod.ts";

type Point = readonly [number, number, number];

/** How the triangles of a mesh hang together. */
export interface Topology {
  /** Edges that some direction of does not belong to exactly one triangle. */
  openEdges: number;
  /** Vertices whose triangles are not one closed fan, those without any among them. */
  pinchedVertices: number;
  /** Vertices - edges + triangles: 2 for a sphere, 0 for a torus. */
  eulerCharacteristic: number;
}

/** Counts what a closed surface must not have. */
export function topologyOf({ positions, triangles }: SurfaceMesh): Topology {
  const vertices = positions.length / 3;
  const directed = new Map<number, number>();
  const fans = Array.from(
    { length: vertices },
    () => new Map<number, number>(),
  );
  for (let k = 0; k < triangles.length; k += 3) {
    for (let c = 0; c < 3; c++) {
      const [a, b, last] = [0, 1, 2].map((i) => triangles[k + (c + i) % 3]);
      const edge = a * vertices + b;
      directed.set(edge, (directed.get(edge) ?? 0) + 1);
      fans[a].set(b, last);
    }
  }
  let openEdges = 0;
  for (const [edge, uses] of directed) {
    const back = (edge % vertices) * vertices + Math.floor(edge / vertices);
    if (uses !== 1 || directed.get(back) !== 1) openEdges++;
  }
  return {
    openEdges,
    pinchedVertices: fans.filter((fan) => !isOneFan(fan)).length,
    eulerCharacteristic: vertices - directed.size / 2 + triangles.length / 3,
  };
}

/** Whether going from neighbour to neighbour around a vertex meets all of them. */
function isOneFan(next: ReadonlyMap<number, number>): boolean {
  const [start] = next.keys();
  if (start === undefined) return false;
  let steps = 0, at: number | undefined = start;
  do {
    at = next.get(at);
    steps++;
  } while (at !== undefined && at !== start && steps <= next.size);
  return at === start && steps === next.size;
}

/** Area, and the volume inside if the triangles turn counter-clockwise seen from outside. */
export function measuresOf(
  { positions, triangles }: SurfaceMesh,
): { area: number; volume: number } {
  let area = 0, volume = 0;
  for (const [a, b, c] of corners(positions, triangles)) {
    const n = cross(minus(b, a), minus(c, a));
    area += Math.hypot(...n) / 2;
    volume += dot(a, cross(b, c)) / 6;
  }
  return { area, volume };
}

/** Smallest cosine between a triangle's own direction and the normals of its corners. */
export function worstNormal(mesh: SurfaceMesh): number {
  const { positions, normals, triangles } = mesh;
  const directions = [...corners(normals, triangles)];
  let worst = 1, k = 0;
  for (const [a, b, c] of corners(positions, triangles)) {
    const n = cross(minus(b, a), minus(c, a)), length = Math.hypot(...n);
    for (const direction of directions[k++]) {
      worst = Math.min(worst, dot(n, direction) / length);
    }
  }
  return worst;
}

function* corners(
  rows: Float32Array,
  triangles: Uint32Array,
): Generator<readonly [Point, Point, Point]> {
  const row = (v: number): Point => [
    rows[3 * v],
    rows[3 * v + 1],
    rows[3 * v + 2],
  ];
  for (let k = 0; k < triangles.length; k += 3) {
    yield [row(triangles[k]), row(triangles[k + 1]), row(triangles[k + 2])];
  }
}

function minus(a: Point, b: Point): Point {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

function dot(a: Point, b: Point): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function cross(a: Point, b: Point): Point {
  return [
    a[1] * b[2] - a[2] * b[1],
    a[2] * b[0] - a[0] * b[2],
    a[0] * b[1] - a[1] * b[0],
  ];
}

/** (D, H, W): f of every grid point's x, y, z. */
export function volumeOf(
  device: Device,
  shape: readonly [number, number, number],
  f: (x: number, y: number, z: number) => number,
): Tensor {
  const [depth, height, width] = shape;
  const values = new Float32Array(depth * height * width);
  for (let k = 0; k < values.length; k++) {
    const row = Math.floor(k / width);
    values[k] = f(k % width, row % height, Math.floor(row / height));
  }
  return device.tensor(values, shape);
}
