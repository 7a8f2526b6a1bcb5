/**
 * @file TensorFlow.js graph models: a `model.json` that holds a TensorFlow GraphDef as JSON (attributes as protobuf
 * spells them in JSON, strings in base64) and a weights manifest, with the weights in binary shards beside it.
 * This file reads them as they are; `graph/lower_tf.ts` translates the nodes.
 */
import { WeightsError } from "../errors.ts";
import type { WeightTensor } from "../tensor.ts";
import { readModelJson } from "./tfjs_model_json.ts";
import { readWeightGroups, type WeightGroup } from "./tfjs_weights.ts";

/** A decoded attribute: numbers, text (also type names and enumerations), flags, shapes (-1 is free) and lists. */
export type TfAttribute =
  | number
  | boolean
  | string
  | readonly number[]
  | readonly string[]
  | readonly boolean[];

/** A node of the GraphDef. */
export interface TfNode {
  /** Unique within the graph. */
  readonly name: string;
  /** TensorFlow's operator, for instance `_FusedConv2D`. */
  readonly op: string;
  /** Names of the nodes whose first output it takes; control inputs are left out. */
  readonly inputs: readonly string[];
  /** Attributes by name. */
  readonly attributes: ReadonlyMap<string, TfAttribute>;
}

/** A graph model as it is stored. */
export interface TfGraph {
  /** Where it came from, for error messages. */
  readonly source: string;
  /** Those nodes that the outputs depend on, each after its inputs. */
  readonly nodes: readonly TfNode[];
  /** Values of the `Const` nodes by node name. */
  readonly weights: ReadonlyMap<string, WeightTensor>;
  /** From the signature's output names (without ":0") to node names. */
  readonly outputs: ReadonlyMap<string, string>;
}

/** The parts of `model.json` that matter here. */
interface TfModelJson {
  readonly format?: string;
  readonly modelTopology: {
    readonly node: readonly JsonNode[];
    /** Of layers models. */
    readonly keras_version?: unknown;
  };
  readonly weightsManifest: readonly WeightGroup[];
  readonly signature?: JsonSignature;
  readonly userDefinedMetadata?: { readonly signature?: JsonSignature };
}

interface JsonNode {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, JsonAttribute>>;
}

interface JsonSignature {
  readonly outputs?: Readonly<Record<string, { readonly name: string }>>;
}

interface JsonAttribute {
  readonly s?: string | readonly number[];
  readonly i?: number | string;
  readonly f?: number | string;
  readonly b?: boolean;
  readonly type?: string | number;
  readonly shape?: {
    readonly dim?: readonly { readonly size?: number | string }[];
  };
  readonly list?: {
    readonly s?: readonly (string | readonly number[])[];
    readonly i?: readonly (number | string)[];
    readonly f?: readonly (number | string)[];
    readonly b?: readonly boolean[];
    readonly type?: readonly string[];
  };
}

/**
 * Reads `model.json` and the shards that it names, from the same folder.
 * @throws {WeightsError} When a file is missing, is no graph model, or does not fit the others.
 */
export async function readTfGraph(path: string): Promise<TfGraph> {
  const { json, readShard } = await readModelJson(path);
  return await parseTfGraph(json, readShard, path);
}

/**
 * Interprets the content of a `model.json`.
 * @param readShard Gives the bytes of a shard by the name in the manifest.
 * @throws {WeightsError} When it is no graph model or its parts do not fit.
 */
