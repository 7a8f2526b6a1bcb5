/**
 * Stage B's geometry: the driving face's deformation from its resting frame, turned and scaled into
 * the source's head and added to the source's mesh. Relative, where the paper (3.2) takes the target's
 * expression absolutely: a portrait that already smiles keeps its smile and moves from there.
 *
 * @module
 */
import { CANONICAL, POINTS } from "../../face/canonical.ts";
import { apply } from "../../face/linear.ts";
import type { Motion } from "../../reenactment/motion.ts";
import type { SourceMesh } from "./source.ts";
import {
  type Eye,
  EYE_LOOPS,
  EYES,
  FACE_OVAL,
  INNER_RING,
  LOWER_LIP,
  TEETH,
  UPPER_LIP,
} from "./topology.ts";

/** How the expression is carried over. */
export interface DeformOptions {
  /** Multiplies the deformation; 1 as tracked. */
  readonly expressionScale?: number;
  /** Whether eyelids follow the performance or stay as in the portrait (method 3.3). */
  readonly eyes?: "follow" | "keep";
}

/** World distance from the eye at which "keep" lets the face move freely again. */
const EYE_FALLOFF = 0.025;

/** Share of the rim's movement that the inner ring follows; the outer ring is pinned. */
const RING_FOLLOWS = 0.5;

/** A lip row k rows from the opening gives way by this share when lips would cross. */
const ROW_SHARES = [1, 0.8, 0.55, 0.3] as const;

/**
 * FaceMesh sees a shut eye half open: below 1 (relative to rest) the measured opening of the lids is
 * stretched by this factor. From blinks in the driving clips, where it falls to 0.5.
 */
const BLINK_GAIN = 2;

/** Lids never open beyond this many times their opening at rest. */
const WIDEST_EYES = 1.35;

/** The lower lid's share of a blink; the upper lid does the rest. */
const LOWER_LID = 0.15;

/** How far the fold, and the row above it, follow the upper lid, so that its skin is not smeared. */
const FOLD_FOLLOWS = [0.7, 0.25] as const;

/** The distance of each point from the nearer eye on the canonical mesh: 0 within, 1 far away. */
const EYE_FREEDOM: Float64Array = eyeFreedom();

/** How much each point moves with the jaw: 0 above the mouth and on the lips, 1 at the chin. */
const JAW: Float64Array = jawShares();

function jawShares(): Float64Array {
  const lips = new Set(
    [...UPPER_LIP, ...LOWER_LIP].flatMap((row) => row.slice(1, -1)),
  );
  const line = CANONICAL[3 * UPPER_LIP[0][0] + 1];
  return Float64Array.from({ length: POINTS }, (_, i) => {
    const depth = Math.min(
      1,
      Math.max(0, (line - CANONICAL[3 * i + 1]) / 0.03),
    );
    const across = Math.max(0, 1 - (CANONICAL[3 * i] / 0.13) ** 2);
    return lips.has(i) ? 0 : depth * across;
  });
}

function eyeFreedom(): Float64Array {
  const loops = EYE_LOOPS.flat();
  return Float64Array.from({ length: POINTS }, (_, i) => {
    const distance = Math.min(
      ...loops.map((j) =>
        Math.hypot(
          CANONICAL[3 * i] - CANONICAL[3 * j],
          CANONICAL[3 * i + 1] - CANONICAL[3 * j + 1],
        )
      ),
    );
    const t = Math.min(1, distance / EYE_FALLOFF);
    return t * t * (3 - 2 * t);
  });
}

/**
 * The source's vertices for one frame of a motion.
 *
 * @returns 549 x (x, y, depth) in pixels of the aligned crop
 */
export function deform(
  source: SourceMesh,
  motion: Motion,
  frame: number,
  { expressionScale = 1, eyes = "follow" }: DeformOptions = {},
): Float32Array {
  const { rest } = motion;
  const now = motion.frames[frame];
  const out = Float64Array.from(source.vertices);
  for (let i = 0; i < POINTS; i++) {
    const scale = expressionScale * source.pixelsPerUnit *
      (eyes === "keep" ? EYE_FREEDOM[i] : 1);
    const at = (k: number) =>
      scale * (now.points[3 * i + k] - rest.points[3 * i + k]);
    const d = apply(source.rotation, [at(0), at(1), at(2)]);
    for (let k = 0; k < 3; k++) out[3 * i + k] += d[k];
  }
  if (eyes === "follow") {
    EYES.forEach((eye, side) => {
      const ratio = now.eyeOpenings[side] / rest.eyeOpenings[side];
      closeLids(out, source, eye, 1 + expressionScale * (ratio - 1));
    });
  }
  settleLips(out, source);
  moveTeeth(out, source);
  moveRing(out, source);
  return Float32Array.from(out);
}

