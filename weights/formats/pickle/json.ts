/** @file Values of a checkpoint as JSON, for metadata and listings. Tensors are told by type and shape. */
import { CheckpointTensor } from "../checkpoint_tensor.ts";
import {
  keyText,
  ObjectArray,
  PythonObject,
  typeName,
  type Value,
} from "./values.ts";

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
  /**
   * How many values at all; containers may share what is in them. Counted down as they are told, long texts as many
   * values.
   */
  nodes: number;
}

/** Longer texts are cut. */
const MAX_TEXT = 10_000;
/** Of a text that counts as one value. */
const LETTERS_PER_NODE = 100;

/** A value as JSON. Numbers that JSON does not know, and objects, become texts. */
export function toJson(
  value: Value,
  limits: JsonLimits = { depth: 12, items: 10_000, nodes: 100_000 },
): Json {
  if (value === null) return null;
  if (typeof value === "number") {
    return Number.isFinite(value) ? value : String(value);
  }
  if (typeof value === "bigint") return shortened(String(value), limits);
  if (typeof value === "string") return shortened(value, limits);
  if (typeof value !== "object") return value;
  if (value instanceof CheckpointTensor) {
    return `${value.dtype} [${value.shape.join(", ")}]`;
  }
  return limits.depth === 0 || limits.nodes <= 0
    ? typeName(value)
    : containerToJson(value, limits);
}

function containerToJson(
  value: Extract<Value, object>,
  limits: JsonLimits,
): Json {
  const tell = (item: Value): Json => {
    limits.nodes--;
    const inner = { ...limits, depth: limits.depth - 1 };
    const told = toJson(item, inner);
    limits.nodes = inner.nodes;
    return told;
  };
  const list = (items: Iterable<Value>): Json[] =>
    Iterator.from(items).take(limits.items).map(tell).toArray();
  if (Array.isArray(value) || value instanceof Set) return list(value);
  if (value instanceof ObjectArray) return list(value.items);
  const entries = value instanceof Map
    ? value
    : value instanceof PythonObject
    ? value.attributes
    : undefined;
  if (!entries) return typeName(value);
  const named = Iterator.from<[Value, Value]>(entries).take(limits.items)
    .map(([key, item]) =>
      [shortened(keyText(key), limits), tell(item)] as const
    );
  return Object.fromEntries(named);
}

/** A text of a length that can be told; a million places may share one of a hundred megabytes. */
export function shortened(text: string, limits: JsonLimits): string {
  const most = limits.nodes > 0 ? MAX_TEXT : LETTERS_PER_NODE;
  limits.nodes -= Math.floor(Math.min(text.length, most) / LETTERS_PER_NODE);
  return text.length > most ? `${text.slice(0, most)}...` : text;
}