export async function parseTfGraph(
  json: unknown,
  readShard: (name: string) => Promise<Uint8Array>,
  source: string,
): Promise<TfGraph> {
  const model = json as TfModelJson;
  if (
    model?.format === "layers-model" || model?.modelTopology?.keras_version
  ) {
    throw new WeightsError(
      `${source} is a TensorFlow.js layers model, but graph models are read: convert it with tensorflowjs_converter --input_format=tfjs_layers_model --output_format=tfjs_graph_model.`,
    );
  }
  if (
    !Array.isArray(model?.modelTopology?.node) ||
    !Array.isArray(model.weightsManifest)
  ) {
    throw new WeightsError(
      `${source} is not a TensorFlow.js graph model: it has no nodes or no weights manifest.`,
    );
  }
  const weights = await readWeightGroups(
    model.weightsManifest,
    readShard,
    source,
  );
  const nodes = model.modelTopology.node.map(decodeNode);
  const signature = model.signature ?? model.userDefinedMetadata?.signature;
  const outputs = findOutputs(nodes, signature);
  return {
    source,
    nodes: inOrder(nodes, [...outputs.values()], source),
    weights,
    outputs,
  };
}

function decodeNode({ name, op, input = [], attr = {} }: JsonNode): TfNode {
  const attributes = new Map<string, TfAttribute>();
  for (const [key, value] of Object.entries(attr)) {
    const decoded = decodeAttribute(value);
    if (decoded !== undefined) attributes.set(key, decoded);
  }
  return {
    name,
    op,
    inputs: input.filter((each) => !each.startsWith("^")).map(nodeName),
    attributes,
  };
}

/** "name:0" and "name" mean the same; another output than the first is kept, so that the lowering can refuse it. */
function nodeName(reference: string): string {
  return reference.replace(/:0$/, "");
}

function decodeAttribute(attribute: JsonAttribute): TfAttribute | undefined {
  if (attribute.s !== undefined) return decodeText(attribute.s);
  if (attribute.i !== undefined) return Number(attribute.i);
  if (attribute.f !== undefined) return Number(attribute.f);
  if (attribute.b !== undefined) return attribute.b;
  if (attribute.type !== undefined) return String(attribute.type);
  if (attribute.shape) {
    return (attribute.shape.dim ?? []).map(({ size }) => Number(size ?? -1));
  }
  if (!attribute.list) return undefined;
  const { s, i, f, b, type } = attribute.list;
  if (s) return s.map(decodeText);
  return (i ?? f)?.map(Number) ?? b ?? type ?? [];
}

function decodeText(text: string | readonly number[]): string {
  return typeof text === "string" ? atob(text) : String.fromCharCode(...text);
}

function findOutputs(
  nodes: readonly TfNode[],
  signature?: JsonSignature,
): Map<string, string> {
  const declared = Object.entries(signature?.outputs ?? {});
  if (declared.length > 0) {
    return new Map(
      declared.map(([key, { name }]) => [nodeName(key), nodeName(name)]),
    );
  }
  const used = new Set(nodes.flatMap((node) => node.inputs));
  return new Map(
    nodes.filter(({ name, op }) => !used.has(name) && op !== "Const").map((
      { name },
    ) => [name, name]),
  );
}

/** The nodes that `targets` need, each after its inputs (depth-first, so that short branches stay together). */
function inOrder(
  nodes: readonly TfNode[],
  targets: readonly string[],
  source: string,
): TfNode[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const state = new Map<string, "open" | "done">();
  const ordered: TfNode[] = [];
  // An explicit stack, for networks deeper than the call stack.
  const stack = targets.map((name) => ({ name, leaving: false })).reverse();
  while (stack.length > 0) {
    const { name, leaving } = stack.pop()!;
    const node = byName.get(name);
    if (!node) {
      throw new WeightsError(
        `${source}: the node ${name} is used but not defined.`,
      );
    }
    if (leaving) {
      state.set(name, "done");
      ordered.push(node);
      continue;
    }
    if (state.get(name) === "done") continue;
    if (state.get(name) === "open") {
      throw new WeightsError(`${source}: the node ${name} depends on itself.`);
    }
    state.set(name, "open");
    stack.push({ name, leaving: true });
    for (const input of [...node.inputs].reverse()) {
      if (state.get(input) === "open") {
        throw new WeightsError(
          `${source}: the node ${input} depends on itself.`,
        );
      }
      if (state.get(input) !== "done") {
        stack.push({ name: input, leaving: false });
      }
    }
  }
  return ordered;
}
