/**
 * Measures what each named expression does to FaceMesh's points (`expression_axes.json`):
 *
 *     deno run -A pipeline/reenactment/measure_expression_axes.ts MOTION.json...
 *
 * The mannequin's axes, measured on renders, say what is meant by each name. Recorded performances
 * say how far and along which way real faces go: frames are written as weighted sums of the axes,
 * the weights >= 0, then the axes are fitted to the frames by ridge regression towards the
 * mannequin's, in turns. An axis that nobody showed stays the mannequin's. Each acts in its region
 * of the face only, is symmetric (or has a mirror image), and 1 is a full expression.
 *
 * @module
 */
import { EXPRESSION_AXES } from "../inversion/expressions.ts";
import { mannequinExpressions } from "../../weights/mannequin/mod.ts";
import { CANONICAL, MIRROR, POINTS } from "../face/canonical.ts";
import { solve } from "../face/linear.ts";
import {
  EYE_LOOPS,
  eyeOpenings,
  FACE_OVAL,
  LOWER_LIP,
  mouthOpening,
  UPPER_LIP,
} from "../transfer/facemesh/topology.ts";
import { EXPRESSION_NAMES, type ExpressionName } from "./expression_control.ts";
import { readMotion } from "./motion_file.ts";

/** Unit of the stored offsets, world units. */
const UNIT = 1e-5;
/** Ridge towards the mannequin's axes, in squared weights. */
const PRIOR = 3;
/** Turns of weights and axes. */
const ROUNDS = 6;
/** Share of the mean diagonal that keeps weights small where they explain little. */
const WEIGHT_RIDGE = 0.02;
/** Fall-offs of the regions, world units. */
const EYE_FALLOFF = 0.02, RIM_FALLOFF = 0.04;

type Face = Float64Array;

/** Points of lips, brows and chin that strengths are told by; right and left in the picture. */
const CORNERS = [61, 291], BROWS = [105, 334], INNER_BROWS = [107, 336];
const UPPER = 0, LOWER = 17;

/** One expression: where it acts, and what it reaches at 1, by which measure. */
interface Goal {
  region: (i: number) => number;
  full: number;
  measure: (face: Face) => number;
  /** The jaw makes up for what it does to the gap between the lips. */
  shut?: boolean;
}

/** Mean movement of points along an axis; `out` is away from the middle of the face. */
function moved(face: Face, points: readonly number[], k: number, out = false) {
  return points.reduce((sum, i) => {
    const sign = out && CANONICAL[3 * i] < 0 ? -1 : 1;
    return sum + sign * (face[3 * i + k] - CANONICAL[3 * i + k]);
  }, 0) / points.length;
}

function opened(face: Face): number {
  return mouthOpening(face) - mouthOpening(CANONICAL);
}

function eyesOpened(face: Face): number {
  return eyeOpenings(face)[0] / eyeOpenings(CANONICAL)[0] - 1;
}

const GOALS: Record<ExpressionName, Goal> = {
  jawOpen: { region: low, full: 0.35, measure: opened },
  smile: {
    region: mouth,
    full: 0.019,
    measure: (f) =>
      Math.hypot(moved(f, CORNERS, 0, true), moved(f, CORNERS, 1)),
  },
  frown: { region: mouth, full: 0.008, measure: (f) => -moved(f, CORNERS, 1) },
  browUp: { region: high, full: 0.009, measure: (f) => moved(f, BROWS, 1) },
  browDown: {
    region: high,
    full: 0.009,
    measure: (f) => -moved(f, INNER_BROWS, 1),
  },
  // the transfer takes half an opening for a shut eye, as FaceMesh does
  blink: { region: eyes, full: 0.5, measure: (f) => -eyesOpened(f) },
  eyeWide: { region: eyes, full: 0.2, measure: eyesOpened },
  pucker: {
    region: mouth,
    full: 0.01,
    measure: (f) => -moved(f, CORNERS, 0, true),
    shut: true,
  },
  stretch: {
    region: mouth,
    full: 0.008,
    measure: (f) => moved(f, CORNERS, 0, true),
    shut: true,
  },
  upperLipUp: {
    region: mouth,
    full: 0.008,
    measure: (f) => moved(f, [UPPER], 1),
  },
  lowerLipDown: {
    region: mouth,
    full: 0.01,
    measure: (f) => -moved(f, [LOWER], 1),
  },
  mouthLeft: {
    region: mouth,
    full: 0.009,
    measure: (f) => moved(f, CORNERS, 0),
  },
  mouthRight: {
    region: mouth,
    full: 0.009,
    measure: (f) => -moved(f, CORNERS, 0),
  },
};

function smoothstep(value: number): number {
  const t = Math.min(1, Math.max(0, value));
  return t * t * (3 - 2 * t);
}

function height(i: number): number {
  return CANONICAL[3 * i + 1];
}

/** Distance to the nearest of some points, seen from the front. */
function distance(i: number, points: readonly number[]): number {
  return Math.min(
    ...points.map((j) =>
      Math.hypot(
        CANONICAL[3 * i] - CANONICAL[3 * j],
        height(i) - height(j),
      )
    ),
  );
}

