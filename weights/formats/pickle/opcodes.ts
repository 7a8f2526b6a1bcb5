/** @file What each instruction of a pickle does. Names as in CPython's Lib/pickletools.py. */
import { WeightsError } from "../../errors.ts";
import { ByteRange } from "../byte_range.ts";
import { expectList, expectName } from "./constructors.ts";
import { ByteString, type Item, latin1, resolve } from "./items.ts";
import type { PickleMachine } from "./machine.ts";
import { narrow } from "./numpy_dtype.ts";
import type { Value } from "./values.ts";

/** Ends a pickle. */
export const STOP: number = ".".charCodeAt(0);

/** A whole number of more bytes is not a number that weights have. */
const MAX_LONG_BYTES = 1024;

type Instruction = (machine: PickleMachine) => void;

const NUMBERS: Record<string, Instruction> = {
  N: (m) => m.push(null),
  "\x88": (m) => m.push(true),
  "\x89": (m) => m.push(false),
  J: (m) => m.push(m.cursor.i32()),
  K: (m) => m.push(m.cursor.u8()),
  M: (m) => m.push(m.cursor.u16()),
  G: (m) => m.push(m.cursor.f64()),
  "\x8a": (m) => m.push(long(m, m.cursor.u8())),
  "\x8b": (m) => m.push(long(m, m.cursor.u32())),
  I: (m) => {
    const text = line(m);
    m.push(text === "00" ? false : text === "01" ? true : integer(m, text));
  },
  L: (m) => m.push(integer(m, line(m).replace(/L$/, ""))),
  F: (m) => {
    const text = line(m);
    const named: Record<string, number> = {
      nan: NaN,
      inf: Infinity,
      "-inf": -Infinity,
    };
    const number = Object.hasOwn(named, text) ? named[text] : Number(text);
    if (Number.isNaN(number) && text !== "nan") {
      throw m.cursor.broken("there is a float that is no number");
    }
    m.push(number);
  },
};

const TEXTS: Record<string, Instruction> = {
  X: (m) => m.push(text(m, m.cursor.u32())),
  "\x8c": (m) => m.push(text(m, m.cursor.u8())),
  "\x8d": (m) => m.push(text(m, m.cursor.u64())),
  V: (m) => m.push(rawUnicode(line(m))),
  T: (m) => m.push(new ByteString(m.cursor.range(m.cursor.u32()))),
  U: (m) => m.push(new ByteString(m.cursor.range(m.cursor.u8()))),
  S: (m) => m.push(quoted(m, line(m))),
  B: (m) => m.push(m.cursor.range(m.cursor.u32())),
  C: (m) => m.push(m.cursor.range(m.cursor.u8())),
  "\x8e": (m) => m.push(m.cursor.range(m.cursor.u64())),
  "\x96": (m) => m.push(m.cursor.range(m.cursor.u64())),
};

const CONTAINERS: Record<string, Instruction> = {
  "(": (m) => m.mark(),
  ")": (m) => m.container([]),
  "\x85": (m) => m.container(popped(m, 1)),
  "\x86": (m) => m.container(popped(m, 2)),
  "\x87": (m) => m.container(popped(m, 3)),
  t: (m) => m.container(m.collected() as Value[]),
  "]": (m) => m.container([]),
  l: (m) => m.container(m.collected() as Value[]),
  a: (m) => m.append([m.pop()]),
  e: (m) => m.append(m.collected()),
  "}": (m) => m.container(new Map()),
  d: (m) => {
    const items = m.collected();
    m.container(new Map());
    m.setItems(items);
  },
  s: (m) => {
    const value = m.pop();
    m.setItems([m.pop(), value]);
  },
  u: (m) => m.setItems(m.collected()),
  "\x8f": (m) => m.container(new Set()),
  "\x90": (m) => m.addItems(m.collected()),
  "\x91": (m) => {
    const items = m.collected();
    m.container(new Set(items.map(resolve)));
  },
};

const STACK: Record<string, Instruction> = {
  "0": (m) => m.drop(),
  "1": (m) => void m.collected(),
  "2": (m) => m.push(m.top()),
  g: (m) => m.recall(Number(line(m))),
  h: (m) => m.recall(m.cursor.u8()),
  j: (m) => m.recall(m.cursor.u32()),
  p: (m) => m.remember(Number(line(m))),
  q: (m) => m.remember(m.cursor.u8()),
  r: (m) => m.remember(m.cursor.u32()),
  "\x94": (m) => m.remember(),
};

