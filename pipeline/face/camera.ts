/**
 * Cameras of the generator: EG3D's pinhole on a sphere around the head.
 *
 * World: x right, y up, z to the frontal camera. Camera axes as in OpenCV: x right, y down,
 * z forward; `cam2world` is a row-major 4x4. All cameras have fx = fy = 4.2647 and centre 0.5 in
 * units of the aligned crop, stand 2.7 from the world's origin and look at (0, 0, 0.2): that is
 * where EG3D's own look-at cameras stand (method 10.7), where the mannequin was trained, and what
 * the method's normalisation "centre rescaled to 2.7" (2.3) means for a camera that is aimed.
 * A camera is therefore known by its rotation alone.
 *
 * @module
 */
import {
  cross,
  dot,
  type Mat3,
  multiply,
  normalise,
  quaternionFromRotation,
  rotationAngle,
  rotationFromQuaternion,
  slerp,
  transpose,
  type Vec3,
} from "./linear.ts";

/** Focal length in widths of the aligned crop (method 2.3). */
export const FOCAL = 4.2647;

/** Distance of every camera from the world's origin. */
export const CAMERA_RADIUS = 2.7;

/** The point that every camera looks at. */
export const CAMERA_PIVOT: Vec3 = [0, 0, 0.2];

/** Row-major 3x3 normalised intrinsics. */
export const INTRINSICS: Mat3 = [FOCAL, 0, 0.5, 0, FOCAL, 0.5, 0, 0, 1];

/** A row-major 4x4 camera-to-world matrix, OpenCV axes. */
export type Cam2World = readonly number[];

/**
 * Where a camera looks from, in degrees. Yaw: positive to the world's +x, so that the picture shows
 * more of the person's left side. Pitch: positive above the head. Roll: the camera turned about its
 * view axis, positive when the head in the picture leans to the picture's left (counter-clockwise).
 */
export interface CameraAngles {
  /** To the side: positive to the world's +x. */
  readonly yaw: number;
  /** Up: positive above the head. */
  readonly pitch: number;
  /** About the view axis: positive when the head leans to the picture's left. */
  readonly roll: number;
}

const DEGREES = 180 / Math.PI;

/** Turns OpenCV camera axes (x right, y down, z forward) into world-like axes and back. */
const FLIP: Mat3 = [1, 0, 0, 0, -1, 0, 0, 0, -1];

function assemble(rotation: Mat3, centre: Vec3): Cam2World {
  const r = rotation;
  return [
    ...[r[0], r[1], r[2], centre[0]],
    ...[r[3], r[4], r[5], centre[1]],
    ...[r[6], r[7], r[8], centre[2]],
    ...[0, 0, 0, 1],
  ];
}

/** The rotation part of a camera, row-major 3x3; columns are right, down and forward. */
export function cameraRotation(c: Cam2World): Mat3 {
  return [c[0], c[1], c[2], c[4], c[5], c[6], c[8], c[9], c[10]];
}

/** The place of a camera in the world. */
export function cameraCentre(c: Cam2World): Vec3 {
  return [c[3], c[7], c[11]];
}

/**
 * The camera with this rotation that stands `radius` from the origin and looks at `pivot`.
 *
 * @param rotation columns right, down, forward
 */
export function aimedCamera(
  rotation: Mat3,
  pivot: Vec3 = CAMERA_PIVOT,
  radius: number = CAMERA_RADIUS,
): Cam2World {
  const back: Vec3 = [-rotation[2], -rotation[5], -rotation[8]];
  const along = dot(pivot, back);
  const distance = -along +
    Math.sqrt(along * along + radius * radius - dot(pivot, pivot));
  return assemble(rotation, [
    pivot[0] + distance * back[0],
    pivot[1] + distance * back[1],
    pivot[2] + distance * back[2],
  ]);
}

/**
 * EG3D's look-at camera (method 10.7): h and v in radians, both pi/2 for the frontal view. The polar
 * angle enters through arccos(1 - 2 v / pi), so v is not an angle except at pi/2.
 */
