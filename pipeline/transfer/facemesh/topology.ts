/**
 * The surface between FaceMesh's points, and what can be read off it: which triangles join them,
 * where lips, eyes and the rim of the face run, how far the mouth is open and the lids are shut.
 *
 * Vertices of the transfer mesh, 549 in all:
 *   0..467    FaceMesh's points
 *   468..539  two rings of 36 around the face, which tie it to the photo
 *   540..548  the lower edge of what the portrait shows between its lips, left to right
 *
 * @module
 */
import Delaunator from "delaunator";
import { CANONICAL, POINTS } from "../../face/canonical.ts";

/** The rim of the face, clockwise in the picture from the middle of the forehead. */
export const FACE_OVAL: readonly number[] = [
  ...[
    10,
    338,
    297,
    332,
    284,
    251,
    389,
    356,
    454,
    323,
    361,
    288,
    397,
    365,
    379,
    378,
    400,
    377,
  ],
  ...[
    152,
    148,
    176,
    149,
    150,
    136,
    172,
    58,
    132,
    93,
    234,
    127,
    162,
    21,
    54,
    103,
    67,
    109,
  ],
];

/** Rows of the upper lip from the mouth's opening outwards, each from its right to its left corner. */
export const UPPER_LIP: readonly (readonly number[])[] = [
  [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308],
  [62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292],
  [76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306],
  [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291],
];

/** Rows of the lower lip, paired with {@link UPPER_LIP} point by point. */
export const LOWER_LIP: readonly (readonly number[])[] = [
  [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308],
  [62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292],
  [76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306],
  [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291],
];

/** The closed loop around the mouth's opening. */
export const INNER_LIPS: readonly number[] = loopOf(UPPER_LIP[0], LOWER_LIP[0]);

/** The closed loop around both lips. */
export const OUTER_LIPS: readonly number[] = loopOf(UPPER_LIP[3], LOWER_LIP[3]);

/** One eye; the four rows are paired point by point, from the outer to the inner corner. */
export interface Eye {
  /** Edge of the upper lid. */
  readonly upper: readonly number[];
  /** Edge of the lower lid. */
  readonly lower: readonly number[];
  /** The fold above the upper lid. */
  readonly fold: readonly number[];
  /** The row above the fold, below the brow. */
  readonly brow: readonly number[];
  /** Outer and inner corner. */
  readonly corners: readonly [number, number];
}

/** The person's right eye (left in the picture), then the left. */
export const EYES: readonly [Eye, Eye] = [
  {
    upper: [246, 161, 160, 159, 158, 157, 173],
    lower: [7, 163, 144, 145, 153, 154, 155],
    fold: [247, 30, 29, 27, 28, 56, 190],
    brow: [113, 225, 224, 223, 222, 221, 189],
    corners: [33, 133],
  },
  {
    upper: [466, 388, 387, 386, 385, 384, 398],
    lower: [249, 390, 373, 374, 380, 381, 382],
    fold: [467, 260, 259, 257, 258, 286, 414],
    brow: [342, 445, 444, 443, 442, 441, 413],
    corners: [263, 362],
  },
];

/** The closed loops around the two eyes. */
export const EYE_LOOPS: readonly (readonly number[])[] = EYES.map((
  { upper, lower, corners },
) => [
  corners[0],
  ...upper,
  corners[1],
  ...lower.toReversed(),
]);

/** First vertex of the inner ring around the face; one for each point of {@link FACE_OVAL}. */
export const INNER_RING: number = POINTS;

/** First vertex of the outer ring, which never moves. */
export const OUTER_RING: number = POINTS + FACE_OVAL.length;

/** First vertex of the lower edge of the teeth, one for each inner pair of lip points. */
export const TEETH: number = OUTER_RING + FACE_OVAL.length;

/** Number of vertices of the transfer mesh. */
export const VERTICES: number = TEETH + UPPER_LIP[0].length - 2;

/** What a triangle shows. */
export const TriangleKind = {
  /** Skin, eyes and lips, from the photo. */
  skin: 0,
  /** What the portrait itself shows between its lips. */
  teeth: 1,
  /** The opened mouth, of which the portrait shows nothing. */
  cavity: 2,
} as const;

/** Triangles of the transfer mesh. */
export interface Topology {
  /** Three vertices a triangle. */
  readonly triangles: Uint32Array;
  /** One {@link TriangleKind} a triangle. */
  readonly kinds: Uint8Array;
}

/** The triangles of the transfer mesh. */
export const TOPOLOGY: Topology = buildTopology();

function loopOf(upper: readonly number[], lower: readonly number[]): number[] {
  return [...upper, ...lower.slice(1, -1).toReversed()];
}

function buildTopology(): Topology {
  const groups = [
    [...faceTriangles(), ...ringTriangles()],
    teethTriangles(),
    cavityTriangles(),
  ];
  return {
    triangles: Uint32Array.from(groups.flat(2)),
    kinds: Uint8Array.from(
      groups.flatMap((group, kind) => group.map(() => kind)),
    ),
  };
}

type Triangle = readonly [number, number, number];

