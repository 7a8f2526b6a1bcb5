/**
 * How far numbers are from what they should be.
 *
 * @module
 */
import { dot, type Probe } from "./expectation.ts";

/** Largest difference over the largest magnitude wanted; NaN counts as infinite. */
export function relativeError(
  got: ArrayLike<number>,
  wanted: ArrayLike<number>,
): number {
  if (got.length !== wanted.length) return Infinity;
  let error = 0, scale = 0;
  for (let k = 0; k < wanted.length; k++) {
    const difference = Math.abs(got[k] - wanted[k]);
    if (Number.isNaN(difference)) return Infinity;
    if (difference > error) error = difference;
    scale = Math.max(scale, Math.abs(wanted[k]));
  }
  return scale > 0 ? error / scale : error;
}

/** Error of a directional derivative, relative to how large a sum of its parts gets. */
export function slopeError(p: Probe, gradient: Float32Array): number {
  const got = dot(gradient, p.direction);
  // a gradient is as exact as its largest numbers, not as its smallest
  const floor = 0.05 * largest(gradient) * largest(p.direction);
  const scale = Math.max(
    Math.abs(p.derivative),
    spread(gradient, p.direction),
    floor,
  );
  return ratio(Math.abs(got - p.derivative), scale);
}

/** Violation of <A direction, cotangent> = <direction, A' cotangent>. */
export function adjointError(
  direction: ArrayLike<number>,
  gradient: Float32Array,
  image: Float32Array,
  cotangent: ArrayLike<number>,
): number {
  const left = dot(image, cotangent), right = dot(gradient, direction);
  const scale = Math.max(spread(image, cotangent), spread(gradient, direction));
  return ratio(Math.abs(left - right), scale);
}

/** Root of the sum of squared products: how large a sum with random signs gets. */
function spread(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let k = 0; k < a.length; k++) total += (a[k] * b[k]) ** 2;
  return Math.sqrt(total);
}

function largest(a: ArrayLike<number>): number {
  let found = 0;
  for (let k = 0; k < a.length; k++) found = Math.max(found, Math.abs(a[k]));
  return found;
}

function ratio(error: number, scale: number): number {
  if (Number.isNaN(error)) return Infinity;
  return scale > 0 ? error / scale : error;
}
