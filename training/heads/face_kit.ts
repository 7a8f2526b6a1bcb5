/**
 * ICT-FaceKit: a head with shapes of identity and of expression, as it is
 * packed or as it was released.
 *
 * Source: ICT-VGL/ICT-FaceKit, "Face Model Topology" in its README.
 *
 * @module
 */
import {
  CheckpointTensor,
  ObjectArray,
  openCheckpoint,
  readOrExplain,
  type Value,
  WeightsError,
} from "../../weights/mod.ts";
import { missingExpression } from "./expression.ts";
import { readRelease } from "./face_kit_release.ts";

/** Vertices of the whole kit. */
export const KIT_VERTICES = 26719;
/** Faces of skin, mouth, eye sockets, teeth and eyeballs; the ones behind are films that only a path tracer wants. */
export const SOLID_FACES = 24692;

/** Vertices from `first` to before `end`. */
export interface VertexRange {
  /** The first one. */
  readonly first: number;
  /** One more than the last one. */
  readonly end: number;
}

const range = (first: number, end: number): VertexRange => ({ first, end });

/** Parts of the kit by their vertices. */
export const PARTS = {
  face: range(0, 9409),
  /** Face, head and neck. */
  skin: range(0, 11248),
  mouth: range(11248, 13294),
  sockets: range(13294, 14062),
  gums: range(14062, 17039),
  teeth: range(17039, 21451),
  eyeLeft: range(21451, 23021),
  eyeRight: range(23021, 24591),
} as const;

/** Vertices of the irises, which are parts of the eyeballs. */
export const IRISES: readonly [VertexRange, VertexRange] = [
  range(22221, 23021),
  range(23791, 24591),
];

/** Vertices that {@linkcode SOLID_FACES} use. */
export const SOLID_VERTICES: number = PARTS.eyeRight.end;

/** The 68 landmarks of the iBUG order. */
export const LANDMARKS: readonly number[] = [
  ...[1225, 1888, 1052, 367, 1719, 1722, 2199, 1447, 966, 3661, 4390, 3927],
  ...[3924, 2608, 3272, 4088, 3443, 268, 493, 1914, 2044, 1401, 3615, 4240],
  ...[4114, 2734, 2509, 978, 4527, 4942, 4857, 1140, 2075, 1147, 4269, 3360],
  ...[1507, 1542, 1537, 1528, 1518, 1511, 3742, 3751, 3756, 3721, 3725, 3732],
  ...[5708, 5695, 2081, 0, 4275, 6200, 6213, 6346, 6461, 5518, 5957, 5841],
  ...[5702, 5711, 5533, 6216, 6207, 6470, 5517, 5966],
];

/** A head and how it changes, in centimetres; x right, y up, z forward. */
export interface FaceKit {
  /** (26719, 3). */
  readonly neutral: Float32Array;
  /** (faces, 4): corners; a triangle has its last one twice. */
  readonly quads: Uint32Array;
  /** Differences from the neutral head, (26719, 3) each. */
  readonly identity: readonly Float32Array[];
  /** The same for each expression. */
  readonly expression: readonly Float32Array[];
  /** Names of the expressions, such as `jawOpen` and `eyeBlink_L`. */
  readonly expressionNames: readonly string[];
}

/**
 * Reads ICT-FaceKit.
 *
 * @param path the packed `.npz`, or a folder with the OBJ files of a release
 * (the repository or its `FaceXModel`)
 * @throws {WeightsError} when something is missing or not of the kit's topology
 */
export async function readFaceKit(path: string): Promise<FaceKit> {
  const { isDirectory } = await readOrExplain(
    "ICT-FaceKit",
    path,
    () => Deno.stat(path),
  );
  const kit = isDirectory ? await readRelease(path) : await readPacked(path);
  checkTopology(kit, path);
  return kit;
}

async function readPacked(path: string): Promise<FaceKit> {
  const { root } = await openCheckpoint(path);
  const { neutral, quads, identity, expression, expression_names } = arraysOf(
    root,
    path,
    ["neutral", "quads", "identity", "expression"],
    ["expression_names"],
  );
  return {
    neutral: neutral.toFloat32().data,
    quads: Uint32Array.from(quads.toFloat64()),
    identity: rowsOf(identity),
    expression: rowsOf(expression),
    expressionNames: expression_names,
  };
}

/** One array for each index of the first axis. */
function rowsOf(tensor: CheckpointTensor): Float32Array[] {
  const { shape: [count], data } = tensor.toFloat32(),
    size = data.length / count;
  return Array.from(
    { length: count },
    (_, k) => data.subarray(k * size, (k + 1) * size),
  );
}

/**
 * Arrays of an `.npz` by name.
 *
 * @throws {WeightsError} when one is missing or of another kind
 */
export function arraysOf<Numbers extends string, Texts extends string = never>(
  root: Value,
  path: string,
  numbers: readonly Numbers[],
  texts: readonly Texts[] = [],
): Record<Numbers, CheckpointTensor> & Record<Texts, string[]> {
  const found: Record<string, CheckpointTensor | string[]> = {};
  for (const name of [...numbers, ...texts]) {
    const value = root instanceof Map ? root.get(name) : undefined;
    const wanted = (texts as readonly string[]).includes(name)
      ? value instanceof ObjectArray
      : value instanceof CheckpointTensor;
    if (!wanted) {
      throw new WeightsError(
        `${path} has no array ${name}: give the packed file as it was made (.npz).`,
      );
    }
    found[name] = value instanceof ObjectArray
      ? value.items.map(String)
      : value as CheckpointTensor;
  }
  return found as
    & Record<Numbers, CheckpointTensor>
    & Record<Texts, string[]>;
}

function checkTopology(kit: FaceKit, path: string): void {
  const { neutral, quads, identity, expression, expressionNames } = kit;
  const shapes = [neutral, ...identity, ...expression];
  const solid = quads.subarray(0, 4 * SOLID_FACES);
  const fits = shapes.every((s) => s.length === 3 * KIT_VERTICES) &&
    expression.length === expressionNames.length &&
    solid.length === 4 * SOLID_FACES &&
    solid.every((v) => v < SOLID_VERTICES);
  if (!fits) {
    throw new WeightsError(
      `${path} is no ICT-FaceKit of ${KIT_VERTICES} vertices in the order of its releases since 2020: fetch the current one.`,
    );
  }
  const missing = missingExpression(expressionNames);
  if (missing !== undefined) {
    throw new WeightsError(
      `${path} lacks the expression ${missing}: fetch all of ICT-FaceKit.`,
    );
  }
}
