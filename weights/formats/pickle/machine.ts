/**
 * @file Python's pickle machine, protocols 0 to 5, without Python: instructions push values, collect them and call
 * constructors by name. Only the constructors of the given tables are ever called; classes outside them become plain
 * data. Nesting costs no stack here, and the number of instructions and objects is limited.
 * Source: the descriptions of the opcodes in CPython's Lib/pickletools.py.
 */
import { WeightsError } from "../../errors.ts";
import type { ByteRange } from "../byte_range.ts";
import type { Budget } from "./budget.ts";
import {
  type Call,
  type Constructors,
  expectDict,
  expectList,
  expectName,
  expectText,
} from "./constructors.ts";
import { Cursor } from "./cursor.ts";
import { type Item, Pending, resolve } from "./items.ts";
import { INSTRUCTIONS, STOP } from "./opcodes.ts";
import {
  keyText,
  MAX_NAME,
  PythonName,
  PythonObject,
  typeName,
  type Value,
} from "./values.ts";

/** What beginning a pickle costs, in instructions: files may hold very many tiny ones. */
const START_COST = 100;

/** What reading one pickle needs to know. */
export interface PickleOptions {
  /** The file's name, and where in it, for messages. */
  readonly source: string;
  /** Limits, shared by all pickles of a file. */
  readonly budget: Budget;
  /** What may be called. */
  readonly constructors: Constructors;
  /** Finds what a persistent id stands for, such as a tensor's storage. */
  readonly persistent?: (id: Value) => Item;
  /** Reads what `torch.save` wrote inside this pickle. */
  readonly loadTorch?: (bytes: ByteRange) => Item;
}

/** A pickle's content. Its items are not settled yet: see `settle`. */
export interface PickleContent {
  /** The object. */
  readonly item: Item;
  /** Where the next thing in the file begins. */
  readonly end: number;
}

/**
 * Reads one pickle, which begins at `start`.
 * @throws {WeightsError} When it is damaged, asks for too much or calls what is not in the tables; the message says
 * which, and at which byte.
 */
export function readPickle(
  bytes: ByteRange,
  options: PickleOptions,
  start = 0,
): PickleContent {
  options.budget.spend("instructions", START_COST);
  const machine = new PickleMachine(bytes, options, start);
  return { item: machine.run(), end: machine.cursor.position };
}

/** The state of a pickle while it is read; the instructions of `opcodes.ts` work on it. */
export class PickleMachine implements Call {
  /** What is read next. */
  readonly cursor: Cursor;
  /** Limits. */
  readonly budget: Budget;
  readonly #options: PickleOptions;
  readonly #memo = new Map<number, Item>();
  /** Values since the last mark. */
  #stack: Item[] = [];
  /** Those before each mark that is still open. */
  readonly #below: Item[][] = [];

  /** Begins at `start`. */
  constructor(bytes: ByteRange, options: PickleOptions, start: number) {
    this.cursor = new Cursor(bytes, options.source, start);
    this.budget = options.budget;
    this.#options = options;
  }

  /** Runs to the end and gives the object. */
  run(): Item {
    for (;;) {
      const begin = this.cursor.position;
      const opcode = this.cursor.u8();
      if (opcode === STOP) return this.pop();
      const instruction = INSTRUCTIONS[opcode];
      if (!instruction) {
        throw this.cursor.broken(`there is no instruction ${opcode}`, begin);
      }
      this.budget.spend("instructions");
      try {
        instruction(this);
      } catch (error) {
        throw this.#placed(error, begin);
      }
    }
  }

  /** Puts a value on the stack. */
  push(item: Item): void {
    this.#stack.push(item);
  }

  /** Takes the topmost value. */
  pop(): Item {
    const item = this.#stack.pop();
    if (item === undefined) throw this.cursor.broken("a value is missing");
    return item;
  }

  /** The topmost value. */
  top(): Item {
    const item = this.#stack.at(-1);
    if (item === undefined) throw this.cursor.broken("a value is missing");
    return item;
  }

  /** Begins to collect. */
  mark(): void {
    this.budget.spend("containers");
    this.#below.push(this.#stack);
    this.#stack = [];
  }

  /** Takes what was collected since the last mark. */
  collected(): Item[] {
    const items = this.#stack;
    const below = this.#below.pop();
    if (!below) throw this.cursor.broken("a mark is missing");
    this.#stack = below;
    return items;
  }

