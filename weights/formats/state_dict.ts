/**
 * @file The tensors of a checkpoint under the names that PyTorch's `state_dict()` gives them.
 * Source: torch/nn/modules/module.py.
 */
import { WeightsError } from "../errors.ts";
import { elementCount, type WeightTensor } from "../tensor.ts";
import { CheckpointTensor } from "./checkpoint_tensor.ts";
import { SparseMatrix } from "./pickle/sparse_matrix.ts";
import { ObjectArray, PythonObject, type Value } from "./pickle/values.ts";
import { MAX_TENSOR_NAME } from "./safetensors_header.ts";

/** More names than any checkpoint has; modules that share others can be made to have 2^n of them. */
const MAX_NAMES = 1_000_000;
/** More entries and elements to look at, tensors or not. */
const MAX_STEPS = 50_000_000;
const MAX_DEPTH = 200;
/** Of all names together; a few keys make very many long names where dicts share each other. */
const MAX_LETTERS = 2 ** 25;

/**
 * Views may share numbers; written out they could fill a disk or the memory. Files that unpack to less than this are
 * let be, and of larger ones so many numbers for each of their bytes.
 */
const SMALL = 2 ** 28;
const NUMBERS_PER_BYTE = 4;

/** Whether an object is one of PyTorch's modules, which keep parameters, buffers and submodules apart. */
export function isModule(value: Value): value is PythonObject {
  return value instanceof PythonObject && value.attributes.has("_modules");
}

/**
 * All tensors below `root` by name. Modules give parameters, buffers that are kept, and their submodules, exactly as
 * `state_dict()` does; of dicts, lists and other objects (TorchScript's too) everything is taken, under keys, positions
 * and attributes with dots between. Sparse matrices are made dense. A tensor without a name (a checkpoint that is one)
 * is named `tensor`.
 * @throws {WeightsError} When modules contain themselves or there is no end to them.
 */
export function stateDict(root: Value): Map<string, CheckpointTensor> {
  const tensors = new Map<string, CheckpointTensor>();
  for (const [name, value] of arraysOf(root)) {
    tensors.set(
      name || "tensor",
      value instanceof SparseMatrix ? value.toDense() : value,
    );
  }
  return tensors;
}

/**
 * How many numbers these tensors of a file have.
 * @throws {WeightsError} When they are many more than the file could hold.
 */
export function countNumbers(
  tensors: Iterable<Pick<WeightTensor, "shape">>,
  { source, byteLength }: { source: string; byteLength: number },
): number {
  let count = 0;
  for (const { shape } of tensors) count += elementCount(shape);
  if (count <= SMALL + NUMBERS_PER_BYTE * byteLength) return count;
  throw new WeightsError(
    `${source} would become ${count} numbers; its tensors repeat each other too often.`,
  );
}

/**
 * The tensors and sparse matrices below `root`, named as {@linkcode stateDict} does; one without a name is the root.
 * @throws {WeightsError} When modules contain themselves, there is no end to them, or names are too long.
 */
export function* arraysOf(
  root: Value,
): Iterable<[name: string, value: CheckpointTensor | SparseMatrix]> {
  const open: Visit[] = [{ name: "", value: root, depth: 0 }];
  let visited = 0;
  let steps = 0;
  let letters = 0;
  for (let next = open.pop(); next; next = open.pop()) {
    const { name, value, depth } = next;
    steps += sizeOf(value);
    if (
      ++visited > MAX_NAMES || steps > MAX_STEPS || depth > MAX_DEPTH
    ) {
      throw new WeightsError(
        `The checkpoint is nested without end at ${
          name.slice(0, 60)
        }...: the file is damaged.`,
      );
    }
    if (value instanceof CheckpointTensor || value instanceof SparseMatrix) {
      letters += name.length;
      if (name.length > MAX_TENSOR_NAME || letters > MAX_LETTERS) {
        throw new WeightsError(
          `The checkpoint has tensors with longer names than any needs, such as ${
            name.slice(0, 60)
          }...: the file is damaged.`,
        );
      }
      yield [name, value];
      continue;
    }
    const prefix = name && `${name}.`;
    const children = [...childrenOf(value)].map(([key, child]) => ({
      // What is too long already does not grow: no text could hold a key of a hundred megabytes ten times.
      name: name.length > MAX_TENSOR_NAME ? name : prefix + key,
      value: child,
      depth: depth + 1,
    }));
    // In reverse, so that the first one is taken next.
    for (const child of children.reverse()) open.push(child);
  }
}

interface Visit {
  readonly name: string;
  readonly value: Value;
  readonly depth: number;
}

/** How many entries or elements will be looked at. */
function sizeOf(value: Value): number {
  if (Array.isArray(value)) return value.length;
  if (value instanceof Map) return value.size;
  if (value instanceof ObjectArray) return value.items.length;
  if (!(value instanceof PythonObject)) return 1;
  return value.attributes.size + value.entries.size + value.items.length;
}

function* childrenOf(value: Value): Iterable<[string, Value]> {
  if (isModule(value)) yield* moduleChildren(value);
  else if (value instanceof Map) yield* named(value);
  else if (Array.isArray(value)) yield* numbered(value);
  else if (value instanceof ObjectArray) yield* numbered(value.items);
  else if (value instanceof PythonObject) {
    yield* value.attributes;
    yield* named(value.entries);
    yield* numbered(value.items);
  }
}

function* moduleChildren(module: PythonObject): Iterable<[string, Value]> {
  const { attributes } = module;
  const passing = attributes.get("_non_persistent_buffers_set");
  const isKept = ([name]: [string, Value]) =>
    !(passing instanceof Set && passing.has(name));
  yield* named(attributes.get("_parameters"));
  yield* [...named(attributes.get("_buffers"))].filter(isKept);
  yield* named(attributes.get("_modules"));
}

function* named(dict: Value | undefined): Iterable<[string, Value]> {
  if (!(dict instanceof Map)) return;
  for (const [key, value] of dict) {
    if (isName(key)) yield [String(key), value];
  }
}

function* numbered(items: readonly Value[]): Iterable<[string, Value]> {
  for (const [k, value] of items.entries()) {
    if (typeof value === "object" && value !== null) yield [String(k), value];
  }
}

/** Whether a key of a dict becomes a part of a tensor's name. */
export function isName(key: Value): key is string | number | bigint | boolean {
  return ["string", "number", "bigint", "boolean"].includes(typeof key);
}
