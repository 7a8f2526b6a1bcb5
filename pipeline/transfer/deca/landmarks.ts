/**
 * The 68 landmarks of FLAME heads: points on faces of the mesh, given by
 * weights of their three corners (method, section 11.3).
 *
 * Seen from the side, the edge of the cheek is elsewhere on the mesh: the 17
 * points of the contour are looked up by how far the head is turned.
 *
 * @module
 */
import {
  concat,
  type Device,
  matmul,
  type Tensor,
} from "../../../engine/mod.ts";
import { WeightsError } from "../../../weights/mod.ts";
import { NetworkState, type StateDict } from "../../networks/network_state.ts";
import type { Flame } from "./flame.ts";

/** Points on a mesh: a face and weights of its corners for each. */
interface MeshPoints {
  faces: ArrayLike<number>;
  /** Three for each face. */
  weights: ArrayLike<number>;
}

/** Rows of the contour's table: 0 to 39 degrees to one side, then 1 to 39 to the other. */
const CONTOUR_ROWS = 79;
const MOST_DEGREES = 39;
/** Joints whose rotations turn the head: root and neck. */
const NECK = 1;

/** Landmarks on a device; see {@linkcode loadFlameLandmarks}. */
export class FlameLandmarks {
  readonly #flame: Flame;
  /** (51, V). */
  readonly #inner: Tensor;
  /** (68, V). */
  readonly #all: Tensor;
  readonly #contours: readonly MeshPoints[];

  /** Use {@linkcode loadFlameLandmarks}. */
  constructor(device: Device, flame: Flame, state: NetworkState) {
    const points = (name: string) => ({
      faces: state.get(`${name}_lmk_faces_idx`).data,
      weights: state.get(`${name}_lmk_bary_coords`).data,
    });
    this.#flame = flame;
    this.#inner = this.#matrices(device, [points("static")]);
    this.#all = this.#matrices(device, [points("full")]);
    this.#contours = rowsOf(state);
  }

  /**
   * All landmarks, the contour fixed on the mesh.
   *
   * @param vertices (N, V, 3)
   * @returns (N, 68, 3)
   */
  fixed(vertices: Tensor): Tensor {
    return matmul(this.#all, vertices);
  }

  /**
   * All landmarks as a viewer in front sees them: the contour, then the 51
   * others.
   *
   * @param vertices (N, V, 3)
   * @param poses for each head its (15) full pose
   * @returns (N, 68, 3)
   */
  visible(vertices: Tensor, poses: readonly ArrayLike<number>[]): Tensor {
    const parents = this.#flame.parents;
    const rows = poses.map((pose) =>
      this.#contours[contourRow(turnOf(pose, parents))]
    );
    const contour = matmul(this.#matrices(vertices.device, rows), vertices);
    return concat([contour, matmul(this.#inner, vertices)], 1);
  }

  /** Frees what belongs to the landmarks. */
  [Symbol.dispose](): void {
    this.#inner.release();
    this.#all.release();
  }

  /** Weights of every vertex for each point: (L, V), or (N, L, V) for several sets. */
  #matrices(device: Device, sets: readonly MeshPoints[]): Tensor {
    const { vertexCount } = this.#flame;
    const points = sets[0].faces.length, each = points * vertexCount;
    const data = new Float32Array(sets.length * each);
    sets.forEach((set, n) => {
      for (let k = 0; k < 3 * points; k++) {
        const point = Math.floor(k / 3);
        const vertex = this.#corner(set.faces[point], k % 3);
        data[n * each + point * vertexCount + vertex] += set.weights[k];
      }
    });
    const shape = [points, vertexCount];
    return device.tensor(
      data,
      sets.length > 1 ? [sets.length, ...shape] : shape,
    );
  }

  /** A corner of a face, as index of a vertex. */
  #corner(face: number, corner: number): number {
    const vertex = this.#flame.faces[3 * face + corner];
    if (vertex !== undefined) return vertex;
    throw new WeightsError(
      `A landmark lies on face ${face}, but the mesh has ${
        this.#flame.faces.length / 3
      } faces: they are of different models.`,
    );
  }
}

/**
 * Prepares landmarks. What they need on the device belongs to the scope that
 * is open, or else to the caller.
 *
 * @param state arrays by the names of `landmark_embedding.npy`, such as `static_lmk_faces_idx`
 * @param source what to call it in messages
 * @throws {WeightsError} when an array is missing or does not fit
 */
export function loadFlameLandmarks(
  device: Device,
  flame: Flame,
  state: StateDict,
  source: string = "the landmarks of FLAME",
): FlameLandmarks {
  return new FlameLandmarks(device, flame, new NetworkState(source, state));
}

function rowsOf(state: NetworkState): MeshPoints[] {
  const { data: faces, shape } = state.get("dynamic_lmk_faces_idx");
  const [rows, points] = shape;
  if (rows !== CONTOUR_ROWS) {
    throw new WeightsError(
      `The contour of ${state.source} has ${rows} rows instead of ${CONTOUR_ROWS}: it is of another model.`,
    );
  }
  const weights = state.get("dynamic_lmk_bary_coords", [rows, points, 3]).data;
  return Array.from({ length: rows }, (_, row) => ({
    faces: faces.subarray(row * points, (row + 1) * points),
    weights: weights.subarray(3 * row * points, 3 * (row + 1) * points),
  }));
}

/**
 * Row of the contour's table for a head turned so far about the vertical.
 *
 * @param degrees positive turns count from row 0, negative ones from row 40
 */
export function contourRow(degrees: number): number {
  const whole = Math.round(Math.min(degrees, MOST_DEGREES));
  if (whole >= 0) return whole;
  return whole < -MOST_DEGREES ? CONTOUR_ROWS - 1 : MOST_DEGREES - whole;
}

/** How far root and neck together turn a head about the vertical, in degrees. */
function turnOf(pose: ArrayLike<number>, parents: readonly number[]): number {
  let turn = [1, 0, 0, 0, 1, 0, 0, 0, 1];
  for (let joint = NECK; joint >= 0; joint = parents[joint]) {
    turn = product(rotation(Array.from(pose).slice(3 * joint)), turn);
  }
  const [a, , , b, , , c] = turn;
  return Math.atan2(-c, Math.hypot(a, b)) * 180 / Math.PI;
}

/** Rodrigues' formula for one rotation, row by row. */
function rotation([x, y, z]: number[]): number[] {
  const angle = Math.hypot(x, y, z);
  const k = [0, -z, y, z, 0, -x, -y, x, 0];
  const once = angle > 0 ? Math.sin(angle) / angle : 1;
  const twice = angle > 0 ? (1 - Math.cos(angle)) / angle ** 2 : 0.5;
  return product(k, k).map((square, i) =>
    (i % 4 === 0 ? 1 : 0) + once * k[i] + twice * square
  );
}

/** Product of two 3 x 3 matrices. */
function product(a: readonly number[], b: readonly number[]): number[] {
  return Array.from(
    { length: 9 },
    (_, i) =>
      [0, 1, 2].reduce(
        (sum, k) => sum + a[3 * Math.floor(i / 3) + k] * b[3 * k + i % 3],
        0,
      ),
  );
}
