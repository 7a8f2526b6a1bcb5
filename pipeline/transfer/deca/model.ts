/**
 * DECA and FLAME from their licensed files: `deca_model.tar`, of which only the
 * coarse encoder is needed, and `generic_model.pkl`; and, where they are found
 * beside one of the two or where weights are looked for, `head_template.obj`
 * and `uv_face_eye_mask.png`, which say exactly which part of the head is the
 * face (method, sections 11.3 to 11.7).
 *
 * @module
 */
import { dirname } from "@std/path";
import type { Device } from "../../../engine/mod.ts";
import {
  findWeights,
  openCheckpoint,
  requireWeights,
  stateDict,
  WeightsError,
} from "../../../weights/mod.ts";
import { NetworkState, type StateDict } from "../../networks/network_state.ts";
import {
  DECA_CODE_LENGTH,
  type DecaEncoder,
  loadDecaEncoder,
} from "./encoder.ts";
import { FIRST_EXPRESSION, type Flame, loadFlame } from "./flame.ts";
import { scaleBrows } from "./freeze.ts";
import { type FaceMask, readMapMask, templateMask } from "./mask.ts";
import { readTopology } from "./topology.ts";

/** Where the files are. */
export interface DecaFiles {
  /** DECA's `deca_model.tar`. */
  readonly deca: string;
  /** FLAME's `generic_model.pkl`; looked for beside DECA's and among the weights when left out. */
  readonly flame?: string;
}

/** What stage B needs of DECA and FLAME. */
export interface DecaModel {
  /** From pictures to codes. */
  readonly encoder: DecaEncoder;
  /** From codes to heads. */
  readonly flame: Flame;
  /** The mean head at rest: (V, 3) in metres. */
  readonly template: Float32Array;
  /** Three vertices a triangle. */
  readonly faces: Uint32Array;
  /** Which part of the head is the face. */
  readonly mask: FaceMask;
}

/** Root, neck, jaw, left and right eye. */
const JOINTS = 5;
const LEFT_EYE = 3;

/**
 * Reads the files and uploads the networks, which belong to the scope that is
 * open, or else to the caller.
 *
 * @param browScale see {@linkcode scaleBrows}
 * @throws {WeightsError} when a file is missing, another one, or lacks what it should hold
 */
export async function loadDeca(
  device: Device,
  files: DecaFiles,
  browScale = 1,
): Promise<DecaModel> {
  const encoder = await readEncoderState(files.deca);
  const path = files.flame ??
    await requireWeights("flame", { folders: [dirname(files.deca)] });
  const state = await readFlameState(path);
  const arrays = new NetworkState(path, state);
  const { data: template } = arrays.get("v_template");
  const head = browScale === 1 ? state : withBrows(arrays, template, browScale);
  const flame = loadFlame(device, head, {}, path);
  return {
    encoder: loadDecaEncoder(device, encoder, `E_flame of ${files.deca}`),
    flame,
    template,
    ...await readFace([dirname(path), dirname(files.deca)], flame, arrays),
  };
}

/** The coarse encoder's parameters, by their names within it. */
async function readEncoderState(path: string): Promise<StateDict> {
  const all = stateDict((await openCheckpoint(path)).root);
  const prefix = "E_flame.";
  const state = new Map(
    [...all].filter(([name]) => name.startsWith(prefix))
      .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
  );
  if (state.size === 0) {
    throw new WeightsError(
      `${path} has no E_flame: give DECA's deca_model.tar, which holds E_flame, E_detail and D_detail.`,
    );
  }
  const [length] = state.get("layers.2.bias")?.shape ?? [DECA_CODE_LENGTH];
  if (length !== DECA_CODE_LENGTH) {
    throw new WeightsError(
      `E_flame of ${path} gives ${length} numbers (layers.2.bias) instead of ${DECA_CODE_LENGTH}: it is of another version of DECA.`,
    );
  }
  return state;
}

async function readFlameState(path: string): Promise<StateDict> {
  const state = stateDict((await openCheckpoint(path)).root);
  const joints = state.get("weights")?.shape[1] ?? JOINTS;
  if (joints !== JOINTS) {
    throw new WeightsError(
      `${path} has ${joints} joints (weights) instead of FLAME's ${JOINTS}: give FLAME's generic_model.pkl.`,
    );
  }
  return state;
}

function withBrows(
  arrays: NetworkState,
  template: ArrayLike<number>,
  scale: number,
): StateDict {
  const components = arrays.get("shapedirs");
  return new Map(arrays.parameters).set(
    "shapedirs",
    scaleBrows(components, template, FIRST_EXPRESSION, scale),
  );
}

/** Triangles and face: published, if they are of this head, or the model's own and derived from the template. */
async function readFace(
  folders: string[],
  flame: Flame,
  arrays: NetworkState,
): Promise<Pick<DecaModel, "faces" | "mask">> {
  const template = await findWeights("flame-template", { folders });
  const mask = await findWeights("flame-mask", { folders });
  const topology = template && mask ? await readTopology(template) : null;
  if (mask && topology?.vertexCount === flame.vertexCount) {
    const { faces } = topology;
    return { faces, mask: await readMapMask(mask, topology) };
  }
  return {
    faces: flame.faces,
    mask: templateMask(arrays.get("v_template").data, eyesOf(arrays)),
  };
}

/** Joints of the eyes on the template: (2, 3). */
function eyesOf(arrays: NetworkState): Float64Array {
  const { data: template, shape: [count] } = arrays.get("v_template");
  const { data: regressor } = arrays.get("J_regressor", [JOINTS, count]);
  return Float64Array.from({ length: 6 }, (_, k) => {
    const row = LEFT_EYE + Math.floor(k / 3);
    let sum = 0;
    for (let v = 0; v < count; v++) {
      sum += regressor[row * count + v] * template[3 * v + k % 3];
    }
    return sum;
  });
}
