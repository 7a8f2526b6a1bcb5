/**
 * The head pose of a face: the camera from which the generator has to look, and where the aligned
 * crop lies in the picture, fitted together (stage A; method 2.2 and 2.3 do this with five points
 * and a pose network, here with FaceMesh's points and the canonical mesh).
 *
 * The generator's cameras keep a fixed distance and always look at the same point, so a picture of a
 * face has six unknowns: the camera's rotation (3) and the crop's scale and place (3). They are found
 * by least squares on the reprojection of the points that expressions do not move, with Cauchy
 * weights. Crop and camera are thus consistent by construction: after the crop, the canonical mesh
 * seen by the camera falls on the landmarks. FaceMesh's own depth only serves the first guess;
 * weighing it into the fit made the pose worse (renders of known camera).
 *
 * @module
 */
import {
  aimedCamera,
  type Cam2World,
  type CameraAngles,
  cameraAngles,
  cameraFromAngles,
  FOCAL,
  project,
} from "./camera.ts";
import { CANONICAL, POINTS, RIGID_POINTS } from "./canonical.ts";
import {
  fitSimilarity,
  type Mat3,
  multiply,
  rotationFromVector,
  solve,
  transpose,
} from "./linear.ts";

/**
 * Where the aligned crop lies in a picture: crop coordinates (u, v in 0..1) appear at
 * (x, y) + side * R(angle) (u - 1/2, v - 1/2), in pixels whose corner is the picture's corner.
 */
export interface Placement {
  /** Centre of the crop in the picture, pixels from the left. */
  readonly x: number;
  /** Centre of the crop in the picture, pixels from the top. */
  readonly y: number;
  /** Side of the crop, pixels of the picture. */
  readonly side: number;
  /** Radians; positive turns the crop's right edge downwards (clockwise on the screen). */
  readonly angle: number;
}

/** A fitted head pose. */
export interface CameraFit {
  /** The generator's camera, row-major 4x4. */
  readonly cam2world: Cam2World;
  /** The head's pose in the picture in degrees, roll included wherever it went. */
  readonly angles: CameraAngles;
  /** The crop for which the camera holds. */
  readonly placement: Placement;
  /** Median distance between landmarks and reprojected mesh, in crop widths. */
  readonly error: number;
}

/** How the head's roll is shared out. */
export interface FitOptions {
  /**
   * "crop": the crop is turned so that the camera needs no roll, as the generator was trained
   * (default, for portraits); "camera": the crop stays upright (for driving frames).
   */
  readonly roll?: "crop" | "camera";
}

/** Residuals beyond this many crop widths lose their say (Cauchy). */
const ROBUST = 0.01;

interface State {
  readonly rotation: Mat3;
  readonly side: number;
  readonly x: number;
  readonly y: number;
}

const FLIP: Mat3 = [1, 0, 0, 0, -1, 0, 0, 0, -1];

/** A first guess by similarity of the three-dimensional points. */
function firstGuess(landmarks: ArrayLike<number>): State {
  const upright = new Float64Array(3 * POINTS);
  for (let i = 0; i < upright.length; i += 3) {
    upright[i] = landmarks[i];
    upright[i + 1] = -landmarks[i + 1];
    upright[i + 2] = -landmarks[i + 2];
  }
  const fit = fitSimilarity(CANONICAL, upright, RIGID_POINTS);
  const state = {
    rotation: multiply(transpose(fit.rotation), FLIP),
    side: fit.scale * 2.5 / FOCAL,
    x: 0,
    y: 0,
  };
  const errors = residuals(landmarks, state);
  const mean = (axis: number) =>
    errors.filter((_, k) => k % 2 === axis).reduce((a, b) => a + b, 0) /
    RIGID_POINTS.length;
  return { ...state, x: mean(0) * state.side, y: mean(1) * state.side };
}

/** Observed minus reprojected, x and y of each rigid point in crop widths. */
function residuals(
  landmarks: ArrayLike<number>,
  { rotation, side, x, y }: State,
): number[] {
  const camera = aimedCamera(rotation);
  return RIGID_POINTS.flatMap((i) => {
    const [u, v] = project(camera, [
      CANONICAL[3 * i],
      CANONICAL[3 * i + 1],
      CANONICAL[3 * i + 2],
    ]);
    return [
      (landmarks[3 * i] - x) / side - (u - 0.5),
      (landmarks[3 * i + 1] - y) / side - (v - 0.5),
    ];
  });
}

function moved(state: State, d: readonly number[]): State {
  return {
    rotation: multiply(state.rotation, rotationFromVector([d[0], d[1], d[2]])),
    side: state.side * Math.exp(d[3]),
    x: state.x + d[4] * state.side,
    y: state.y + d[5] * state.side,
  };
}

/** One Gauss-Newton step with Cauchy weights; numeric derivatives. */
function step(landmarks: ArrayLike<number>, state: State): readonly number[] {
  const now = residuals(landmarks, state);
  const epsilon = 1e-6;
  const jacobian = Array.from({ length: 6 }, (_, k) => {
    const d = [0, 0, 0, 0, 0, 0];
    d[k] = epsilon;
    return residuals(landmarks, moved(state, d)).map((r, i) =>
      (r - now[i]) / epsilon
    );
  });
  const weights = now.map((_, i) => {
    const k = i - i % 2;
    return 1 / (1 + (now[k] ** 2 + now[k + 1] ** 2) / ROBUST ** 2);
  });
  const inner = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, value, i) => sum + weights[i] * value * b[i], 0);
  const normal = jacobian.map((a, i) =>
    jacobian.map((b, j) => inner(a, b) + (i === j ? 1e-9 : 0))
  );
  return solve(normal, jacobian.map((a) => -inner(a, now)));
}

/** Moves the roll from the camera into the crop. */
function rollIntoCrop(
  angles: CameraAngles,
): { cam2world: Cam2World; angle: number } {
  return {
    cam2world: cameraFromAngles({ ...angles, roll: 0 }),
    angle: -angles.roll * Math.PI / 180,
  };
}

/**
 * Fits camera and crop to the landmarks of one face.
 *
 * @param landmarks FaceMesh's points, 468 x (x, y, z) in pixels of the picture, y down, z away
 */
export function fitCamera(
  landmarks: ArrayLike<number>,
  options: FitOptions = {},
): CameraFit {
  let state = firstGuess(landmarks);
  for (let i = 0; i < 25; i++) {
    const d = step(landmarks, state);
    state = moved(state, d);
    if (Math.max(...d.map(Math.abs)) < 1e-7) break;
  }
  const camera = aimedCamera(state.rotation);
  const angles = cameraAngles(camera);
  const errors = residuals(landmarks, state);
  const distances = RIGID_POINTS.map((_, k) =>
    Math.hypot(errors[2 * k], errors[2 * k + 1])
  );
  const { cam2world, angle } = options.roll === "camera"
    ? { cam2world: camera, angle: 0 }
    : rollIntoCrop(angles);
  return {
    cam2world,
    angles,
    placement: { x: state.x, y: state.y, side: state.side, angle },
    error: distances.sort((a, b) => a - b)[distances.length >> 1],
  };
}
