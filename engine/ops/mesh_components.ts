/**
 * The separate pieces of a mesh.
 *
 * @module
 */
import type { SurfaceMesh } from "./marching_cubes.ts";

/**
 * Which piece each vertex belongs to: vertices that triangles join have the
 * same number.
 *
 * @returns for each vertex the first vertex of its piece
 */
export function connectedComponents(
  { positions, triangles }: SurfaceMesh,
): Uint32Array {
  const parent = Uint32Array.from(
    { length: positions.length / 3 },
    (_, vertex) => vertex,
  );
  const first = (vertex: number): number => {
    while (parent[vertex] !== vertex) {
      parent[vertex] = parent[parent[vertex]];
      vertex = parent[vertex];
    }
    return vertex;
  };
  const unite = (a: number, b: number) => {
    const [u, v] = [first(a), first(b)];
    parent[Math.max(u, v)] = Math.min(u, v);
  };
  for (let k = 0; k < triangles.length; k += 3) {
    unite(triangles[k], triangles[k + 1]);
    unite(triangles[k], triangles[k + 2]);
  }
  return parent.map((_, vertex) => first(vertex));
}

/**
 * The piece with the most triangles, without the others.
 *
 * @returns a mesh of its own; the order of what is left stays
 */
export function largestComponent(mesh: SurfaceMesh): SurfaceMesh {
  const { positions, triangles } = mesh;
  const component = connectedComponents(mesh);
  const counts = new Uint32Array(positions.length / 3);
  for (let k = 0; k < triangles.length; k += 3) {
    counts[component[triangles[k]]]++;
  }
  let largest = 0;
  counts.forEach((count, k) => {
    if (count > counts[largest]) largest = k;
  });
  return partOfMesh(mesh, (vertex) => component[vertex] === largest);
}

/** The vertices for which `keep` says so, and the triangles that have no others. */
export function partOfMesh(
  { positions, normals, triangles }: SurfaceMesh,
  keep: (vertex: number) => boolean,
): SurfaceMesh {
  const kept = new Uint32Array(positions.length / 3).map((_, k) => k)
    .filter(keep);
  const number = new Int32Array(positions.length / 3).fill(-1);
  kept.forEach((vertex, k) => number[vertex] = k);
  const rows = (numbers: Float32Array) => {
    const part = new Float32Array(3 * kept.length);
    kept.forEach((vertex, k) =>
      part.set(numbers.subarray(3 * vertex, 3 * vertex + 3), 3 * k)
    );
    return part;
  };
  const indices = new Uint32Array(triangles.length);
  let end = 0;
  for (let k = 0; k < triangles.length; k += 3) {
    const corners = [0, 1, 2].map((c) => number[triangles[k + c]]);
    if (corners.some((vertex) => vertex < 0)) continue;
    indices.set(corners, end);
    end += 3;
  }
  return {
    positions: rows(positions),
    normals: rows(normals),
    triangles: indices.slice(0, end),
  };
}