/** Delaunay triangles of the frontal view within the rim of the face; the lips as strips. */
function faceTriangles(): Triangle[] {
  const inner = new Set([...UPPER_LIP, ...LOWER_LIP].flat());
  for (const i of OUTER_LIPS) inner.delete(i);
  const members = Array.from({ length: POINTS }, (_, i) => i).filter((i) =>
    !inner.has(i)
  );
  const view = Float64Array.from(
    members.flatMap((i) => [CANONICAL[3 * i], CANONICAL[3 * i + 1]]),
  );
  const found = new Delaunator(view).triangles;
  const triangles = Array.from(
    { length: found.length / 3 },
    (_, t): Triangle => [
      members[found[3 * t]],
      members[found[3 * t + 1]],
      members[found[3 * t + 2]],
    ],
  );
  const skin = triangles.filter((t) =>
    encloses(FACE_OVAL, t) && !encloses(OUTER_LIPS, t)
  );
  return [
    ...skin,
    ...lipTriangles(UPPER_LIP.toReversed()),
    ...lipTriangles(LOWER_LIP),
  ];
}

/** The strips between rows of points given from top to bottom. */
function lipTriangles(rows: readonly (readonly number[])[]): Triangle[] {
  return rows.slice(1).flatMap((row, k) => strip(rows[k], row));
}

/** Whether a triangle's middle lies within a loop of points, seen from the front. */
function encloses(loop: readonly number[], triangle: Triangle): boolean {
  const at = (i: number) => [CANONICAL[3 * i], CANONICAL[3 * i + 1]];
  const [a, b, c] = triangle.map(at);
  const [x, y] = [(a[0] + b[0] + c[0]) / 3, (a[1] + b[1] + c[1]) / 3];
  let inside = false;
  loop.forEach((i, k) => {
    const [p, q] = [at(i), at(loop[(k + 1) % loop.length])];
    if ((p[1] > y) === (q[1] > y)) return;
    if (x < p[0] + (q[0] - p[0]) * (y - p[1]) / (q[1] - p[1])) inside = !inside;
  });
  return inside;
}

/** Two strips: from the rim of the face to the inner ring, and on to the outer ring. */
function ringTriangles(): Triangle[] {
  const n = FACE_OVAL.length;
  return FACE_OVAL.flatMap((_, k): Triangle[] => {
    const next = (k + 1) % n;
    const [a, b] = [FACE_OVAL[k], FACE_OVAL[next]];
    const [c, d] = [INNER_RING + k, INNER_RING + next];
    const [e, f] = [OUTER_RING + k, OUTER_RING + next];
    return [[a, c, b], [b, c, d], [c, e, d], [d, e, f]];
  });
}

/** The strip between two rows, the diagonals mirrored at the middle. */
function strip(above: readonly number[], below: readonly number[]): Triangle[] {
  return above.slice(1).flatMap((_, k): Triangle[] => {
    const [a, b, c, d] = [above[k], above[k + 1], below[k], below[k + 1]];
    const left = 2 * k + 1 < above.length;
    const quad: Triangle[] = left
      ? [[a, b, c], [b, d, c]]
      : [[a, d, c], [a, b, d]];
    return quad.filter(([p, q, r]) => p !== q && q !== r && p !== r);
  });
}

/** The row of the teeth's lower edge, closed by the corners of the mouth. */
function teethRow(): number[] {
  const [row] = UPPER_LIP;
  return row.map((corner, k) =>
    k === 0 || k === row.length - 1 ? corner : TEETH + k - 1
  );
}

function teethTriangles(): Triangle[] {
  return strip(UPPER_LIP[0], teethRow());
}

function cavityTriangles(): Triangle[] {
  return strip(teethRow(), LOWER_LIP[0]);
}

function distance(points: ArrayLike<number>, a: number, b: number): number {
  return Math.hypot(
    points[3 * a] - points[3 * b],
    points[3 * a + 1] - points[3 * b + 1],
    points[3 * a + 2] - points[3 * b + 2],
  );
}

/**
 * How far the mouth is open: the mean gap of three middle pairs of lip points over the distance of
 * the outer eye corners. 0 is shut, 0.1 talking, 0.5 a yawn.
 *
 * @param points 468 x (x, y, z) in any unit with equal axes
 */
export function mouthOpening(points: ArrayLike<number>): number {
  const gaps = [4, 5, 6].map((k) =>
    distance(points, UPPER_LIP[0][k], LOWER_LIP[0][k])
  );
  return (gaps[0] + gaps[1] + gaps[2]) / 3 / distance(points, 33, 263);
}

/**
 * How far each eye is open, right then left: mean gap of the three middle pairs of lid points over
 * the width of the eye. About 0.3 open, below 0.12 shut.
 *
 * @param points 468 x (x, y, z) in any unit with equal axes
 */
export function eyeOpenings(points: ArrayLike<number>): [number, number] {
  const opening = ({ upper, lower, corners }: Eye) => {
    const gaps = [2, 3, 4].map((k) => distance(points, upper[k], lower[k]));
    return (gaps[0] + gaps[1] + gaps[2]) / 3 / distance(points, ...corners);
  };
  return [opening(EYES[0]), opening(EYES[1])];
}
