/**
 * @file The list of entries at the end of a ZIP archive, read with suspicion: places and sizes from it index the file.
 * Source: PKWARE's APPNOTE.TXT 6.3 (end record 4.3.16, ZIP64 4.3.14 and 4.5.3, central header 4.3.12).
 */
import type { WeightsError } from "../errors.ts";

/** What the list says of an entry. */
export interface ZipHeader {
  /** Its path inside the archive. */
  readonly name: string;
  /** 0: stored, 8: deflated. */
  readonly method: number;
  /** Checksum of its bytes. */
  readonly crc: number;
  /** Number of bytes in the archive. */
  readonly packed: number;
  /** Number of bytes when it is unpacked. */
  readonly length: number;
  /** Where its own header lies. */
  readonly offset: number;
}

/** Access to the archive. */
export interface ZipFile {
  /** Number of bytes. */
  readonly length: number;
  /** Bytes `begin` to `end`; throws when they are not there. */
  view(begin: number, end: number): DataView;
  /** Words an error about the archive. */
  broken(why: string): WeightsError;
}

/** Methods that can be unpacked. */
export const STORED = 0;
/** See {@linkcode STORED}. */
export const DEFLATED = 8;

const END_RECORD = 0x06054b50;
const ZIP64_LOCATOR = 0x07064b50;
const ZIP64_END_RECORD = 0x06064b50;
const CENTRAL_HEADER = 0x02014b50;
/** An end record, with the longest comment that may follow it. */
const MAX_END_BYTES = 22 + 0xffff;
const MAX_ENTRIES = 200_000;
const MAX_DIRECTORY_BYTES = 2 ** 26;
/** Deflate cannot do better than 258 bytes in two bits. */
const MAX_RATIO = 1032;

/**
 * Reads the list of entries.
 * @throws {WeightsError} When it is missing or damaged, a name leads outside, or entries overlap.
 */
export function readZipDirectory(file: ZipFile): ZipHeader[] {
  const { count, offset, length } = findDirectory(file);
  if (count > MAX_ENTRIES || length > MAX_DIRECTORY_BYTES) {
    throw file.broken(`it lists ${count} entries in ${length} bytes`);
  }
  const view = file.view(offset, offset + length);
  const headers: ZipHeader[] = [];
  for (let at = 0; headers.length < count;) {
    const end = headerEnd(view, at);
    if (end === undefined) throw file.broken("its list of entries is damaged");
    headers.push(readHeader(view, at, file));
    at = end;
  }
  checkNames(headers, file);
  checkOverlaps(headers, offset, file);
  return headers;
}

/** From the end record, or the larger one of ZIP64 where a field of it is full. */
function findDirectory(
  file: ZipFile,
): { count: number; offset: number; length: number } {
  const begin = Math.max(0, file.length - MAX_END_BYTES);
  const tail = file.view(begin, file.length);
  let at = tail.byteLength - 22;
  while (at >= 0 && tail.getUint32(at, true) !== END_RECORD) at--;
  if (at < 0) {
    throw file.broken("its list of entries is missing (is it cut short?)");
  }
  const directory = {
    count: tail.getUint16(at + 10, true),
    length: tail.getUint32(at + 12, true),
    offset: tail.getUint32(at + 16, true),
  };
  const full = directory.count === 0xffff ||
    directory.length === 0xffffffff || directory.offset === 0xffffffff;
  const locator = at - 20;
  const is64 = full && locator >= 0 &&
    tail.getUint32(locator, true) === ZIP64_LOCATOR;
  if (!is64) return directory;
  const place = Number(tail.getBigUint64(locator + 8, true));
  const record = file.view(place, place + 56);
  if (record.getUint32(0, true) !== ZIP64_END_RECORD) {
    throw file.broken("its large end record is missing");
  }
  return {
    count: Number(record.getBigUint64(32, true)),
    length: Number(record.getBigUint64(40, true)),
    offset: Number(record.getBigUint64(48, true)),
  };
}