/** The head's downward direction in the crop. */
function downward(source: SourceMesh): readonly [number, number] {
  const [x, y] = apply(source.rotation, [0, -1, 0]);
  const length = Math.hypot(x, y);
  return [x / length, y / length];
}

/** How far b lies below a, along the head's downward direction. */
function below(
  points: Float64Array,
  a: number,
  b: number,
  down: readonly [number, number],
): number {
  return (points[3 * b] - points[3 * a]) * down[0] +
    (points[3 * b + 1] - points[3 * a + 1]) * down[1];
}

function shift(
  points: Float64Array,
  i: number,
  by: number,
  down: readonly [number, number],
): void {
  points[3 * i] += by * down[0];
  points[3 * i + 1] += by * down[1];
}

/**
 * Sets the gap between the lids to the source's own times the driving eye's opening relative to rest,
 * so that eyes of different shapes shut together.
 */
function closeLids(
  points: Float64Array,
  source: SourceMesh,
  eye: Eye,
  ratio: number,
): void {
  const down = downward(source);
  const share = ratio < 1
    ? Math.max(0, 1 - BLINK_GAIN * (1 - ratio))
    : Math.min(ratio, WIDEST_EYES);
  eye.upper.forEach((upper, k) => {
    const lower = eye.lower[k];
    const wanted = share * below(source.vertices, upper, lower, down);
    const excess = below(points, upper, lower, down) - wanted;
    const fall = (1 - LOWER_LID) * excess;
    shift(points, upper, fall, down);
    shift(points, lower, -LOWER_LID * excess, down);
    shift(points, eye.fold[k], FOLD_FOLLOWS[0] * fall, down);
    shift(points, eye.brow[k], FOLD_FOLLOWS[1] * fall, down);
  });
}

/** Exponent of the norm by which {@link settleLips} adds gaps. */
const GAP_NORM = 1.4;

function joined(a: number, b: number): number {
  return (a ** GAP_NORM + b ** GAP_NORM) ** (1 / GAP_NORM);
}

/**
 * Settles the gap between the lips. A portrait that shows its teeth has spent part of the opening
 * already: the gaps of portrait and performance add by a norm between the sum (which gapes) and a
 * right triangle's (which hides small movements), and the lower lip and jaw give way. Lips that
 * would pass through each other meet half-way.
 */
function settleLips(points: Float64Array, source: SourceMesh): void {
  const down = downward(source);
  const excess = UPPER_LIP[0].map((upper, k) => {
    const lower = LOWER_LIP[0][k];
    const own = Math.max(0, below(source.vertices, upper, lower, down));
    const gap = below(points, upper, lower, down);
    return gap > own ? gap - joined(own, gap - own) : Math.min(gap, 0);
  });
  const middle = Math.max(0, excess[excess.length >> 1]);
  JAW.forEach((share, i) => shift(points, i, -share * middle, down));
  for (let k = 1; k < excess.length - 1; k++) {
    ROW_SHARES.forEach((share, row) => {
      if (excess[k] > 0) {
        return shift(points, LOWER_LIP[row][k], -excess[k], down);
      }
      shift(points, UPPER_LIP[row][k], share * excess[k] / 2, down);
      shift(points, LOWER_LIP[row][k], -share * excess[k] / 2, down);
    });
  }
}

/**
 * What the portrait shows between its lips hangs from the upper lip and keeps its height, like upper
 * teeth; it gives way where the lips close over it. The rest of the opening is cavity.
 */
function moveTeeth(points: Float64Array, source: SourceMesh): void {
  for (let k = 1; k < UPPER_LIP[0].length - 1; k++) {
    const [upper, lower, edge] = [
      3 * UPPER_LIP[0][k],
      3 * LOWER_LIP[0][k],
      3 * (TEETH + k - 1),
    ];
    const v = source.vertices;
    const height = Math.hypot(v[edge] - v[upper], v[edge + 1] - v[upper + 1]);
    const gap = Math.hypot(
      points[lower] - points[upper],
      points[lower + 1] - points[upper + 1],
    );
    const share = gap > 0 ? Math.min(1, height / gap) : 0;
    for (let axis = 0; axis < 2; axis++) {
      points[edge + axis] = points[upper + axis] +
        share * (points[lower + axis] - points[upper + axis]);
    }
    points[edge + 2] = v[edge + 2] - v[upper + 2] + points[upper + 2];
  }
}

/** The inner ring follows the rim of the face half-way, so that no cut shows where it moved. */
function moveRing(points: Float64Array, source: SourceMesh): void {
  FACE_OVAL.forEach((rim, k) => {
    for (let axis = 0; axis < 2; axis++) {
      const moved = points[3 * rim + axis] - source.vertices[3 * rim + axis];
      points[3 * (INNER_RING + k) + axis] += RING_FOLLOWS * moved;
    }
  });
}
