/** Checkpoints made in memory: how tests read them and complain. */
import { assert, assertInstanceOf, assertThrows } from "@std/assert";
import {
  CheckpointTensor,
  parseCheckpoint,
  PythonObject,
  stateDict,
  type Value,
} from "../../weights/checkpoint.ts";
import { WeightsError } from "../../weights/errors.ts";
import { ascii, concat, type Node } from "./pickle_writer.ts";

/** What a file of these bytes holds. */
export function read(bytes: Uint8Array): Value {
  return parseCheckpoint(bytes, "x.file").root;
}

/** The entries of a dict, or attributes of an object. */
export function entries(value: Value): Record<string, Value> {
  if (value instanceof PythonObject) {
    return Object.fromEntries(value.attributes);
  }
  return Object.fromEntries(as(value, Map) as Map<string, Value>);
}

/** The numbers of a tensor. */
export function numbers(value: Value): number[] {
  return [...as(value, CheckpointTensor).toFloat64()];
}

/** The value, which has to be of this class. */
export function as<T>(
  value: unknown,
  // deno-lint-ignore no-explicit-any -- any constructor
  type: abstract new (...args: any[]) => T,
): T {
  assertInstanceOf(value, type);
  return value as T;
}

/** The message with which reading fails; it has to be one sentence about this file. */
export function complaint(bytes: Uint8Array, what = ""): string {
  const { message } = assertThrows(
    () => [...stateDict(read(bytes)).values()].map((t) => t.bytes),
    WeightsError,
    "",
    what,
  );
  assert(/^[^\n]+\.$/.test(message), `not a sentence: ${message}`);
  return message;
}

/** Opcodes of protocol 2, with a number where a count stands. */
export function raw(
  ...parts: (string | Uint8Array)[]
): Uint8Array<ArrayBuffer> {
  return concat(
    parts.map((part) => typeof part === "string" ? ascii(part) : part),
  );
}

/** A NumPy array, as pickles make it. */
export const numpyArray = (
  descr: string,
  shape: Node[],
  content: Node,
): Node => ({
  call: "numpy.core.multiarray._reconstruct",
  args: [{ name: "numpy.ndarray" }, [0], new Uint8Array([98])],
  state: [1, shape, dtype(descr), false, content],
});

const dtype = (descr: string): Node => ({
  call: "numpy.dtype",
  args: [descr.slice(1), false, true],
  state: [3, descr[0], null, null, null, -1, -1, 0],
});

/** The bytes of a typed array. */
export const bytesOf = (array: { buffer: ArrayBuffer }): Uint8Array =>
  new Uint8Array(array.buffer);
