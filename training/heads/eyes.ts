/**
 * Where the eyes look: the middle of each eyeball and of its iris move with
 * identity and gaze.
 *
 * @module
 */
import { ORIGIN, SCALE } from "./body.ts";
import { type FaceKit, IRISES, PARTS, type VertexRange } from "./face_kit.ts";

/** An eye in the world. */
export interface Gaze {
  /** Middle of the eyeball. */
  readonly centre: readonly number[];
  /** Unit vector from it through the middle of the iris. */
  readonly axis: readonly number[];
}

/** The iris is where these vertices are that lie farthest in front. */
const FOREMOST = 40;

interface Eye {
  /** Mean of the eyeball's vertices: neutral, then each shape. */
  readonly balls: readonly (readonly number[])[];
  /** The iris's vertices: neutral, then each shape. */
  readonly irises: readonly Float32Array[];
}

/** Finds the gaze of heads. */
export class Eyes {
  readonly #eyes: readonly Eye[];

  /** @param shapes the kit's shapes that heads are made of, in their order */
  constructor(kit: FaceKit, shapes: readonly Float32Array[]) {
    const all = [kit.neutral, ...shapes];
    this.#eyes = [PARTS.eyeLeft, PARTS.eyeRight].map((ball, k) => ({
      balls: all.map((shape) => meanOf(shape, ball)),
      irises: all.map((shape) => part(shape, IRISES[k])),
    }));
  }

  /** Both eyes of a head with these weights of the shapes. */
  gaze(weights: ArrayLike<number>): Gaze[] {
    return this.#eyes.map(({ balls, irises }) => {
      const centre = blend(balls, weights);
      const iris = foremost(blend(irises, weights));
      const to = iris.map((x, c) => x - centre[c]);
      const length = Math.hypot(...to);
      return {
        centre: Array.from(centre, (x, c) => x * SCALE + ORIGIN[c]),
        axis: to.map((x) => x / length),
      };
    });
  }
}

function part(shape: Float32Array, { first, end }: VertexRange): Float32Array {
  return shape.slice(3 * first, 3 * end);
}

function meanOf(shape: Float32Array, range: VertexRange): number[] {
  const sum = [0, 0, 0];
  part(shape, range).forEach((x, k) => sum[k % 3] += x);
  return sum.map((x) => x / (range.end - range.first));
}

/** The first row and the others by their weights. */
function blend(
  rows: readonly ArrayLike<number>[],
  weights: ArrayLike<number>,
): Float64Array {
  const sum = Float64Array.from(rows[0]);
  for (let k = 1; k < rows.length; k++) {
    const row = rows[k], weight = weights[k - 1];
    if (weight === 0) continue;
    for (let i = 0; i < sum.length; i++) sum[i] += weight * row[i];
  }
  return sum;
}

function foremost(points: Float64Array): number[] {
  const order = Array.from({ length: points.length / 3 }, (_, k) => k)
    .sort((a, b) => points[3 * b + 2] - points[3 * a + 2]).slice(0, FOREMOST);
  return [0, 1, 2].map((c) =>
    order.reduce((sum, k) => sum + points[3 * k + c], 0) / order.length
  );
}
