/**
 * The mesh of head, neck, shoulders and glasses, and what each of its vertices is made
 * of: all that is the same for every head.
 *
 * @module
 */
import {
  type FaceKit,
  PARTS,
  SOLID_FACES,
  SOLID_VERTICES,
  type VertexRange,
} from "./face_kit.ts";
import { BRIDGE, bridgeShift, glassesFrame } from "./glasses.ts";
import type { Regions } from "./regions.ts";

/** World units of a centimetre. */
export const SCALE = 0.021;
/** The kit's origin in the world: the point between the eyes lies at (0, 0.019, 0.17). */
export const ORIGIN: readonly [number, number, number] = [
  0,
  0.019 - 3.6 * SCALE,
  0.17 - 9.5 * SCALE,
];

/** What `paint_body.wgsl` does with a vertex. */
export const MATERIAL = {
  skin: 0,
  plain: 1,
  socket: 2,
  eyeLeft: 3,
  eyeRight: 4,
  clothes: 5,
} as const;

/** Numbers of a vertex in {@linkcode Body.surface}. */
export const SURFACE = 6;

/** The mesh. */
export interface Body {
  /** Number of vertices. */
  readonly vertices: number;
  /** (T, 3). */
  readonly triangles: Uint32Array;
  /** (V, 3): the neutral head in world units, its glasses a point. */
  readonly neutral: Float32Array;
  /** (V, 3): what turns that point into glasses of the neutral head's size. */
  readonly glasses: Float32Array;
  /**
   * For each vertex where its neighbours begin, and an end; then the
   * neighbours: two corners for each triangle around it, in its order.
   */
  readonly fans: Uint32Array;
  /**
   * (V, 6): material, gloss, openness to light (negative: by depth in the
   * mouth), and either red, green, blue or the shares of scalp, clothes, beard.
   */
  readonly surface: Float32Array;
}

/** Builds the mesh of a kit. @param regions what grows where on its neutral head */
export function bodyOf(kit: FaceKit, regions: Regions): Body {
  const vertices = GLASSES.end;
  const neutral = new Float32Array(3 * vertices);
  neutral.set(kit.neutral.subarray(0, 3 * SOLID_VERTICES));
  neutral.set(shoulders.positions, 3 * SHOULDERS.first);
  const glasses = new Float32Array(3 * vertices);
  glasses.set(frame.positions, 3 * GLASSES.first);
  setAll(neutral, GLASSES, BRIDGE);
  const triangles = Uint32Array.from([
    ...trianglesOf(kit.quads),
    ...shoulders.triangles.map((v) => v + SHOULDERS.first),
    ...frame.triangles.map((v) => v + GLASSES.first),
  ]);
  return {
    vertices,
    triangles,
    neutral: neutral.map((x, k) => x * SCALE + ORIGIN[k % 3]),
    glasses: glasses.map((x) => x * SCALE),
    fans: fansOf(triangles, vertices),
    surface: surfaceOf(regions, vertices),
  };
}

/** A shape of the kit on the body's vertices, in world units; shoulders stay, glasses go with the nose. */
export function bodyShape(shape: Float32Array): Float32Array {
  const moved = new Float32Array(3 * GLASSES.end);
  moved.set(shape.subarray(0, 3 * SOLID_VERTICES));
  setAll(moved, GLASSES, bridgeShift(shape));
  return moved.map((x) => x * SCALE);
}

/** The same numbers for every vertex of a part. */
function setAll(
  rows: Float32Array,
  { first, end }: VertexRange,
  values: ArrayLike<number>,
): void {
  for (let v = first; v < end; v++) rows.set(values, values.length * v);
}

/** Halves of the solid faces; those of no area are left out. */
function trianglesOf(quads: Uint32Array): number[] {
  const first: number[] = [], second: number[] = [];
  for (let face = 0; face < SOLID_FACES; face++) {
    const [a, b, c, d] = quads.subarray(4 * face, 4 * face + 4);
    if (a !== b && b !== c && a !== c) first.push(a, b, c);
    if (a !== c && c !== d && a !== d) second.push(a, c, d);
  }
  return [...first, ...second];
}

