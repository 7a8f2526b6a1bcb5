/** @file Values of a checkpoint as JSON, for metadata and listings. Tensors are told by type and shape. */
import { CheckpointTensor } from "../checkpoint_tensor.ts";
import { ObjectArray, PythonObject, typeName, type Value } from "./values.ts";

/** What JSON can say. */
export type Json =
  | null
  | boolean
  | number
  | string
  | Json[]
  | { [name: string]: Json };

/** How much of a value is told. */
export interface JsonLimits {
  /** How deep it may be nested; what lies deeper is told by its type. */
  readonly depth: number;
  /** How many elements of a container. */
  readonly items: number;
}

/** A value as JSON. Numbers that JSON does not know, and objects, become texts. */
export function toJson(
  value: Value,
  limits: JsonLimits = { depth: 12, items: 10_000 },
): Json {
  if (value === null) return null;
  if (typeof value === "number") {
    return Number.isFinite(value) ? value : String(value);
  }
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object") return value;
  if (value instanceof CheckpointTensor) {
    return `${value.dtype} [${value.shape.join(", ")}]`;
  }
  if (limits.depth === 0) return typeName(value);
  const inner = { ...limits, depth: limits.depth - 1 };
  const list = (items: Iterable<Value>): Json[] =>
    Iterator.from(items).take(limits.items)
      .map((item) => toJson(item, inner)).toArray();
  if (Array.isArray(value) || value instanceof Set) return list(value);
  if (value instanceof ObjectArray) return list(value.items);
  const entries = value instanceof Map
    ? value
    : value instanceof PythonObject
    ? value.attributes
    : undefined;
  if (!entries) return typeName(value);
  const named = Iterator.from<[Value, Value]>(entries).take(limits.items)
    .map(([key, item]) => [keyText(key), toJson(item, inner)] as const);
  return Object.fromEntries(named);
}

function keyText(key: Value): string {
  return typeof key === "object" && key !== null ? typeName(key) : String(key);
}
