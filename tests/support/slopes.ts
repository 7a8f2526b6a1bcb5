/**
 * Gradients of the engine against differences of a float64 function.
 *
 * @module
 */
import type { NumberArray } from "../../engine/ops/conformance.ts";
import { formula } from "../../engine/ops/formula.ts";

/** Half the step of a difference. */
const STEP = 1e-5;

/**
 * Largest error of a gradient along several directions, relative to its
 * length.
 *
 * @param loss the function in float64
 * @param at where it was differentiated
 * @param gradient what the engine found there
 */
export function slopeError(
  loss: (x: NumberArray) => number,
  at: NumberArray,
  gradient: ArrayLike<number>,
  directions = 3,
): number {
  const length = Math.hypot(...Array.from(gradient));
  const errors = Array.from({ length: directions }, (_, k) => {
    const direction = formula(`direction ${k}`, at.shape);
    const moved = (step: number) =>
      loss({
        shape: at.shape,
        data: at.data.map((v, i) => v + step * direction[i]),
      });
    const wanted = (moved(STEP) - moved(-STEP)) / (2 * STEP);
    const got = direction.reduce((sum, d, i) => sum + d * gradient[i], 0);
    return Math.abs(got - wanted) / length;
  });
  return Math.max(...errors);
}
