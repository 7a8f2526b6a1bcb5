/** @file Reads a pickle from front to back, in pieces: what lies in it as large bytes is passed over, not loaded. */
import { WeightsError } from "../../errors.ts";
import type { ByteRange } from "../byte_range.ts";
import { concatenate } from "../tfjs_weights.ts";

/** Loaded at a time. */
const PIECE = 1 << 14;
/** The longest line of a text opcode. */
const MAX_LINE = 1 << 27;

/** A position in a range of bytes. */
export class Cursor {
  /** Where the next byte is read. */
  position: number;
  readonly #range: ByteRange;
  readonly #source: string;
  #piece = new Uint8Array(0);
  #view = new DataView(new ArrayBuffer(0));
  #pieceBegin = 0;

  /** Begins at `position` of `range`; `source` names the file in messages. */
  constructor(range: ByteRange, source: string, position = 0) {
    this.#range = range;
    this.#source = source;
    this.position = position;
  }

  /** An error that says where it happened. */
  broken(why: string, position: number = this.position): WeightsError {
    return new WeightsError(
      `${this.#source} cannot be read: ${why} at byte ${position}.`,
    );
  }

  /** A byte. */
  u8(): number {
    const at = this.#take(1);
    return this.#piece[at];
  }

  /** Two bytes, unsigned. */
  u16(): number {
    const at = this.#take(2);
    return this.#view.getUint16(at, true);
  }

  /** Four bytes, unsigned. */
  u32(): number {
    const at = this.#take(4);
    return this.#view.getUint32(at, true);
  }

  /** Four bytes, signed. */
  i32(): number {
    const at = this.#take(4);
    return this.#view.getInt32(at, true);
  }

  /** Eight bytes, unsigned; what is beyond 2^53 is rounded, which no length of a file is. */
  u64(): number {
    const at = this.#take(8);
    return Number(this.#view.getBigUint64(at, true));
  }

  /** A float64 with its high byte first. */
  f64(): number {
    const at = this.#take(8);
    return this.#view.getFloat64(at, false);
  }

  /** The next `count` bytes, passed over. */
  range(count: number): ByteRange {
    this.require(count);
    const range = this.#range.slice(this.position, this.position + count);
    this.position += count;
    return range;
  }

  /** The next `count` bytes as UTF-8. */
  text(count: number): string {
    const begin = this.position;
    let bytes: Uint8Array;
    if (count <= PIECE) {
      const at = this.#take(count);
      bytes = this.#piece.subarray(at, at + count);
    } else bytes = this.range(count).bytes();
    try {
      return UTF8.decode(bytes);
    } catch {
      throw this.broken("there is text that is not UTF-8", begin);
    }
  }

  /** The bytes up to the next line feed, which is passed over. */
  line(): Uint8Array {
    const begin = this.position;
    const parts: Uint8Array[] = [];
    for (;;) {
      const at = this.#take(1);
      const feed = this.#piece.indexOf(0x0a, at);
      const end = feed < 0 ? this.#piece.length : feed;
      parts.push(this.#piece.subarray(at, end));
      this.position = this.#pieceBegin + end + (feed < 0 ? 0 : 1);
      if (feed >= 0) return concatenate(parts);
      if (this.position - begin > MAX_LINE) {
        throw this.broken("there is a line without end", begin);
      }
    }
  }

  /** Where `count` bytes begin in the piece that is loaded. */
  #take(count: number): number {
    let at = this.position - this.#pieceBegin;
    if (at < 0 || at + count > this.#piece.length) {
      this.require(count);
      const end = Math.min(this.position + PIECE, this.#range.length);
      this.#piece = this.#range.slice(this.position, end)
        .bytes() as Uint8Array<ArrayBuffer>;
      const { buffer, byteOffset, byteLength } = this.#piece;
      this.#view = new DataView(buffer, byteOffset, byteLength);
      this.#pieceBegin = this.position;
      at = 0;
    }
    this.position += count;
    return at;
  }

  /** Makes sure that `count` more bytes are there. */
  require(count: number): void {
    const left = this.#range.length - this.position;
    if (count <= left) return;
    throw this.broken(
      count < 16
        ? "it ends (is it cut short?)"
        : `${count} bytes are announced, but ${left} follow (is it cut short?)`,
    );
  }
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
