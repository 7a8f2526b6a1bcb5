/**
 * @file NumPy's `.npy` (one array: magic, version, a header that is a Python dict, the numbers) and `.npz` (a ZIP of
 * them). Source: numpy/lib/format.py, versions 1.0 to 3.0.
 */
import { WeightsError } from "../errors.ts";
import { ByteRange } from "./byte_range.ts";
import {
  CheckpointTensor,
  columnMajorStrides,
  rowMajorStrides,
} from "./checkpoint_tensor.ts";
import { settle } from "./pickle/items.ts";
import { type PickleOptions, readPickle } from "./pickle/machine.ts";
import { numpyArray, parseNumpyDtype } from "./pickle/numpy_dtype.ts";
import type { Value } from "./pickle/values.ts";
import { type Literal, parseLiteral } from "./python_literal.ts";
import type { ZipEntry } from "./zip_archive.ts";

const MAGIC = "934e554d5059";
/** NumPy itself refuses longer ones by default. */
const MAX_HEADER_BYTES = 10_000;

/** Whether the bytes begin as an array does. */
export function isNpy(bytes: ByteRange): boolean {
  return bytes.length > 10 && bytes.slice(0, 6).bytes().toHex() === MAGIC;
}

/** What a header says. */
interface Header {
  readonly descr: string;
  readonly columnMajor: boolean;
  readonly shape: readonly number[];
  /** Where the numbers begin. */
  readonly end: number;
}

/**
 * Reads an array. Numbers stay where they are; texts and pickled objects are read at once, and what has no axes is
 * handed out as the text or object itself.
 * @throws {WeightsError} When the header is not one or the numbers are too few.
 */
export function readNpy(bytes: ByteRange, options: PickleOptions): Value {
  const header = readHeader(bytes, options.source);
  const type = parseNumpyDtype(header.descr);
  const body = bytes.slice(header.end);
  if (type.kind === "object") return settle(readPickle(body, options).item);
  const { shape, columnMajor } = header;
  return numpyArray(type, shape, columnMajor, body, options.budget);
}

/**
 * Reads the arrays of a `.npz` by name, without `.npy`.
 * @throws {WeightsError} When one of them is damaged.
 */
export function readNpz(
  entries: ReadonlyMap<string, ZipEntry>,
  options: PickleOptions,
): Value {
  const arrays = new Map<Value, Value>();
  for (const [path, entry] of entries) {
    if (!path.endsWith(".npy")) continue;
    const source = `${options.source} (${path})`;
    arrays.set(path.slice(0, -4), readEntry(entry, { ...options, source }));
  }
  return arrays;
}

/** Packed arrays of numbers are not unpacked before their numbers are asked for. */
function readEntry(entry: ZipEntry, options: PickleOptions): Value {
  const head = entry.head(MAX_HEADER_BYTES + 12);
  const header = readHeader(ByteRange.of(head), options.source);
  const type = parseNumpyDtype(header.descr);
  if (type.kind !== "number") {
    options.budget.spend("bytes of packed objects", entry.unpacked);
    return readNpy(entry.open(), options);
  }
  const byteLength = entry.length - header.end;
  const locate = () => entry.open().slice(header.end);
  return new CheckpointTensor(
    { byteLength, bigEndian: type.bigEndian, locate },
    type.dtype,
    header.shape,
    header.columnMajor
      ? columnMajorStrides(header.shape)
      : rowMajorStrides(header.shape),
  );
}

function readHeader(bytes: ByteRange, source: string): Header {
  const broken = (why: string) =>
    new WeightsError(`${source} is not a valid NumPy array: ${why}.`);
  if (!isNpy(bytes)) throw broken("it does not begin like one");
  const start = bytes.slice(0, Math.min(12, bytes.length)).bytes();
  const wide = start[6] >= 2;
  const length = wide
    ? start[8] + start[9] * 2 ** 8 + start[10] * 2 ** 16 + start[11] * 2 ** 24
    : start[8] + start[9] * 2 ** 8;
  const begin = wide ? 12 : 10;
  if (start[6] < 1 || start[6] > 3) throw broken(`its version is ${start[6]}`);
  if (length > MAX_HEADER_BYTES || begin + length > bytes.length) {
    throw broken(`its header claims ${length} bytes`);
  }
  const text = new TextDecoder().decode(
    bytes.slice(begin, begin + length).bytes(),
  );
  return { ...interpret(parseLiteral(text), broken), end: begin + length };
}

function interpret(
  header: Literal | undefined,
  broken: (why: string) => WeightsError,
): Omit<Header, "end"> {
  if (!(header instanceof Map)) throw broken("its header is not a dict");
  const descr = header.get("descr");
  const columnMajor = header.get("fortran_order");
  const shape = header.get("shape");
  if (Array.isArray(descr)) {
    throw broken("its elements have named fields; save each field by itself");
  }
  if (typeof descr !== "string" || typeof columnMajor !== "boolean") {
    throw broken("its header does not say what its elements are");
  }
  if (!Array.isArray(shape) || !shape.every(isSize)) {
    throw broken("its header does not say what its shape is");
  }
  return { descr, columnMajor, shape };
}

function isSize(size: Literal): size is number {
  return Number.isSafeInteger(size) && Number(size) >= 0;
}
