/**
 * What a surface looks like in a cell of eight grid points (Lorensen and Cline,
 * "Marching cubes", 1987), worked out from the cube itself.
 *
 * On each face of the cell the surface leaves segments. Where inside and
 * outside alternate around a face there are two ways to draw them; inside
 * corners are always parted there. The rule looks at nothing but the face, so
 * that both cells of a face draw the same and no hole is left. The segments of
 * the six faces join to closed loops, and each loop becomes a fan of triangles.
 * A fan never draws a diagonal on a face, where the neighbour might draw it too:
 * every edge of the mesh belongs to two triangles.
 *
 * Corner x + 2 y + 4 z of a cell has the number x + 2 y + 4 z; the edge from a
 * corner up along an axis has the number corner + 8 axis.
 *
 * @module
 */

/** Triangles of a case: edges of the cell, three by three. */
export type CellTriangles = readonly (readonly [number, number, number])[];

/** Points of a row that one invocation takes; the kernels have it as a literal. */
export const RUN = 32;

/** Items of one level of the prefix sum that make one of the next; the kernels have it as a literal. */
export const SPAN = 64;

/** Most triangles that a cell can have. */
export const MOST_TRIANGLES = 5;

/** The edge between two corners that differ in one axis. */
function edgeBetween(a: number, b: number): number {
  return (a & b) + 8 * Math.log2(a ^ b);
}

/** Corners of a face, counter-clockwise seen from outside of the cell. */
function faceCorners(axis: number, side: number): number[] {
  const next = 1 << (axis + 1) % 3, after = 1 << (axis + 2) % 3;
  const [u, v] = side === 1 ? [next, after] : [after, next];
  return [0, u, u | v, v].map((corner) => corner | (side << axis));
}

/** Which edge follows which on the border of the surface, over all six faces. */
function segments(corners: number): Map<number, number> {
  const follows = new Map<number, number>();
  const isInside = (corner: number) => (corners >> corner & 1) === 1;
  for (let face = 0; face < 6; face++) {
    const ring = faceCorners(face >> 1, face & 1);
    const at = (k: number) => ring[k & 3];
    for (let k = 0; k < 4; k++) {
      if (isInside(at(k)) || !isInside(at(k + 1))) continue;
      // around the inside corners from k + 1 on, back out after the last of them
      let last = k + 1;
      while (isInside(at(last + 1))) last++;
      follows.set(
        edgeBetween(at(k), at(k + 1)),
        edgeBetween(at(last), at(last + 1)),
      );
    }
  }
  return follows;
}

/** Closed loops of edges. */
function loops(follows: ReadonlyMap<number, number>): number[][] {
  const left = new Set(follows.keys()), found: number[][] = [];
  for (const start of left) {
    const loop: number[] = [];
    for (let edge = start; left.delete(edge); edge = follows.get(edge)!) {
      loop.push(edge);
    }
    found.push(loop);
  }
  return found;
}

/** Whether two edges lie on one face of the cell. */
function onOneFace(a: number, b: number): boolean {
  return [0, 1, 2].some((axis) =>
    axis !== a >> 3 && axis !== b >> 3 && ((a ^ b) >> axis & 1) === 0
  );
}

/** A loop as a fan around the first vertex whose diagonals all run through the cell. */
function fan(loop: readonly number[]): CellTriangles {
  const apex = loop.findIndex((a) => {
    const turned = turn(loop, loop.indexOf(a));
    return turned.slice(2, -1).every((edge) => !onOneFace(a, edge));
  });
  const [first, ...rest] = turn(loop, apex);
  return rest.slice(1).map((edge, k) => [first, rest[k], edge] as const);
}

function turn(loop: readonly number[], start: number): number[] {
  return [...loop.slice(start), ...loop.slice(0, start)];
}

/** The triangles of each of the 256 cases, by the bits of the corners that lie inside. */
export const CELL_CASES: readonly CellTriangles[] = Array.from(
  { length: 256 },
  (_, corners) => loops(segments(corners)).flatMap(fan),
);

/**
 * The cases as the kernels read them: (256, 8), a row for each case with the
 * number of triangles and then each triangle as edge | edge << 5 | edge << 10.
 */
export const CASE_WORDS: Uint32Array<ArrayBuffer> = Uint32Array.from(
  CELL_CASES.flatMap((triangles) => {
    const words = triangles.map(([a, b, c]) => a | b << 5 | c << 10);
    return [words.length, ...words, ...new Array(7 - words.length).fill(0)];
  }),
);
