/**
 * Heads and cameras to learn from.
 *
 * @module
 */
import { normals } from "../../engine/mod.ts";
import { cameraLabel, lookAtCamera } from "../../pipeline/face/camera.ts";
import { LABEL } from "./interface.ts";
import { LATENT, normalShare } from "./latent.ts";

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
