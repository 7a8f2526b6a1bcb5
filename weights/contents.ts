/**
 * What is in a checkpoint, for people and programs: what kind of thing it is, its tensors, and what else there is.
 * @module
 */
import type { Checkpoint, CheckpointFormat } from "./checkpoint.ts";
import { type Eg3dModule, eg3dModule } from "./formats/eg3d_pickle.ts";
import { CheckpointTensor } from "./formats/checkpoint_tensor.ts";
import { type Json, shortened, toJson } from "./formats/pickle/json.ts";
import { SparseMatrix } from "./formats/pickle/sparse_matrix.ts";
import {
  keyText,
  PythonObject,
  typeName,
  type Value,
} from "./formats/pickle/values.ts";
import { arraysOf, isModule, isName } from "./formats/state_dict.ts";

export type { Json };

/** A tensor, as it is listed. */
export interface ListedTensor {
  /** State name, or path. */
  readonly name: string;
  /** Type of its numbers as safetensors spells it; sparse matrices with their kind in front. */
  readonly dtype: string;
  /** Sizes of its axes. */
  readonly shape: readonly number[];
  /** Numbers that are stored. */
  readonly size: number;
  /** Their bytes. */
  readonly bytes: number;
}

/** A checkpoint's contents. */
export interface Contents {
  /** Format of the file. */
  readonly format: CheckpointFormat;
  /** Bytes of the file. */
  readonly byteLength: number;
  /** What it is, in a few words. */
  readonly kind: string;
  /** Facts about it by name. */
  readonly facts: Readonly<Record<string, Json>>;
  /** Metadata of a safetensors file. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Its tensors. */
  readonly tensors: readonly ListedTensor[];
  /** What else it holds, by name. */
  readonly others: Readonly<Record<string, Json>>;
  /** Numbers in all tensors. */
  readonly parameters: number;
  /** Bytes of all tensors. */
  readonly bytes: number;
}

/**
 * Lists a checkpoint. Of a dict of EG3D's networks the tensors are those of `G_ema`; the other networks are named.
 * @throws {WeightsError} When its objects are nested without end.
 */
export function listContents(checkpoint: Checkpoint): Contents {
  const { format, metadata, byteLength } = checkpoint;
  const generator = findGenerator(checkpoint);
  const root = generator
    ? new Map<Value, Value>(generator.state)
    : checkpoint.root;
  const tensors = [...arraysOf(root)].map(listed);
  const sum = (key: "size" | "bytes") =>
    tensors.reduce((total, tensor) => total + tensor[key], 0);
  return {
    format,
    byteLength,
    ...(generator
      ? { kind: generatorKind(generator), facts: generatorFacts(generator) }
      : { kind: kindOf(checkpoint), facts: factsOf(checkpoint.root) }),
    metadata,
    tensors,
    others: others(
      checkpoint.root,
      generator ? (key) => key === "G_ema" : holdsTensor,
    ),
    parameters: sum("size"),
    bytes: sum("bytes"),
  };
}

/** The network that animation uses, when the checkpoint is one of networks that carry their own source. */
export function findGenerator(
  checkpoint: Pick<Checkpoint, "root" | "source">,
): Eg3dModule | undefined {
  const { root } = checkpoint;
  const network = root instanceof Map ? root.get("G_ema") : root;
  return network instanceof PythonObject && isModule(network) &&
      network.attributes.has("_init_kwargs")
    ? eg3dModule(checkpoint)
    : undefined;
}

function listed(
  [name, value]: [string, CheckpointTensor | SparseMatrix],
): ListedTensor {
  const { data, kind } = value instanceof SparseMatrix
    ? { data: value.data, kind: `${value.format} ` }
    : { data: value, kind: "" };
  return {
    name: name || "tensor",
    dtype: kind + data.dtype,
    shape: value.shape,
    size: data.size,
    bytes: data.byteLength,
  };
}

