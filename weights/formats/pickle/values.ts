/**
 * @file What a checkpoint holds, as plain data. Python's containers become JavaScript's: lists and tuples are arrays,
 * every kind of dict is a `Map`, sets are `Set`s. Instances of classes are {@linkcode PythonObject}s: their attributes
 * and nothing else, since no code of theirs is ever run.
 */
import { WeightsError } from "../../errors.ts";
import type { ByteRange } from "../byte_range.ts";
import type { CheckpointTensor } from "../checkpoint_tensor.ts";
import type { SparseMatrix } from "./sparse_matrix.ts";

/** Everything that may be found in a checkpoint. Python's bytes are a {@linkcode ByteRange}. */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | ByteRange
  | CheckpointTensor
  | ObjectArray
  | SparseMatrix
  | PythonObject
  | PythonName
  | Value[]
  | Map<Value, Value>
  | Set<Value>;

/** No module and class have a longer name together. */
export const MAX_NAME = 500;

/** A class or function that the checkpoint refers to by name, such as `torch.float32`. */
export class PythonName {
  /** Module and name, with a dot between. */
  readonly name: string;

  /** The thing of this qualified name. */
  constructor(name: string) {
    this.name = name;
  }
}

/** An instance of a class, as data: what it was made of, never what it does. */
export class PythonObject {
  /** Module and class; only the class for objects that carry their own source text, as EG3D's networks do. */
  readonly className: string;
  /** What its constructor was given, where the file says so. */
  readonly args: readonly Value[];
  /** Attributes by name. */
  readonly attributes: Map<string, Value> = new Map();
  /** What it holds as a kind of dict. */
  readonly entries: Map<Value, Value> = new Map();
  /** What it holds as a kind of list. */
  readonly items: Value[] = [];
  /** What its class would have been handed to restore itself from, where that is no dict of attributes. */
  state: Value = null;

  /** An instance without attributes. */
  constructor(className: string, args: readonly Value[] = []) {
    this.className = className;
    this.args = args;
  }

  /** The class without its module. */
  get shortName(): string {
    return this.className.slice(this.className.lastIndexOf(".") + 1);
  }
}

/** A NumPy array of texts or of Python objects. One without axes is handed out as the object itself. */
export class ObjectArray {
  /** Sizes of its axes. */
  readonly shape: readonly number[];
  /** Elements in row-major order. */
  readonly items: Value[];

  /**
   * An array of these elements.
   * @throws {WeightsError} When there are more or fewer than the shape says.
   */
  constructor(shape: readonly number[], items: Value[]) {
    this.shape = shape;
    this.items = items;
    const size = shape.reduce((product, length) => product * length, 1);
    if (items.length !== size) {
      throw new WeightsError(
        `An array of shape [${shape}] has ${items.length} elements: the file is damaged.`,
      );
    }
  }
}

/**
 * A key of a dict as text. Keys that are containers are told by their type: they may be nested without end or share
 * what is in them, so that writing them out would take forever.
 */
export function keyText(key: Value): string {
  return typeof key === "object" && key !== null ? typeName(key) : String(key);
}

/** Names a kind of value for messages and listings, as Python would. */
export function typeName(value: Value): string {
  if (value === null) return "None";
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "number":
      return Number.isInteger(value) ? "int" : "float";
    case "bigint":
      return "int";
    case "string":
      return "str";
  }
  if (Array.isArray(value)) return "list";
  if (value instanceof Map) return "dict";
  if (value instanceof Set) return "set";
  if (value instanceof PythonObject) return value.className;
  if (value instanceof PythonName) return value.name;
  if (value instanceof ObjectArray) return "array of objects";
  return "shape" in value
    ? ("dtype" in value ? "tensor" : "sparse matrix")
    : "bytes";
}
