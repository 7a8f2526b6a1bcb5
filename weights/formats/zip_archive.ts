/**
 * @file ZIP archives: PyTorch's checkpoints and NumPy's `.npz` are some. An entry's bytes are read when they are asked
 * for, and nothing is ever written to a path that an archive names.
 */
import { constants, crc32, inflateRawSync } from "node:zlib";
import { WeightsError } from "../errors.ts";
import { ByteRange } from "./byte_range.ts";
import {
  quoteName,
  readZipDirectory,
  STORED,
  type ZipFile,
  type ZipHeader,
} from "./zip_directory.ts";

/** One file of an archive. */
export interface ZipEntry {
  /** Its path inside the archive. */
  readonly name: string;
  /** Number of bytes when it is unpacked. */
  readonly length: number;
  /** How many of them opening it takes in memory: none where they are stored. */
  readonly unpacked: number;
  /**
   * Its bytes. They lie in the file where they are stored; what is compressed is unpacked into memory.
   * @throws {WeightsError} When it is damaged or unpacks to more than a gigabyte.
   */
  open(): ByteRange;
  /** Its first bytes, at most `count`, without unpacking the rest. */
  head(count: number): Uint8Array;
}

const LOCAL_HEADER = 0x04034b50;
const MAX_UNPACKED_BYTES = 2 ** 30;
/** An entry that is read to its end from here or before is checked as a whole. */
const CHECKED_BEGIN = 1 << 16;

/** Whether the bytes begin as an archive does. */
export function isZip(bytes: ByteRange): boolean {
  return bytes.length >= 22 &&
    bytes.slice(0, 4).bytes().toHex() === "504b0304";
}

/**
 * The entries of an archive by name, folders left out.
 * @throws {WeightsError} When it is cut short, damaged, or tries tricks: names that lead outside, entries that overlap.
 */
export function readZip(
  bytes: ByteRange,
  source: string,
): ReadonlyMap<string, ZipEntry> {
  const broken = (why: string) =>
    new WeightsError(`${source} is not a valid archive: ${why}.`);
  const view = (begin: number, end: number): DataView => {
    if (!(begin <= end && end <= bytes.length)) {
      throw broken(
        `it refers to bytes ${begin} to ${end} of ${bytes.length} (is it cut short?)`,
      );
    }
    const part = bytes.slice(begin, end).bytes();
    return new DataView(part.buffer, part.byteOffset, part.byteLength);
  };
  const file: ZipFile = { length: bytes.length, view, broken };
  return new Map(
    readZipDirectory(file).filter(({ name }) => !name.endsWith("/"))
      .map((header) => [header.name, new Entry(bytes, file, header)]),
  );
}

class Entry implements ZipEntry {
  readonly name: string;
  readonly length: number;
  readonly unpacked: number;
  /** What was unpacked last, as long as somebody uses it. */
  #cache?: WeakRef<Uint8Array>;
  readonly #bytes: ByteRange;
  readonly #file: ZipFile;
  readonly #header: ZipHeader;

  constructor(bytes: ByteRange, file: ZipFile, header: ZipHeader) {
    this.name = header.name;
    this.length = header.length;
    this.unpacked = header.method === STORED ? 0 : header.length;
    this.#bytes = bytes;
    this.#file = file;
    this.#header = header;
  }

  open(): ByteRange {
    return this.#header.method === STORED ? this.#stored() : this.#unpacked();
  }

  head(count: number): Uint8Array {
    const packed = this.#packed();
    if (this.#header.method === STORED) {
      return packed.slice(0, Math.min(count, packed.length)).bytes();
    }
    // Deflate never takes more than a few bytes beyond the bytes themselves.
    const begin = packed.slice(0, Math.min(count + 64, packed.length));
    return this.#inflate(begin, constants.Z_SYNC_FLUSH).subarray(0, count);
  }

  /** The bytes as they lie in the file, behind the entry's own header. */
  #packed(): ByteRange {
    const { offset, packed } = this.#header;
    const local = this.#file.view(offset, offset + 30);
    if (local.getUint32(0, true) !== LOCAL_HEADER) {
      throw this.#broken("has no header");
    }
    const begin = offset + 30 + local.getUint16(26, true) +
      local.getUint16(28, true);
    if (begin + packed > this.#bytes.length) {
      throw this.#broken("reaches beyond the end (is it cut short?)");
    }
    return this.#bytes.slice(begin, begin + packed);
  }

  #stored(): ByteRange {
    const packed = this.#packed();
    const read = (begin: number, end: number): Uint8Array => {
      const bytes = packed.slice(begin, end).bytes();
      if (end === packed.length && begin <= CHECKED_BEGIN) {
        const before = crc32(packed.slice(0, begin).bytes());
        this.#checkSum(crc32(bytes, before));
      }
      return bytes;
    };
    return new ByteRange({ length: packed.length, read });
  }

  #unpacked(): ByteRange {
    const cached = this.#cache?.deref();
    if (cached) return ByteRange.of(cached);
    if (this.length > MAX_UNPACKED_BYTES) {
      throw this.#broken(
        `unpacks to ${this.length} bytes, more than the gigabyte that is allowed; store it without compression`,
      );
    }
    const bytes = this.#inflate(this.#packed(), constants.Z_FINISH);
    if (bytes.length !== this.length) {
      throw this.#broken(
        `unpacks to ${bytes.length} bytes instead of ${this.length}`,
      );
    }
    this.#checkSum(crc32(bytes));
    this.#cache = new WeakRef(bytes);
    return ByteRange.of(bytes);
  }

  #inflate(packed: ByteRange, finishFlush: number): Uint8Array {
    try {
      return inflateRawSync(packed.bytes(), {
        finishFlush,
        maxOutputLength: Math.max(1, this.length),
      });
    } catch (error) {
      if (error instanceof WeightsError) throw error;
      throw this.#broken("cannot be unpacked (is it damaged?)");
    }
  }

  #checkSum(found: number): void {
    if (found !== this.#header.crc) {
      throw this.#broken("has a wrong checksum (is it damaged?)");
    }
  }

  #broken(why: string): WeightsError {
    return this.#file.broken(`its entry ${quoteName(this.name)} ${why}`);
  }
}
