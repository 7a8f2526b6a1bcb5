/**
 * Gives a motion an expression by name: displacements of FaceMesh's points, measured on rendered heads
 * and on recorded performances (`measure_expression_axes.ts`), are added to every frame.
 *
 * @module
 */
import { CANONICAL } from "../face/canonical.ts";
import { EYES } from "../transfer/facemesh/topology.ts";
import measured from "./expression_axes.json" with { type: "json" };
import {
  type Expression,
  type ExpressionName,
  LID_EXPRESSIONS,
} from "./expression_control.ts";
import { type FaceShape, faceShape, type Motion } from "./motion.ts";

/** The face that expressions were measured from. */
const NEUTRAL: FaceShape = faceShape(CANONICAL);

/**
 * The displacement that an expression is, in the canonical head's frame.
 *
 * @param eyes size of the eyes' opening relative to the canonical face's: wider eyes have further to
 * go until they are shut
 * @returns 468 x (x, y, z), world units
 */
export function expressionOffsets(
  expression: Expression,
  eyes = 1,
): Float64Array {
  const offsets = new Float64Array(CANONICAL.length);
  for (const [name, value] of Object.entries(expression)) {
    const strength = value * measured.unit *
      (LID_EXPRESSIONS.includes(name as ExpressionName) ? eyes : 1);
    const axis: readonly number[] = measured.axes[name as ExpressionName];
    for (let k = 0; k < offsets.length; k++) offsets[k] += strength * axis[k];
  }
  return offsets;
}

/**
 * A motion with an expression on top of its own; the head turns as before.
 *
 * @param scale of the motion's own expression, 1 as recorded; it is taken into the points, so that
 * the result is used with scale 1
 */
export function addExpression(
  motion: Motion,
  expression: Expression,
  scale = 1,
): Motion {
  const { rest } = motion;
  const size = sum(rest.eyeOpenings) / sum(NEUTRAL.eyeOpenings);
  const offsets = expressionOffsets(expression, size);
  return {
    ...motion,
    frames: motion.frames.map(({ angles, points }) => {
      const moved = points.map((v, k) =>
        rest.points[k] + scale * (v - rest.points[k]) + offsets[k]
      );
      return { angles, ...faceShape(meetLids(moved)) };
    }),
  };
}

/**
 * The motion of a head that does nothing but keep an expression.
 *
 * @param frames how many, at least one
 * @param fps frames per second
 */
export function heldExpression(
  expression: Expression,
  frames: number,
  fps: number,
): Motion {
  const still = { angles: { yaw: 0, pitch: 0, roll: 0 }, ...NEUTRAL };
  const motion = {
    fps,
    neutral: 0,
    rest: NEUTRAL,
    frames: new Array(frames).fill(still),
  };
  return addExpression(motion, expression);
}

/** Lids that would pass through each other meet: an opening has no sign and would grow again. */
function meetLids(points: Float64Array): Float64Array {
  for (const { upper, lower } of EYES) {
    upper.forEach((above, k) => {
      const [a, b] = [3 * above, 3 * lower[k]];
      if (points[a + 1] >= points[b + 1]) return;
      for (let axis = 0; axis < 3; axis++) {
        const middle = (points[a + axis] + points[b + axis]) / 2;
        points[a + axis] = points[b + axis] = middle;
      }
    });
  }
  return points;
}

function sum([right, left]: readonly [number, number]): number {
  return right + left;
}