/** From the cheek downwards; 0 at the lower lid and above. */
function low(i: number): number {
  const lid = Math.min(height(145), height(374)) - 0.004;
  return smoothstep((lid - height(i)) / (lid - height(50)));
}

/** As {@link low}, but the rim of the face stays. */
function mouth(i: number): number {
  return low(i) * smoothstep(distance(i, FACE_OVAL) / RIM_FALLOFF);
}

/** From the brow upwards; 0 at the upper lid and below. */
function high(i: number): number {
  const lid = Math.max(height(159), height(386));
  return smoothstep((height(i) - lid) / (height(105) - lid));
}

/** Lids and what is next to them. */
function eyes(i: number): number {
  return 1 - smoothstep(distance(i, EYE_LOOPS.flat()) / EYE_FALLOFF);
}

function mirrored(offsets: Face): Face {
  return offsets.map((_, at) =>
    (at % 3 === 0 ? -1 : 1) * offsets[3 * MIRROR[Math.floor(at / 3)] + at % 3]
  );
}

/** An axis within its region, symmetric where its name has no side. */
function confined(name: ExpressionName, axis: Face): Face {
  const sided = EXPRESSION_AXES.find((a) => a.name === name)?.sided;
  const mirror = sided ? axis : mirrored(axis);
  return axis.map((v, at) =>
    GOALS[name].region(Math.floor(at / 3)) * (v + mirror[at]) / 2
  );
}

function dot(a: Face, b: Face): number {
  return a.reduce((sum, v, k) => sum + v * b[k], 0);
}

/** Weights >= 0 of the axes whose sum is nearest to a face, by coordinate descent. */
function weightsOf(gram: number[][], target: number[]): number[] {
  const ridge = WEIGHT_RIDGE * gram.reduce((sum, row, k) => sum + row[k], 0) /
    gram.length;
  const x = target.map(() => 0);
  for (let sweep = 0; sweep < 100; sweep++) {
    for (let i = 0; i < x.length; i++) {
      const rest = gram[i].reduce(
        (sum, v, j) => j === i ? sum : sum + v * x[j],
        0,
      );
      x[i] = Math.max(0, (target[i] - rest) / (gram[i][i] + ridge));
    }
  }
  return x;
}

/** Axes that explain the frames, given each frame's weights. */
function regress(frames: Face[], weights: number[][], prior: Face[]): Face[] {
  const gram = prior.map((_, i) =>
    prior.map((_, j) =>
      weights.reduce((sum, w) => sum + w[i] * w[j], i === j ? PRIOR : 0)
    )
  );
  const axes = prior.map((axis) => new Float64Array(axis.length));
  for (let p = 0; p < 3 * POINTS; p++) {
    const right = prior.map((axis, i) =>
      frames.reduce((sum, f, k) => sum + weights[k][i] * f[p], PRIOR * axis[p])
    );
    solve(gram, right).forEach((v, i) => axes[i][p] = v);
  }
  return axes;
}

/** How much further apart the middles of the lips are. */
function gap(offsets: Face): number {
  return [4, 5, 6].reduce((sum, k) => {
    const [upper, lower] = [UPPER_LIP[0][k], LOWER_LIP[0][k]];
    return sum + offsets[3 * upper + 1] - offsets[3 * lower + 1];
  }, 0);
}

/** The axis at full strength, the lips as far apart as before where they should be. */
function full(name: ExpressionName, axis: Face, jaw: Face): Face {
  const { full, measure, shut } = GOALS[name];
  const share = shut ? gap(axis) / gap(jaw) : 0;
  let scaled = axis.map((v, k) => v - share * jaw[k]);
  // not quite linear
  for (let round = 0; round < 4; round++) {
    const gain = full / measure(CANONICAL.map((v, k) => v + scaled[k]));
    scaled = scaled.map((v) => gain * v);
  }
  return scaled;
}

const frames: Face[] = [];
for (const path of Deno.args) {
  const motion = await readMotion(path);
  for (const { points } of motion.frames) {
    const offsets = points.map((v, k) => v - motion.rest.points[k]);
    frames.push(offsets, mirrored(offsets));
  }
}
const prior = EXPRESSION_NAMES.map((name) =>
  confined(
    name,
    Float64Array.from(
      mannequinExpressions.axes[name],
      (v) => v * mannequinExpressions.unit,
    ),
  )
);
let axes = prior;
for (let round = 0; round < ROUNDS; round++) {
  const gram = axes.map((a) => axes.map((b) => dot(a, b)));
  const weights = frames.map((f) =>
    weightsOf(gram, axes.map((axis) => dot(axis, f)))
  );
  axes = regress(frames, weights, prior)
    .map((axis, k) => confined(EXPRESSION_NAMES[k], axis));
}
const jaw = axes[EXPRESSION_NAMES.indexOf("jawOpen")];
const stored = Object.fromEntries(EXPRESSION_NAMES.map((name, k) => {
  const axis = full(name, axes[k], jaw);
  return [name, Array.from(axis, (v) => Math.round(v / UNIT))];
}));
await Deno.writeTextFile(
  new URL("expression_axes.json", import.meta.url),
  JSON.stringify({ unit: UNIT, axes: stored }) + "\n",
);
