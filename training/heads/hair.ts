/**
 * All hair styles as one mesh of cut-out cards, of which a head wears a part.
 *
 * @module
 */
import { ORIGIN, SCALE } from "./body.ts";
import type { HairStyle } from "./wardrobe.ts";

/** Part of the mesh. */
export interface HairPart {
  /** Its first triangle. */
  readonly first: number;
  /** Its number of triangles. */
  readonly count: number;
}

/** The mesh. */
export interface Hair {
  /** Number of vertices. */
  readonly vertices: number;
  /** (T, 3). */
  readonly triangles: Uint32Array;
  /** (V, 3): on the neutral head, in world units. */
  readonly neutral: Float32Array;
  /** (V, 3): directions away from the head, for light. */
  readonly normals: Float32Array;
  /** (V, 2): v down. */
  readonly uv: Float32Array;
  /** (styles, side, side): brightness of the strands around 1, 0 where nothing is. */
  readonly strands: Float32Array;
  /** Pixels of a texture's side. */
  readonly side: number;
  /** What each style has of the mesh. */
  readonly parts: readonly HairPart[];
}

/** Opacity below which a card is cut out. */
const CUT = 0.35;
/** Where hair grows from, in centimetres. */
const CENTRE = [0, 3, -1];

/** Joins the styles. @param neutral the kit's head in centimetres */
export function hairOf(
  styles: readonly HairStyle[],
  neutral: Float32Array,
): Hair {
  const starts = startsOf(styles.map((s) => s.vertices.length / 3));
  const firsts = startsOf(styles.map((s) => s.triangles.length / 3));
  const normals = styles.map((s) => normalsOf(s.vertices));
  const grown = styles.map((s, k) => grow(s, normals[k], neutral));
  return {
    vertices: starts[styles.length],
    triangles: join(
      Uint32Array,
      styles.map((s, k) => s.triangles.map((v) => v + starts[k])),
    ),
    neutral: join(Float32Array, grown).map((x, k) => x * SCALE + ORIGIN[k % 3]),
    normals: join(Float32Array, normals),
    uv: join(
      Float32Array,
      styles.map(({ uv }) => uv.map((x, k) => k % 2 === 1 ? 1 - x : x)),
    ),
    strands: join(Float32Array, styles.map((s) => strandsOf(s.texture))),
    side: Math.sqrt(styles[0].texture.length / 4),
    parts: styles.map((s, k) => ({
      first: firsts[k],
      count: s.triangles.length / 3,
    })),
  };
}

/** How the hair follows a shape of the kit, in world units. */
export function hairShape(
  styles: readonly HairStyle[],
  shape: Float32Array,
): Float32Array {
  return join(
    Float32Array,
    styles.map(({ vertices, near, weights }) => {
      const moved = new Float32Array(vertices.length);
      const width = near.length / (vertices.length / 3);
      for (let k = 0; k < near.length; k++) {
        const to = 3 * Math.floor(k / width), from = 3 * near[k];
        const weight = weights[k] * SCALE;
        for (let c = 0; c < 3; c++) moved[to + c] += weight * shape[from + c];
      }
      return moved;
    }),
  );
}

function startsOf(sizes: readonly number[]): number[] {
  return sizes.reduce((starts, n) => [...starts, starts.at(-1)! + n], [0]);
}

function join<T extends Float32Array | Uint32Array>(
  kind: new (length: number) => T,
  parts: readonly T[],
): T {
  const joined = new kind(parts.reduce((sum, p) => sum + p.length, 0));
  parts.reduce((at, p) => (joined.set(p, at), at + p.length), 0);
  return joined;
}

/** Away from the centre; below the ears nearly level, so that long hair is not lit from below. */
function normalsOf(vertices: Float32Array): Float32Array {
  const normals = new Float32Array(vertices.length);
  for (let k = 0; k < vertices.length; k += 3) {
    const [x, y, z] = CENTRE.map((c, i) => vertices[k + i] - c);
    const length = Math.hypot(x, y, z);
    const level = vertices[k + 1] < 0 ? 0.2 : 1;
    const n = [x / length, y / length * level, z / length];
    const again = Math.hypot(...n);
    normals.set(n.map((c) => c / again), k);
  }
  return normals;
}

/** Hair above the brows is lifted a little, or the scalp of other shapes would show through. */
function grow(
  { vertices, near }: HairStyle,
  normals: Float32Array,
  neutral: Float32Array,
): Float32Array {
  const width = near.length / (vertices.length / 3);
  return vertices.map((x, k) => {
    const v = Math.floor(k / 3), scalp = 3 * near[v * width];
    const gap = Math.hypot(
      ...[0, 1, 2].map((c) => vertices[3 * v + c] - neutral[scalp + c]),
    );
    const lift = Math.min(Math.max(0.75 - 0.1 * (gap - 1), 0), 0.75);
    return vertices[3 * v + 1] > 4 ? x + normals[k] * lift : x;
  });
}

/** Brightness against the mean of what is not cut out. */
function strandsOf(texture: Float32Array): Float32Array {
  const count = texture.length / 4;
  const grey = Float32Array.from(
    { length: count },
    (_, k) => (texture[4 * k] + texture[4 * k + 1] + texture[4 * k + 2]) / 3,
  );
  let sum = 0, solid = 0;
  for (let k = 0; k < count; k++) {
    if (texture[4 * k + 3] > 0.3) {
      sum += grey[k];
      solid++;
    }
  }
  const mean = sum / solid;
  return grey.map((g, k) =>
    texture[4 * k + 3] < CUT
      ? 0
      : Math.min(Math.max(0.35 + 0.65 * g / mean, 0.3), 1.9)
  );
}