function generatorKind({ className, attributes }: Eg3dModule): string {
  return attributes.has("rendering_kwargs")
    ? `EG3D generator ${className}`
    : `network ${className}`;
}

/** Sizes first, in the words of the code that made it. */
const GENERATOR_FACTS = [
  "img_resolution",
  "img_channels",
  "z_dim",
  "c_dim",
  "w_dim",
  "num_ws",
  "neural_rendering_resolution",
] as const;

function generatorFacts(generator: Eg3dModule): Record<string, Json> {
  const { attributes } = generator;
  const backbone = generator.module("backbone");
  const facts: Record<string, Json> = {};
  for (const name of GENERATOR_FACTS) {
    const value = attributes.get(name) ?? backbone?.attributes.get(name);
    if (value !== undefined) facts[name] = toJson(value);
  }
  const superresolution = generator.module("superresolution")?.className;
  if (superresolution) facts.superresolution = superresolution;
  const rendering = attributes.get("rendering_kwargs");
  if (rendering !== undefined) facts.rendering_kwargs = toJson(rendering);
  const given = attributes.get("_init_kwargs");
  if (given instanceof Map) {
    // The rendering options are among them once more.
    const rest = [...given].filter(([name]) => name !== "rendering_kwargs");
    facts._init_kwargs = toJson(new Map(rest));
  }
  return facts;
}

const FLAME_KEYS = ["v_template", "shapedirs", "posedirs", "J_regressor", "f"];
const DECA_KEYS = ["E_flame", "E_detail", "D_detail"];

function kindOf({ root, format, metadata }: Checkpoint): string {
  const has = (keys: string[]) =>
    root instanceof Map && keys.every((key) => root.has(key));
  if (has(FLAME_KEYS)) return "FLAME head model";
  if (has(DECA_KEYS)) return "DECA checkpoint";
  if (format === "torchscript") return `TorchScript module ${typeName(root)}`;
  if (isModule(root)) return `PyTorch module ${root.className}`;
  if (format === "tfjs-graph") return "TensorFlow.js graph model";
  if (format === "safetensors") {
    return metadata.config ? "tri-plane generator" : metadata.kind ?? "tensors";
  }
  if (format === "npy" || format === "npz") return "NumPy arrays";
  if (root instanceof CheckpointTensor) return "one tensor";
  if (!(root instanceof Map)) return typeName(root);
  const values = [...root.values()];
  return values.length > 0 && values.every((v) => v instanceof CheckpointTensor)
    ? "PyTorch state dict"
    : "dict";
}

function factsOf(root: Value): Record<string, Json> {
  const facts: Record<string, Json> = {};
  const size = (key: string, axis: number): Json => {
    const value = root instanceof Map ? root.get(key) : undefined;
    return value instanceof CheckpointTensor ? value.shape[axis] ?? null : null;
  };
  if (root instanceof Map && FLAME_KEYS.every((key) => root.has(key))) {
    facts.vertices = size("v_template", 0);
    facts.faces = size("f", 0);
    facts.joints = size("weights", 1);
    facts.shape_and_expression_components = size("shapedirs", 2);
    facts.pose_components = size("posedirs", 2);
  }
  return facts;
}

/** Entries of the top level that hold no tensor; networks that are not listed are told by their class. */
function others(
  root: Value,
  isListed: (key: Value, value: Value) => boolean,
): Record<string, Json> {
  if (!(root instanceof Map)) return {};
  const limits = { depth: 4, items: 100, nodes: 10_000 };
  const rest: Record<string, Json> = Object.create(null);
  for (const [key, value] of root) {
    if (isListed(key, value)) continue;
    rest[shortened(keyText(key), limits)] = toJson(
      isModule(value) ? `network ${value.className}` : value,
      limits,
    );
  }
  return rest;
}

/** Whether tensors of an entry are listed; what lies under keys that are no names is not. */
function holdsTensor(key: Value, value: Value): boolean {
  return isName(key) && arraysOf(value)[Symbol.iterator]().next().done !== true;
}
