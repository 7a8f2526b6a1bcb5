/**
 * @file What lies on the stack while a pickle is read: values, and what becomes a value only later. An object is made
 * first and filled by a later instruction; meanwhile others may refer to it. `settle` puts the finished values in place.
 */
import { Buffer } from "node:buffer";
import type { ByteRange } from "../byte_range.ts";
import { WeightsError } from "../../errors.ts";
import { ObjectArray, PythonObject, type Value } from "./values.ts";

/** What may lie on the stack. */
export type Item = Value | Pending | ByteString;

/** An object of a class that this reader turns into something else, once its state is known. */
export class Pending {
  /** Qualified name of its class. */
  readonly name: string;
  /** What it was made with. */
  readonly args: readonly Item[];
  /** What it has become. */
  value: Item | undefined;

  /** Not finished yet. */
  constructor(name: string, args: readonly Item[], value?: Item) {
    this.name = name;
    this.args = args;
    this.value = value;
  }
}

/** A string of Python 2, which may be text or the bytes of an array; which, is known only by its use. */
export class ByteString {
  /** Its bytes. */
  readonly bytes: ByteRange;
  #text: string | undefined;

  /** A string of these bytes. */
  constructor(bytes: ByteRange) {
    this.bytes = bytes;
  }

  /** The string as text, decoded as Latin-1: each byte is the character of its number. */
  get text(): string {
    // Kept, since a file may refer to one string from a million places.
    return this.#text ??= latin1(this.bytes.bytes());
  }
}

/** Each byte as the character of its number; TextDecoder's "latin1" is Windows-1252 and differs. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString("latin1");
}

/** The finished value of an item. What never got its state stays a bare object of its class. */
export function resolve(item: Item): Value {
  for (let steps = 0; item instanceof Pending; steps++) {
    if (item.value === undefined) return new PythonObject(item.name);
    if (steps > 100) {
      throw new WeightsError(
        `An object of ${item.name} is made of itself: the file is damaged.`,
      );
    }
    item = item.value;
  }
  return item instanceof ByteString ? item.text : item;
}

/** Replaces unfinished items by their values, everywhere below `root`; cycles are left as they are. */
export function settle(root: Item): Value {
  const value = resolve(root);
  const seen = new Set<Value>();
  const open: Value[] = [value];
  const settled = (item: Item): Value => {
    const value = resolve(item);
    if (typeof value === "object" && value !== null && !seen.has(value)) {
      open.push(value);
    }
    return value;
  };
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    settleInside(next, settled);
  }
  return value;
}

function settleInside(value: Value, settled: (item: Item) => Value): void {
  if (Array.isArray(value)) {
    value.forEach((item, k) => value[k] = settled(item));
  } else if (value instanceof Map) {
    settleMap(value, settled);
  } else if (value instanceof Set) {
    const items = [...value];
    value.clear();
    for (const item of items) value.add(settled(item));
  } else if (value instanceof ObjectArray) {
    settleInside(value.items, settled);
  } else if (value instanceof PythonObject) {
    settleMap(value.attributes, settled);
    settleMap(value.entries, settled);
    settleInside(value.items, settled);
    settleInside(value.args as Value[], settled);
    value.state = settled(value.state);
  }
}

/** Keys are settled when they are put in. */
function settleMap<K>(
  map: Map<K, Value>,
  settled: (item: Item) => Value,
): void {
  for (const [key, item] of map) map.set(key, settled(item));
}
