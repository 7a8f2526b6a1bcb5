/**
 * Marching cubes in plain TypeScript and float64, cell by cell.
 *
 * @module
 */
import { CELL_CASES } from "../../kernels/raster/marching_cubes.ts";
import type { NumberArray } from "./conformance.ts";

/** What a grid point or an edge along an axis is known by: x, y, z. */
type Triple = readonly [number, number, number];

/** A mesh in float64. */
export interface SurfaceReference {
  /** (V, 3). */
  positions: NumberArray;
  /** (V, 3). */
  normals: NumberArray;
  /** Three vertices for each triangle. */
  triangles: number[];
}

/** How near to a grid point a vertex may lie, in distances between points. */
const NEAR = 0.001;

/** The surface of `values` (D, H, W) at a level. */
export function marchingCubesReference(
  values: NumberArray,
  level: number,
  origin: Triple = [0, 0, 0],
  spacing: Triple = [1, 1, 1],
): SurfaceReference {
  const [depth, height, width] = values.shape;
  const sizes = [width, height, depth];
  const value = ([x, y, z]: Triple) => {
    const v = values.data[(z * height + y) * width + x];
    return Number.isNaN(v) ? -1e30 : Math.min(Math.max(v, -1e30), 1e30);
  };
  const gradient = (p: Triple) =>
    [0, 1, 2].map((axis) => {
      const low = moved(p, axis, p[axis] > 0 ? -1 : 0);
      const high = moved(p, axis, p[axis] < sizes[axis] - 1 ? 1 : 0);
      return (value(high) - value(low)) / (high[axis] - low[axis]) /
        spacing[axis];
    });
  const positions: number[] = [], normals: number[] = [];
  const numbers = new Map<string, number>();
  for (const p of points(sizes)) {
    for (let axis = 0; axis < 3; axis++) {
      const q = moved(p, axis, 1), a = value(p), b = value(q);
      if (q[axis] === sizes[axis] || a > level === b > level) continue;
      numbers.set(`${p} ${axis}`, numbers.size);
      const exact = (level - a) / (b - a);
      const t = Math.min(Math.max(exact, NEAR), 1 - NEAR);
      const at = p.map((k, other) => other === axis ? k + t : k);
      positions.push(...at.map((v, k) => origin[k] + spacing[k] * v));
      const to = gradient(q);
      const g = gradient(p).map((v, k) => (1 - t) * v + t * to[k]);
      const length = Math.hypot(...g);
      const along = [0, 1, 2].map((k) => k === axis ? Math.sign(a - b) : 0);
      normals.push(...(length > 0 ? g.map((v) => -v / length) : along));
    }
  }
  const triangles: number[] = [];
  for (const p of points(sizes.map((n) => n - 1))) {
    let corners = 0;
    for (let k = 0; k < 8; k++) {
      if (value(corner(p, k)) > level) corners |= 1 << k;
    }
    for (const edge of CELL_CASES[corners].flat()) {
      triangles.push(numbers.get(`${corner(p, edge & 7)} ${edge >> 3}`)!);
    }
  }
  const array = (data: number[]): NumberArray => ({
    data: Float64Array.from(data),
    shape: [data.length / 3, 3],
  });
  return { positions: array(positions), normals: array(normals), triangles };
}

function moved(p: Triple, axis: number, by: number): Triple {
  return [0, 1, 2].map((k) =>
    k === axis ? p[k] + by : p[k]
  ) as unknown as Triple;
}

function corner([x, y, z]: Triple, k: number): Triple {
  return [x + (k & 1), y + (k >> 1 & 1), z + (k >> 2)];
}

/** Every point of a grid, x fastest. */
function* points(sizes: readonly number[]): Generator<Triple> {
  for (let z = 0; z < sizes[2]; z++) {
    for (let y = 0; y < sizes[1]; y++) {
      for (let x = 0; x < sizes[0]; x++) yield [x, y, z];
    }
  }
}
