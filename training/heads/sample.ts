/**
 * Heads and cameras to learn from.
 *
 * @module
 */
import { normals } from "../../engine/mod.ts";
import { cameraLabel, lookAtCamera } from "../../pipeline/face/camera.ts";
import { MOUTH } from "./expression.ts";
import { LABEL } from "./interface.ts";
import { distinctStyle, LATENT, normalShare, STYLE } from "./latent.ts";

/**
 * Latents of random heads.
 *
 * @param seed any 32-bit integer
 * @param width numbers of a latent; {@linkcode HeadStudio.latent} of a studio with variety
 * @returns (count, width) standard normals
 */
export function sampleHeads(
  seed: number,
  count: number,
  width: number = LATENT,
): Float32Array {
  return normals(seed, 0, count * width);
}

/** How much more than a random one the mouth of every other lesson moves. */
const LIVELY = 2;

/**
 * A latent to learn from: a random head, every other one with a mouth that moves
 * much, of a hair style that is not about to become another. It is as long as a
 * latent is on average: the mapping network sees directions alone, so that of
 * longer and shorter ones it could only learn the mean.
 *
 * @param seed any 32-bit integer; heads of neighbouring seeds are of both kinds
 * @param width numbers of a latent
 * @returns (width)
 */
export function lessonHead(seed: number, width: number = LATENT): Float32Array {
  const z = sampleHeads(seed, 1, width);
  if (seed % 2 === 0) { for (const k of MOUTH) z[k] *= LIVELY; }
  z.set(distinctStyle(z[STYLE], z[STYLE + 1]), STYLE);
  return toSphere(z);
}

/**
 * Latents of random heads, all as long as one is on average.
 *
 * @param seed any 32-bit integer
 * @returns (count, width)
 */
export function sampleOnSphere(
  seed: number,
  count: number,
  width: number = LATENT,
): Float32Array {
  const z = sampleHeads(seed, count, width);
  for (let at = 0; at < z.length; at += width) {
    z.set(toSphere(z.subarray(at, at + width)), at);
  }
  return z;
}

/** A latent in the same direction, as long as one of its width is on average. */
function toSphere(z: Float32Array): Float32Array {
  const scale = Math.sqrt(z.length) / Math.hypot(...z);
  return z.map((v) => scale * v);
}

/** Share of the cameras that stand anywhere instead of near the front. */
const ANYWHERE = 0.25;

/**
 * Labels of random cameras: three of four around the front (0.32 of yaw and
 * 0.15 of pitch as standard deviations), one anywhere between profile and
 * profile. Pitch is EG3D's v, which is an angle only at the equator.
 *
 * @param seed any 32-bit integer
 * @returns (count, 25)
 */
export function sampleCameras(seed: number, count: number): Float32Array {
  const numbers = normals(seed, 1, 3 * count);
  const labels = new Float32Array(LABEL * count);
  for (let k = 0; k < count; k++) {
    const [which, a, b] = numbers.subarray(3 * k, 3 * k + 3);
    const wide = normalShare(which) < ANYWHERE;
    const even = (x: number) => 2 * normalShare(x) - 1;
    const yaw = wide ? 0.75 * even(a) : limit(0.32 * a, 0.8);
    const pitch = wide ? 0.35 * even(b) : limit(0.15 * b, 0.4);
    const camera = lookAtCamera(Math.PI / 2 + yaw, Math.PI / 2 + pitch);
    labels.set(cameraLabel(camera), LABEL * k);
  }
  return labels;
}

function limit(x: number, most: number): number {
  return Math.min(Math.max(x, -most), most);
}
