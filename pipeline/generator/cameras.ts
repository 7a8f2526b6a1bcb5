/**
 * Cameras that a generator was trained with: they stand on a sphere around the
 * world's origin and look at a pivot.
 *
 * @module
 */
import type { GeneratorConfig } from "../../weights/mod.ts";
import { lookAtCamera } from "../face/camera.ts";

const RADIANS = Math.PI / 180;

/**
 * The label of a camera on the generator's sphere (EG3D's look-at cameras,
 * method section 10.7).
 *
 * @param yaw degrees, positive to the world's +x
 * @param pitch degrees, positive above the head
 * @returns (25): cam2world 4x4, intrinsics 3x3
 */
export function sphereCamera(
  { camera }: GeneratorConfig,
  yaw = 0,
  pitch = 0,
): Float32Array {
  const { pivot, radius, fx, cx, cy } = camera;
  // EG3D's v, which is no angle: the polar angle is arccos(1 - 2 v / pi)
  const v = (1 - Math.cos(Math.PI / 2 - pitch * RADIANS)) * Math.PI / 2;
  const h = Math.PI / 2 + yaw * RADIANS;
  const cam2world = lookAtCamera(h, v, [...pivot], radius);
  return Float32Array.from([...cam2world, fx, 0, cx, 0, fx, cy, 0, 0, 1]);
}