/** Where the header at `at` ends; undefined when there is none. */
function headerEnd(view: DataView, at: number): number | undefined {
  const fixed = at + 46;
  if (fixed > view.byteLength || view.getUint32(at, true) !== CENTRAL_HEADER) {
    return undefined;
  }
  const end = fixed + view.getUint16(at + 28, true) +
    view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  return end <= view.byteLength ? end : undefined;
}

function readHeader(view: DataView, at: number, file: ZipFile): ZipHeader {
  const nameLength = view.getUint16(at + 28, true);
  const name = new TextDecoder().decode(
    new Uint8Array(view.buffer, view.byteOffset + at + 46, nameLength),
  );
  const method = view.getUint16(at + 10, true);
  if (view.getUint16(at + 8, true) & 1) {
    throw file.broken(`its entry ${quoteName(name)} is encrypted`);
  }
  if (method !== STORED && method !== DEFLATED) {
    throw file.broken(
      `its entry ${
        quoteName(name)
      } is packed by method ${method}, but only stored and deflated ones can be read`,
    );
  }
  const sizes = readSizes(view, at, at + 46 + nameLength);
  const { packed, length } = sizes;
  if (method === STORED ? packed !== length : length > packed * MAX_RATIO) {
    throw file.broken(
      `its entry ${quoteName(name)} claims ${length} bytes from ${packed}`,
    );
  }
  return { name, method, crc: view.getUint32(at + 16, true), ...sizes };
}

/** Sizes and place, from the extra field of ZIP64 where the plain ones are full. */
function readSizes(
  view: DataView,
  at: number,
  extra: number,
): { packed: number; length: number; offset: number } {
  const sizes = {
    length: view.getUint32(at + 24, true),
    packed: view.getUint32(at + 20, true),
    offset: view.getUint32(at + 42, true),
  };
  const extraEnd = extra + view.getUint16(at + 30, true);
  for (let field = extra; field + 4 <= extraEnd;) {
    const end = field + 4 + view.getUint16(field + 2, true);
    if (view.getUint16(field, true) === 1) {
      let place = field + 4;
      for (const size of ["length", "packed", "offset"] as const) {
        if (sizes[size] !== 0xffffffff) continue;
        if (place + 8 > Math.min(end, extraEnd)) break;
        sizes[size] = Number(view.getBigUint64(place, true));
        place += 8;
      }
    }
    field = end;
  }
  return sizes;
}

function checkNames(headers: readonly ZipHeader[], file: ZipFile): void {
  const names = new Set<string>();
  for (const { name } of headers) {
    if (!isPlainName(name)) {
      throw file.broken(
        `it has an entry ${quoteName(name)}, a name that leads outside of it`,
      );
    }
    if (names.has(name)) {
      throw file.broken(`it has two entries ${quoteName(name)}`);
    }
    names.add(name);
  }
}

/** Relative, with forward slashes, and not upwards. */
function isPlainName(name: string): boolean {
  return name !== "" && !/[\\\0]|^\/|^[a-zA-Z]:/.test(name) &&
    !name.split("/").includes("..");
}

/** Two entries in the same bytes is how small archives unpack to huge ones. */
function checkOverlaps(
  headers: readonly ZipHeader[],
  directory: number,
  file: ZipFile,
): void {
  let free = 0;
  let previous = "";
  for (
    const { name, offset, packed } of headers.toSorted((a, b) =>
      a.offset - b.offset
    )
  ) {
    if (offset < free) {
      throw file.broken(
        `its entries ${quoteName(previous)} and ${quoteName(name)} overlap`,
      );
    }
    free = offset + 30 + packed;
    previous = name;
  }
  if (free > directory) {
    throw file.broken(
      `its entry ${quoteName(previous)} reaches into the list of entries`,
    );
  }
}

/** A name for a message, in quotes and not endless. */
export function quoteName(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}...` : name);
}