export function lookAtCamera(
  h: number,
  v: number,
  pivot: Vec3 = CAMERA_PIVOT,
  radius: number = CAMERA_RADIUS,
): Cam2World {
  const polar = Math.min(Math.max(v, 1e-5), Math.PI - 1e-5);
  const phi = Math.acos(1 - 2 * polar / Math.PI);
  const origin: Vec3 = [
    radius * Math.sin(phi) * Math.cos(Math.PI - h),
    radius * Math.cos(phi),
    radius * Math.sin(phi) * Math.sin(Math.PI - h),
  ];
  const forward = normalise([
    pivot[0] - origin[0],
    pivot[1] - origin[1],
    pivot[2] - origin[2],
  ]);
  // EG3D negates "right" and keeps "up" pointing down: OpenCV's right, down, forward.
  const side = normalise(cross([0, 1, 0], forward));
  const right: Vec3 = [-side[0], -side[1], -side[2]];
  const down = normalise(cross(forward, right));
  return assemble([
    ...[right[0], down[0], forward[0]],
    ...[right[1], down[1], forward[1]],
    ...[right[2], down[2], forward[2]],
  ], origin);
}

/** The frontal camera: rotation diag(1, -1, -1), centre (0, 0, 2.7). */
export function frontalCamera(): Cam2World {
  return aimedCamera(FLIP);
}

/** The aimed camera at these angles. */
export function cameraFromAngles(
  { yaw, pitch, roll }: CameraAngles,
): Cam2World {
  const [a, b, c] = [yaw / DEGREES, pitch / DEGREES, roll / DEGREES];
  const about = (x: number): [number, number] => [Math.cos(x), Math.sin(x)];
  const [cy, sy] = about(a);
  const [cp, sp] = about(-b);
  const [cr, sr] = about(-c);
  const ry: Mat3 = [cy, 0, sy, 0, 1, 0, -sy, 0, cy];
  const rx: Mat3 = [1, 0, 0, 0, cp, -sp, 0, sp, cp];
  const rz: Mat3 = [cr, -sr, 0, sr, cr, 0, 0, 0, 1];
  return aimedCamera(multiply(multiply(multiply(ry, rx), rz), FLIP));
}

/** The inverse of {@link cameraFromAngles}: yaw, then pitch, then roll, in degrees. */
export function cameraAngles(cam2world: Cam2World): CameraAngles {
  const m = multiply(cameraRotation(cam2world), FLIP); // Ry Rx Rz
  return {
    yaw: Math.atan2(m[2], m[8]) * DEGREES,
    pitch: Math.asin(Math.min(1, Math.max(-1, m[5]))) * DEGREES,
    roll: Math.atan2(-m[3], m[4]) * DEGREES,
  };
}

/** EG3D's 25-number label: row-major 4x4 cam2world, then row-major 3x3 intrinsics. */
export function cameraLabel(cam2world: Cam2World): Float32Array {
  return Float32Array.from([...cam2world, ...INTRINSICS]);
}

/**
 * The method's normalisation of a measured camera (2.3): the centre is scaled to distance 2.7 from
 * the world's origin, the rotation is kept.
 */
export function normaliseCamera(cam2world: Cam2World): Cam2World {
  const centre = cameraCentre(cam2world);
  const k = CAMERA_RADIUS / Math.hypot(...centre);
  return assemble(cameraRotation(cam2world), [
    k * centre[0],
    k * centre[1],
    k * centre[2],
  ]);
}

/** The aimed camera between a (t = 0) and b (t = 1), rotations by slerp. */
export function interpolateCameras(
  a: Cam2World,
  b: Cam2World,
  t: number,
): Cam2World {
  const qa = quaternionFromRotation(cameraRotation(a));
  const qb = quaternionFromRotation(cameraRotation(b));
  return aimedCamera(rotationFromQuaternion(slerp(qa, qb, t)));
}

/** The angle in degrees between the rotations of two cameras. */
export function cameraDifference(a: Cam2World, b: Cam2World): number {
  return rotationAngle(cameraRotation(a), cameraRotation(b));
}

/**
 * Projects a world point.
 *
 * @returns u, v in widths of the aligned crop (0..1 inside, v down) and the depth along the axis
 */
export function project(cam2world: Cam2World, point: Vec3): Vec3 {
  const c = cam2world;
  const d: Vec3 = [point[0] - c[3], point[1] - c[7], point[2] - c[11]];
  const x = c[0] * d[0] + c[4] * d[1] + c[8] * d[2];
  const y = c[1] * d[0] + c[5] * d[1] + c[9] * d[2];
  const z = c[2] * d[0] + c[6] * d[1] + c[10] * d[2];
  return [FOCAL * x / z + 0.5, FOCAL * y / z + 0.5, z];
}

/** World to camera: the rotation that takes world directions to camera axes. */
export function worldToCamera(cam2world: Cam2World): Mat3 {
  return transpose(cameraRotation(cam2world));
}