const ROWS = 16, COLUMNS = 32;

/** Shoulders: an ellipsoid under the neck, in centimetres. */
function ellipsoid(): { positions: number[]; triangles: number[] } {
  const positions: number[] = [], triangles: number[] = [];
  for (let row = 0; row <= ROWS; row++) {
    const latitude = Math.PI * (row / ROWS - 0.5);
    for (let column = 0; column < COLUMNS; column++) {
      const longitude = 2 * Math.PI * column / COLUMNS;
      positions.push(
        18 * Math.cos(latitude) * Math.cos(longitude),
        7 * Math.sin(latitude) - 24.5,
        8 * Math.cos(latitude) * Math.sin(longitude) - 2.5,
      );
      if (row === ROWS) continue;
      const p = row * COLUMNS + column,
        q = row * COLUMNS + (column + 1) % COLUMNS;
      triangles.push(p, q, p + COLUMNS, q, q + COLUMNS, p + COLUMNS);
    }
  }
  return { positions, triangles };
}

const shoulders = ellipsoid(), frame = glassesFrame();

/** Vertices that the kit does not have, behind those that it has. */
const SHOULDERS: VertexRange = {
  first: SOLID_VERTICES,
  end: SOLID_VERTICES + shoulders.positions.length / 3,
};
const GLASSES: VertexRange = {
  first: SHOULDERS.end,
  end: SHOULDERS.end + frame.positions.length / 3,
};

function fansOf(triangles: Uint32Array, vertices: number): Uint32Array {
  const count = new Uint32Array(vertices + 1);
  for (const v of triangles) count[v + 1] += 2;
  for (let v = 0; v < vertices; v++) count[v + 1] += count[v];
  const fans = new Uint32Array(vertices + 1 + 2 * triangles.length);
  for (let v = 0; v <= vertices; v++) fans[v] = count[v] + vertices + 1;
  const next = fans.slice(0, vertices);
  for (let t = 0; t < triangles.length; t += 3) {
    for (let k = 0; k < 3; k++) {
      const v = triangles[t + k];
      fans[next[v]++] = triangles[t + (k + 1) % 3];
      fans[next[v]++] = triangles[t + (k + 2) % 3];
    }
  }
  return fans;
}

function surfaceOf(regions: Regions, vertices: number): Float32Array {
  const surface = new Float32Array(SURFACE * vertices);
  const set = (part: VertexRange, values: readonly number[]) =>
    setAll(surface, part, values);
  const { plain, socket, eyeLeft, eyeRight, clothes } = MATERIAL;
  const shiny = 2.5, byDepth = -1;
  set(PARTS.mouth, [plain, 1, 0.45, 0.30, 0.09, 0.08]);
  set(PARTS.sockets, [socket, 1, 1, 0, 0, 0]);
  set(PARTS.gums, [plain, 1, byDepth, 0.62, 0.27, 0.27]);
  set(PARTS.teeth, [plain, shiny, byDepth, 0.93, 0.90, 0.84]);
  set(PARTS.eyeLeft, [eyeLeft, shiny, 1, 0, 0, 0]);
  set(PARTS.eyeRight, [eyeRight, shiny, 1, 0, 0, 0]);
  set(SHOULDERS, [clothes, 0, 1, 0, 0, 0]);
  set(GLASSES, [plain, shiny, 1, 0.05, 0.045, 0.04]);
  for (let v = 0; v < PARTS.skin.end; v++) {
    const scalp = regions.scalp[v], collar = regions.clothes[v];
    const gloss = (1 - collar) * (1 - 0.7 * scalp);
    const beard = regions.beard[v] * regions.stubble[v];
    surface.set([MATERIAL.skin, gloss, 1, scalp, collar, beard], SURFACE * v);
  }
  return surface;
}
