/**
 * FLAME: a head as a function of shape, expression and pose (Li et al. 2017;
 * method, section 11.3).
 *
 *     v_s = template + S betas            J = regressor v_s
 *     v_p = v_s + P (R_1 - I, R_2 - I, ...)
 *     v   = skin(v_p, weights, transforms of J by R)
 *
 * @module
 */
import {
  add,
  concat,
  type Device,
  matmul,
  reshape,
  slice,
  subtract,
  type Tensor,
} from "../../../engine/mod.ts";
import { WeightsError, type WeightTensor } from "../../../weights/mod.ts";
import { NetworkState, type StateDict } from "../../networks/network_state.ts";
import { jointTransforms, rotations, skin } from "./skinning.ts";

/** How many components {@linkcode loadFlame} takes. */
export interface FlameOptions {
  /** Of shape; DECA's 100 when absent. */
  shape?: number;
  /** Of expression; DECA's 50 when absent. */
  expression?: number;
}

/** Where expressions begin among the components of the published model. */
export const FIRST_EXPRESSION = 300;

/** Numbers of the model on a device. */
export interface FlameTensors {
  /** (1, 3 V). */
  template: Tensor;
  /** (3 V, shape + expression). */
  shapes: Tensor;
  /** (3 V, 9 (J - 1)). */
  correctives: Tensor;
  /** (J, V). */
  regressor: Tensor;
  /** (V, J). */
  weights: Tensor;
  /** (1, 9): a matrix that rotates nothing. */
  identity: Tensor;
}

/** The head model on a device; see {@linkcode loadFlame}. */
export class Flame {
  /** Number of vertices, 5023 in the published model. */
  readonly vertexCount: number;
  /** Three vertices for each face, one after the other. */
  readonly faces: Uint32Array;
  /** Parent of each joint, -1 for the root. Published: root, neck, jaw, left eye, right eye. */
  readonly parents: readonly number[];
  readonly #tensors: FlameTensors;

  /** Use {@linkcode loadFlame}. */
  constructor(
    tensors: FlameTensors,
    faces: Uint32Array,
    parents: readonly number[],
  ) {
    this.#tensors = tensors;
    this.vertexCount = tensors.weights.shape[0];
    this.faces = faces;
    this.parents = parents;
  }

  /**
   * Vertices of heads, differentiable by both arguments.
   *
   * @param betas (N, shape + expression): coefficients of the components
   * @param pose (N, 3 J): axis times angle of each joint; see {@linkcode fullPose}
   * @returns (N, V, 3) in metres
   */
  vertices(betas: Tensor, pose: Tensor): Tensor {
    const { template, shapes, correctives, regressor, weights } = this.#tensors;
    const batch = betas.shape[0], joints = this.parents.length;
    const points = [batch, this.vertexCount, 3];
    const shaped = add(template, matmul(betas, shapes, { transposeB: true }));
    const at = matmul(regressor, reshape(shaped, points));
    const turns = rotations(reshape(pose, [batch * joints, 3]));
    const bend = matmul(this.#bends(turns, batch), correctives, {
      transposeB: true,
    });
    const posed = reshape(add(shaped, bend), points);
    const rotation = reshape(turns, [batch, joints, 3, 3]);
    return skin(posed, weights, jointTransforms(rotation, at, this.parents));
  }

  /** How far each joint but the root is from rest, by which the correctives are weighted: (N, 9 (J - 1)). */
  #bends(turns: Tensor, batch: number): Tensor {
    const joints = this.parents.length;
    const flat = reshape(turns, [batch, joints, 9]);
    const bent = slice(flat, [0, 1, 0], [batch, joints - 1, 9]);
    const bends = subtract(bent, this.#tensors.identity);
    return reshape(bends, [batch, 9 * (joints - 1)]);
  }

  /** Frees the model. */
  [Symbol.dispose](): void {
    for (const tensor of Object.values(this.#tensors)) tensor.release();
  }
}

/**
 * DECA's pose as FLAME takes it: neck and eyes stay at rest.
 *
 * @param pose (N, 6): head 3, jaw 3, as axis times angle
 * @returns (N, 15): head, neck, jaw, left eye, right eye
 */
export function fullPose(pose: Tensor): Tensor {
  const batch = pose.shape[0], rest = pose.device.zeros([batch, 3]);
  const head = slice(pose, [0, 0], [batch, 3]);
  const jaw = slice(pose, [0, 3], [batch, 3]);
  return concat([head, rest, jaw, rest, rest], 1);
}

/**
 * Uploads the model. Its tensors belong to the scope that is open, or else to
 * the caller.
 *
 * @param state arrays by the names of `generic_model.pkl`: f, v_template, shapedirs, posedirs,
 * J_regressor, weights, kintree_table
 * @param source what to call it in messages
 * @throws {WeightsError} when an array is missing or does not fit
 */
export function loadFlame(
  device: Device,
  state: StateDict,
  options: FlameOptions = {},
  source: string = "the FLAME model",
): Flame {
  const arrays = new NetworkState(source, state);
  const template = arrays.get("v_template"), [count] = template.shape;
  const weights = arrays.get("weights"), joints = weights.shape[1];
  const regressor = arrays.get("J_regressor", [joints, count]);
  const bends = 9 * (joints - 1);
  const upload = ({ data }: WeightTensor, shape: readonly number[]) =>
    device.tensor(data, shape);
  const shapes = components(arrays, options);
  return new Flame(
    {
      template: upload(template, [1, 3 * count]),
      shapes: upload(shapes, shapes.shape),
      correctives: upload(arrays.get("posedirs", [count, 3, bends]), [
        3 * count,
        bends,
      ]),
      regressor: upload(regressor, [joints, count]),
      weights: upload(arrays.get("weights", [count, joints]), [count, joints]),
      identity: device.tensor([1, 0, 0, 0, 1, 0, 0, 0, 1], [1, 9]),
    },
    Uint32Array.from(arrays.get("f").data),
    parentsOf(arrays, joints),
  );
}

/** Columns of `shapedirs` (V, 3, C) for shape and expression: (3 V, shape + expression). */
function components(
  arrays: NetworkState,
  { shape = 100, expression = 50 }: FlameOptions,
): WeightTensor {
  const { data, shape: [count, , stored] } = arrays.get("shapedirs");
  if (shape > FIRST_EXPRESSION || FIRST_EXPRESSION + expression > stored) {
    throw new WeightsError(
      `${arrays.source} has ${stored} components, too few for ${shape} of shape (at most ${FIRST_EXPRESSION}) and ${expression} of expression (from ${FIRST_EXPRESSION} on).`,
    );
  }
  const rows = 3 * count, columns = shape + expression;
  const chosen = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const from = row * stored, expressions = from + FIRST_EXPRESSION;
    chosen.set(data.subarray(from, from + shape), row * columns);
    chosen.set(
      data.subarray(expressions, expressions + expression),
      row * columns + shape,
    );
  }
  return { shape: [rows, columns], data: chosen };
}

/** Parents in row 0 of `kintree_table`, where the root's is a number that is no joint. */
function parentsOf(arrays: NetworkState, joints: number): number[] {
  const { data } = arrays.get("kintree_table", [2, joints]);
  return Array.from(data.subarray(0, joints), (parent, j) => {
    if (j === 0) return -1;
    if (parent >= 0 && parent < j) return parent;
    throw new WeightsError(
      `Joint ${j} of ${arrays.source} has the parent ${parent}: parents must come before their children.`,
    );
  });
}
