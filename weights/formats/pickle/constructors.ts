/**
 * @file The constructors that a pickle may call. Calling means: this reader makes plain data the way the Python
 * function of that name would. What is not in these tables is not called, and reading stops with its name.
 */
import { Buffer } from "node:buffer";
import { WeightsError } from "../../errors.ts";
import { ByteRange } from "../byte_range.ts";
import { MAX_AXES } from "../checkpoint_tensor.ts";
import type { Budget } from "./budget.ts";
import { ByteString, type Item, type Pending, resolve } from "./items.ts";
import { PythonName, PythonObject, typeName, type Value } from "./values.ts";

/** What a constructor may use besides its arguments. */
export interface Call {
  /** Limits of the whole file. */
  readonly budget: Budget;
  /** Reads what `torch.save` wrote, where it lies inside a pickle. */
  loadTorch(bytes: ByteRange): Item;
  /** Makes an object of a class, without attributes. */
  instantiate(name: string, args: readonly Item[]): Item;
  /** Calls another constructor. */
  invoke(name: string, args: readonly Item[]): Item;
}

/** Makes a value of the arguments. */
export type Constructor = (args: readonly Item[], call: Call) => Item;

/** Fills an object that was made before; what it becomes is its `value`. */
export type StateSetter = (object: Pending, state: Item, call: Call) => void;

/** Constructors and classes by qualified name. */
export interface Constructors {
  /** Functions and classes that are called. */
  readonly calls: ReadonlyMap<string, Constructor>;
  /** Classes whose objects become something else when their state is set. */
  readonly states: ReadonlyMap<string, StateSetter>;
}

/** Several tables in one. */
export function joinConstructors(...tables: Constructors[]): Constructors {
  return {
    calls: new Map(tables.flatMap(({ calls }) => [...calls])),
    states: new Map(tables.flatMap(({ states }) => [...states])),
  };
}

/** An argument that has to be of one kind; it may not be left out. */
export function expect<T>(
  item: Item | undefined,
  what: string,
  fits: (value: Value) => value is Value & T,
): Value & T {
  const value = resolve(item ?? null);
  if (fits(value)) return value;
  throw new WeightsError(
    `A constructor was given ${
      typeName(value)
    } instead of ${what}: the file is damaged.`,
  );
}

/** An argument that is a list or tuple. */
export function expectList(item: Item | undefined): Value[] {
  return expect(
    item,
    "a list",
    (value): value is Value[] => Array.isArray(value),
  );
}

/** An argument that is a dict. */
export function expectDict(item: Item | undefined): Map<Value, Value> {
  return expect(
    item,
    "a dict",
    (value): value is Map<Value, Value> => value instanceof Map,
  );
}

/** An argument that is text. */
export function expectText(item: Item | undefined): string {
  return expect(item, "text", (value) => typeof value === "string");
}

/** An argument that is a number of at least 0, such as a size. */
export function expectCount(item: Item | undefined): number {
  return expect(
    item,
    "a count",
    (value): value is number =>
      Number.isSafeInteger(value) && Number(value) >= 0,
  );
}

/** An argument that is a list of counts, one for each axis of an array: sizes or strides. */
export function expectShape(item: Item | undefined): number[] {
  const counts = expectList(item);
  if (counts.length > MAX_AXES) {
    throw new WeightsError(
      `An array has the impossible number of ${counts.length} axes: the file is damaged.`,
    );
  }
  return counts.map(expectCount);
}

/** An argument that is bytes; Python 2 has them as strings. */
export function expectBytes(item: Item | undefined): ByteRange {
  if (item instanceof ByteString) return item.bytes;
  return expect(
    item,
    "bytes",
    (value): value is ByteRange => value instanceof ByteRange,
  );
}

/** The name of an argument that is a class or function. */
export function expectName(item: Item | undefined): string {
  return expect(
    item,
    "a class",
    (value): value is PythonName => value instanceof PythonName,
  ).name;
}

const list: Constructor = ([items], { budget }) => {
  const copy = items === undefined ? [] : [...iterate(items)];
  budget.spend("instructions", copy.length);
  return copy;
};

const set: Constructor = ([items], { budget }) => {
  const copy = new Set(items === undefined ? [] : iterate(items));
  budget.spend("instructions", copy.size);
  return copy;
};

/** dict(), OrderedDict() and their kin: from nothing, from pairs or from another dict. */
const dict: Constructor = ([items], { budget }) => {
  const pairs = items === undefined ? [] : [...iterate(items)];
  budget.spend("instructions", pairs.length);
  return new Map(pairs.map((pair) => {
    const [key, value] = expectList(pair);
    return [resolve(key ?? null), value ?? null];
  }));
};

function* iterate(item: Item): Iterable<Value> {
  const value = resolve(item);
  if (Array.isArray(value) || value instanceof Set) yield* value;
  else for (const pair of expectDict(value)) yield pair;
}

/** Python 3 writes bytes for protocol 2 as text with one character per byte. */
const encode: Constructor = ([text, encoding], { budget }) => {
  const characters = expectText(text);
  if (!/^latin-?1$/i.test(expectText(encoding))) {
    throw new WeightsError(
      `Bytes are written as text in ${expectText(encoding)}, which is unknown.`,
    );
  }
  budget.spend("bytes of text", characters.length);
  return ByteRange.of(Buffer.from(characters, "latin1"));
};

const bytes: Constructor = (args, call) =>
  args.length === 0
    ? ByteRange.of(new Uint8Array(0))
    : args.length === 1
    ? expectBytes(args[0])
    : encode(args, call);

/** How protocols 0 and 1 make objects: class, base class, state of the base. */
const reconstructor: Constructor = ([type, , state = null], call) =>
  call.instantiate(expectName(type), resolve(state) === null ? [] : [state]);

const BUILTINS: Record<string, Constructor> = {
  set,
  frozenset: set,
  list,
  tuple: list,
  dict,
  bytes,
  bytearray: bytes,
  object: () => new PythonObject("object"),
  complex: (args) => new PythonObject("complex", args.map(resolve)),
  slice: (args) => new PythonObject("slice", args.map(resolve)),
};

/** Python's own. */
export const PYTHON: Constructors = {
  calls: new Map<string, Constructor>([
    ...["builtins", "__builtin__"].flatMap((module) =>
      Object.entries(BUILTINS).map(([name, make]) =>
        [`${module}.${name}`, make] as const
      )
    ),
    ...["copyreg", "copy_reg"].map((module) =>
      [`${module}._reconstructor`, reconstructor] as const
    ),
    ["collections.OrderedDict", dict],
    ["collections.Counter", dict],
    ["collections.defaultdict", ([, ...items], call) => dict(items, call)],
    ["collections.deque", list],
    ["_codecs.encode", encode],
    ["dnnlib.util.EasyDict", dict],
    ["dnnlib.EasyDict", dict],
    ["easydict.EasyDict", dict],
  ]),
  states: new Map(),
};