const OBJECTS: Record<string, Instruction> = {
  c: (m) => m.name(line(m), line(m)),
  "\x93": (m) => {
    const name = m.pop();
    m.name(m.pop(), name);
  },
  R: (m) => m.reduce(),
  b: (m) => m.build(),
  "\x81": (m) => {
    const args = expectList(m.pop());
    m.container(m.instantiate(expectName(m.pop()), args));
  },
  "\x92": (m) => {
    m.pop();
    const args = expectList(m.pop());
    m.container(m.instantiate(expectName(m.pop()), args));
  },
  i: (m) => {
    m.name(line(m), line(m));
    const type = m.pop();
    old(m, type, m.collected());
  },
  o: (m) => {
    const [type, ...args] = m.collected();
    old(m, type ?? null, args);
  },
  P: (m) => m.persistent(line(m)),
  Q: (m) => m.persistent(m.pop()),
};

const FRAMING: Record<string, Instruction> = {
  "\x80": (m) => {
    const protocol = m.cursor.u8();
    if (protocol > 5) {
      throw m.cursor.broken(`it is of protocol ${protocol}, but 5 is the last`);
    }
  },
  // Frames only help to read ahead; what lies in them is read the same way.
  "\x95": (m) => void m.cursor.u64(),
  "\x82": unsupported("the extension registry"),
  "\x83": unsupported("the extension registry"),
  "\x84": unsupported("the extension registry"),
  "\x97": unsupported("buffers outside of the file"),
  "\x98": () => {},
};

/** Instructions by their byte. */
export const INSTRUCTIONS: readonly (Instruction | undefined)[] = table();

function table(): (Instruction | undefined)[] {
  const all = {
    ...NUMBERS,
    ...TEXTS,
    ...CONTAINERS,
    ...STACK,
    ...OBJECTS,
    ...FRAMING,
  };
  const byByte = new Array<Instruction | undefined>(256).fill(undefined);
  for (const [code, instruction] of Object.entries(all)) {
    byByte[code.charCodeAt(0)] = instruction;
  }
  return byByte;
}

function unsupported(what: string): Instruction {
  return () => {
    throw new WeightsError(`it uses ${what}, which checkpoints do not`);
  };
}

function popped(m: PickleMachine, count: number): Value[] {
  const items: Item[] = [];
  for (let k = 0; k < count; k++) items.unshift(m.pop());
  return items as Value[];
}

function text(m: PickleMachine, count: number): string {
  m.cursor.require(count);
  m.budget.spend("bytes of text", count);
  return m.cursor.text(count);
}

function line(m: PickleMachine): string {
  const bytes = m.cursor.line();
  m.budget.spend("bytes of text", bytes.length);
  return latin1(bytes).replace(/\r$/, "");
}

/** A whole number, low byte first, in two's complement. */
function long(m: PickleMachine, count: number): number | bigint {
  if (count > MAX_LONG_BYTES) {
    throw m.cursor.broken(`there is a whole number of ${count} bytes`);
  }
  if (count === 0) return 0;
  const bytes = m.cursor.range(count).bytes();
  const digits = bytes.toReversed().toHex();
  return narrow(BigInt.asIntN(8 * count, BigInt(`0x${digits}`)));
}

function integer(m: PickleMachine, text: string): number | bigint {
  if (!/^[+-]?\d{1,1000}$/.test(text)) {
    throw m.cursor.broken("there is a whole number that is none");
  }
  return narrow(BigInt(text));
}

/** Text of protocol 0: Latin-1, with \uXXXX and \UXXXXXXXX for the rest. */
function rawUnicode(text: string): string {
  return text.replace(
    /\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g,
    (whole, short, long) => {
      const point = parseInt(short ?? long, 16);
      return point > 0x10ffff ? whole : String.fromCodePoint(point);
    },
  );
}

const ESCAPES: Record<string, string> = {
  n: "\n",
  r: "\r",
  t: "\t",
  a: "\x07",
  b: "\b",
  f: "\f",
  v: "\v",
};

/** A string of protocol 0, as Python's repr writes it. */
function quoted(m: PickleMachine, text: string): ByteString {
  const inner = /^(['"])(.*)\1$/s.exec(text)?.[2];
  if (inner === undefined) {
    throw m.cursor.broken("there is a string without quotes");
  }
  const plain = inner.replace(
    /\\(?:x([0-9a-fA-F]{2})|([0-7]{1,3})|(.))/gs,
    (_, hex, octal, other) =>
      hex !== undefined
        ? String.fromCharCode(parseInt(hex, 16))
        : octal !== undefined
        ? String.fromCharCode(parseInt(octal, 8) & 255)
        : ESCAPES[other] ?? other,
  );
  return new ByteString(
    ByteRange.of(Uint8Array.from(plain, (c) => c.charCodeAt(0))),
  );
}

/** An object of an old-style class: made without arguments it is plain data, with them a call. */
function old(m: PickleMachine, type: Item, args: Item[]): void {
  const name = expectName(type);
  m.container(
    args.length === 0 ? m.instantiate(name, args) : m.invoke(name, args),
  );
}