  /** Drops the topmost value, or the last mark when nothing lies above it. */
  drop(): void {
    if (this.#stack.length > 0) this.#stack.pop();
    else this.collected();
  }

  /** Remembers the topmost value under a number. */
  remember(index: number = this.#memo.size): void {
    this.#memo.set(index, this.top());
  }

  /** Pushes what is remembered under a number. */
  recall(index: number): void {
    const item = this.#memo.get(index);
    if (item === undefined) {
      throw this.cursor.broken(`nothing is remembered under ${index}`);
    }
    this.push(item);
  }

  /** Pushes a new container. */
  container(value: Item): void {
    this.budget.spend("containers");
    this.push(value);
  }

  /** Calls a constructor by its name on the stack. */
  reduce(): void {
    const args = expectList(this.pop());
    this.container(this.invoke(expectName(this.pop()), args));
  }

  /** Calls a constructor, which has to be in the tables. */
  invoke(name: string, args: readonly Item[]): Item {
    const { calls, states } = this.#options.constructors;
    const make = calls.get(name);
    // Constructors copy their arguments, which may be remembered and given to many.
    this.budget.spend("instructions", args.length);
    if (make) return make(args, this) ?? null;
    if (states.has(name)) return this.instantiate(name, args);
    throw new WeightsError(
      `it calls ${name}, which is not among the constructors that are known to be harmless data`,
    );
  }

  /** Makes an object of a class without calling anything that is not in the tables. */
  instantiate(name: string, args: readonly Item[]): Item {
    const { calls, states } = this.#options.constructors;
    this.budget.spend("instructions", args.length);
    if (states.has(name)) return new Pending(name, args);
    const make = calls.get(name);
    return make
      ? make(args, this) ?? null
      : new PythonObject(name, args as Value[]);
  }

  /** Reads what `torch.save` wrote, where it lies inside this pickle. */
  loadTorch(bytes: ByteRange): Item {
    if (this.#options.loadTorch) return this.#options.loadTorch(bytes);
    throw new WeightsError("it holds tensors in a place where none belong");
  }

  /** Pushes what a persistent id stands for. */
  persistent(id: Item): void {
    if (!this.#options.persistent) {
      throw this.cursor.broken("it refers to something outside of it");
    }
    this.push(this.#options.persistent(resolve(id)));
  }

  /** Pushes a class or function by its name; nothing is looked up. */
  name(module: Item, name: Item): void {
    const [path, last] = [expectText(module), expectText(name)];
    const length = path.length + 1 + last.length;
    if (length > MAX_NAME) {
      throw new WeightsError(`there is a name of ${length} letters`);
    }
    this.push(new PythonName(`${path}.${last}`));
  }

  /** Sets the state of the object below the topmost value. */
  build(): void {
    const state = this.pop();
    const object = this.top();
    if (object instanceof Pending) {
      const set = this.#options.constructors.states.get(object.name);
      if (set) set(object, state, this);
    } else if (object instanceof PythonObject) this.#setState(object, state);
  }

  /** Adds to a list. */
  append(items: Item[]): void {
    const target = resolve(this.top());
    const list = target instanceof PythonObject
      ? target.items
      : expectList(target);
    for (const item of items) list.push(item as Value);
  }

  /** Adds keys and values, in turn, to a dict. */
  setItems(items: Item[]): void {
    const target = resolve(this.top());
    const dict = target instanceof PythonObject
      ? target.entries
      : expectDict(target);
    if (items.length % 2) throw this.cursor.broken("a key has no value");
    for (let k = 0; k < items.length; k += 2) {
      dict.set(resolve(items[k]), items[k + 1] as Value);
    }
  }

  /** Adds to a set. */
  addItems(items: Item[]): void {
    const set = resolve(this.top());
    if (!(set instanceof Set)) {
      throw this.cursor.broken(`${typeName(set)} is treated as a set`);
    }
    for (const item of items) set.add(resolve(item));
  }

  /** Attributes are a dict, or a pair of dicts where a class has slots; what else a class may take is kept as it is. */
  #setState(object: PythonObject, state: Item): void {
    const value = resolve(state);
    const parts = Array.isArray(value) && value.length === 2 ? value : [value];
    if (!parts.every((part) => part === null || part instanceof Map)) {
      object.state = value;
      return;
    }
    for (const part of parts) {
      this.budget.spend("instructions", part?.size ?? 0);
      for (const [name, attribute] of part ?? []) {
        object.attributes.set(keyText(name), attribute);
      }
    }
  }

  /** An error of a constructor, with the place of the instruction that called it. */
  #placed(error: unknown, begin: number): unknown {
    const { source } = this.#options;
    if (!(error instanceof WeightsError) || error.message.includes(source)) {
      return error;
    }
    const why = error.message.replace(/\.$/, "");
    return this.cursor.broken(
      why.charAt(0).toLowerCase() + why.slice(1),
      begin,
    );
  }
}
