/** Writes pickles, so that tests need neither Python nor anybody's files. */

import { Buffer } from "node:buffer";

/** What can be pickled: JavaScript's values (arrays are tuples, maps are dicts) and what Python has besides. */
export type Node =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | Node[]
  | Map<Node, Node>
  | { readonly list: Node[] }
  | { readonly name: string }
  | { readonly call: string; readonly args: Node[]; readonly state?: Node }
  | { readonly create: string; readonly args?: Node[]; readonly state?: Node }
  | { readonly persistent: Node }
  | { readonly opcodes: Uint8Array | string };

/** A dict of these entries. */
export function dict(entries: Readonly<Record<string, Node>>): Node {
  return new Map<Node, Node>(Object.entries(entries));
}

/** A pickle of protocol 2 (or another that has these opcodes) with everything written out, nothing remembered. */
export function pickle(node: Node, protocol = 2): Uint8Array<ArrayBuffer> {
  const writer = new PickleWriter();
  writer.bytes(0x80, protocol);
  writer.node(node);
  writer.text(".");
  return concat(writer.parts);
}

/** All parts, one after the other. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A little-endian integer of so many bytes. */
export function le(value: number | bigint, width: 2 | 4 | 8): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes.subarray(0, width);
}

/** A text as one byte per character. */
export function ascii(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

class PickleWriter {
  readonly parts: Uint8Array[] = [];

  bytes(...bytes: number[]): void {
    this.parts.push(Uint8Array.from(bytes));
  }

  text(opcodes: string): void {
    this.parts.push(ascii(opcodes));
  }

  node(node: Node): void {
    if (node === null) this.text("N");
    else if (typeof node === "boolean") this.bytes(node ? 0x88 : 0x89);
    else if (typeof node === "number") this.#number(node);
    else if (typeof node === "string") this.#unicode(node);
    else if (node instanceof Uint8Array) {
      this.text("B");
      this.parts.push(le(node.length, 4), node);
    } else if (Array.isArray(node)) this.#collect(node, "t");
    else if (node instanceof Map) {
      this.text("}");
      this.#collect([...node].flat(), "u");
    } else this.#object(node);
  }

  #object(node: Extract<Node, object>): void {
    if ("list" in node) {
      this.text("]");
      this.#collect(node.list, "e");
    } else if ("name" in node) this.#name(node.name);
    else if ("opcodes" in node) {
      this.parts.push(
        typeof node.opcodes === "string" ? ascii(node.opcodes) : node.opcodes,
      );
    } else if ("persistent" in node) {
      this.node(node.persistent);
      this.text("Q");
    } else if ("call" in node) {
      this.#made(node.call, node.args, "R", node.state);
    } else if ("create" in node) {
      this.#made(node.create, node.args ?? [], "\x81", node.state);
    }
  }

  #made(name: string, args: Node[], opcode: string, state?: Node): void {
    this.#name(name);
    this.node(args);
    this.text(opcode);
    if (state === undefined) return;
    this.node(state);
    this.text("b");
  }

  #name(name: string): void {
    const dot = name.lastIndexOf(".");
    this.text(`c${name.slice(0, dot)}\n${name.slice(dot + 1)}\n`);
  }

  #collect(items: readonly Node[], opcode: string): void {
    this.text("(");
    for (const item of items) this.node(item);
    this.text(opcode);
  }

  #unicode(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.text("X");
    this.parts.push(le(bytes.length, 4), bytes);
  }

  #number(number: number): void {
    if (Number.isInteger(number) && Math.abs(number) < 2 ** 31) {
      this.text("J");
      this.parts.push(le(number >>> 0, 4));
      return;
    }
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, number, false);
    this.text("G");
    this.parts.push(bytes);
  }
}
