/** @file The header of a safetensors file: parsed with suspicion, because offsets from a file index memory. */
import type { WeightsError } from "../errors.ts";
import { elementCount } from "../tensor.ts";

/** Number types that this reader knows, with their sizes in bytes. */
export const DTYPE_BYTES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const;

/** The name of a number type as the header spells it. */
export type Dtype = keyof typeof DTYPE_BYTES;

/** Where one tensor lies, as byte positions after the header. */
export interface HeaderEntry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** No tensor has a longer name; names are listed, compared and taken apart. */
export const MAX_TENSOR_NAME = 1000;

/** The longest header that the reference implementation accepts; longer ones are taken for garbage. */
const MAX_HEADER_BYTES = 100_000_000;

/** Words an error about the file at hand. */
export type Broken = (why: string) => WeightsError;

/**
 * Where the header ends, by the length in front of it; `bytes` are the first ones of a file of `fileBytes`.
 * @throws {WeightsError} When the file is shorter than that.
 */
export function headerEnd(
  bytes: Uint8Array,
  fileBytes: number,
  broken: Broken,
): number {
  if (fileBytes < 8) {
    throw broken(
      `it has ${fileBytes} bytes, fewer than the 8 of the length field`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES || length > fileBytes - 8) {
    throw broken(
      `its header claims ${length} bytes but ${fileBytes - 8} follow`,
    );
  }
  return 8 + length;
}

/**
 * Reads and checks the header that lies at `bytes`, for a body of `bodyBytes` bytes after it.
 * @throws {WeightsError} When it does not describe the body exactly, without holes and overlaps.
 */
export function readHeader(
  bytes: Uint8Array,
  bodyBytes: number,
  broken: Broken,
): { metadata: Record<string, string>; entries: HeaderEntry[] } {
  let metadata: Record<string, string> = {};
  const entries: HeaderEntry[] = [];
  for (const [name, entry] of Object.entries(parseHeader(bytes, broken))) {
    if (name === "__metadata__") metadata = checkMetadata(entry, broken);
    else entries.push(checkEntry(name, entry, bodyBytes, broken));
  }
  checkCoverage(entries, bodyBytes, broken);
  return { metadata, entries };
}

function parseHeader(
  bytes: Uint8Array,
  broken: Broken,
): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(
      new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    );
  } catch {
    throw broken("its header is not JSON");
  }
  if (!isRecord(header)) throw broken("its header is not a JSON object");
  return header;
}

function checkMetadata(entry: unknown, broken: Broken): Record<string, string> {
  if (
    !isRecord(entry) ||
    !Object.values(entry).every((value) => typeof value === "string")
  ) {
    throw broken("its metadata is not a map of strings");
  }
  return entry as Record<string, string>;
}

function checkEntry(
  name: string,
  entry: unknown,
  bodyBytes: number,
  broken: Broken,
): HeaderEntry {
  if (name.length > MAX_TENSOR_NAME) {
    throw broken(`there is a tensor with a name of ${name.length} letters`);
  }
  if (!isRecord(entry)) {
    throw broken(`the entry of tensor ${name} is not an object`);
  }
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== "string") {
    throw broken(`tensor ${name} has no number type`);
  }
  if (!Object.hasOwn(DTYPE_BYTES, dtype)) {
    throw broken(
      `tensor ${name} has the unknown number type ${
        JSON.stringify(dtype.slice(0, 40))
      }`,
    );
  }
  if (!isSizes(shape)) {
    throw broken(`the shape of tensor ${name} is not a list of sizes`);
  }
  if (!isSizes(offsets) || offsets.length !== 2) {
    throw broken(`the offsets of tensor ${name} are not two positions`);
  }
  const [begin, end] = offsets;
  if (begin > end || end > bodyBytes) {
    throw broken(
      `tensor ${name} lies at bytes ${begin} to ${end} of ${bodyBytes} (is the file cut short?)`,
    );
  }
  const expected = elementCount(shape) * DTYPE_BYTES[dtype as Dtype];
  if (end - begin !== expected) {
    throw broken(
      `tensor ${name} of shape [${shape}] needs ${expected} bytes but has ${
        end - begin
      }`,
    );
  }
  return { name, dtype: dtype as Dtype, shape, begin, end };
}

function checkCoverage(
  entries: readonly HeaderEntry[],
  bodyBytes: number,
  broken: Broken,
): void {
  let position = 0;
  for (
    const { name, begin, end } of entries.toSorted((a, b) =>
      a.begin - b.begin || a.end - b.end
    )
  ) {
    if (begin !== position) {
      throw broken(
        `tensor ${name} starts at byte ${begin} instead of ${position}`,
      );
    }
    position = end;
  }
  if (position !== bodyBytes) {
    throw broken(
      `${bodyBytes - position} bytes at its end belong to no tensor`,
    );
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value out of JSON is a list of whole numbers of at least 0, such as a shape. */
export function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) &&
    value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
