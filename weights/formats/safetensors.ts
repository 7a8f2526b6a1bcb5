/**
 * @file safetensors: an 8-byte little-endian length, a JSON header of that length, then the tensors' bytes.
 * The header maps a tensor's name to `{dtype, shape, data_offsets: [begin, end]}`, offsets counted from the end of
 * the header, plus an optional `__metadata__` of strings. The format forbids holes and overlaps, so both are errors.
 * Source: https://github.com/huggingface/safetensors (format section of its README).
 */
import { readOrExplain, WeightsError } from "../errors.ts";
import { writeAtomically } from "../files/atomic.ts";
import { alignedCopy, elementCount, type WeightTensor } from "../tensor.ts";
import {
  type Dtype,
  DTYPE_BYTES,
  headerEnd,
  readHeader,
} from "./safetensors_header.ts";

export { type Dtype, DTYPE_BYTES };

/** A tensor as the file holds it: raw little-endian bytes (a view, not a copy) and how to read them. */
export interface StoredTensor {
  /** Type of its numbers. */
  readonly dtype: Dtype;
  /** Sizes of its axes, outermost first; empty for a single number. */
  readonly shape: readonly number[];
  /** Its numbers, little-endian, in row-major order. */
  readonly bytes: Uint8Array;
}

/** The content of one safetensors file. */
export interface Safetensors {
  /** The header's `__metadata__`; empty when there is none. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Tensors by name, in the header's order. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/**
 * Reads and checks a whole safetensors file.
 * @throws {WeightsError} When the file cannot be read or its header does not describe its bytes exactly.
 */
export async function readSafetensors(path: string): Promise<Safetensors> {
  const bytes = await readOrExplain(
    "the weights",
    path,
    () => Deno.readFile(path),
  );
  return parseSafetensors(bytes, path);
}

/**
 * Interprets the bytes of a safetensors file without copying tensor data.
 * @param source Name used in error messages.
 * @throws {WeightsError} When the header does not describe the bytes exactly.
 */
export function parseSafetensors(
  bytes: Uint8Array,
  source = "the data",
): Safetensors {
  const broken = (why: string) =>
    new WeightsError(`${source} is not a valid safetensors file: ${why}.`);
  const end = headerEnd(bytes.subarray(0, 8), bytes.byteLength, broken);
  const header = bytes.subarray(8, end);
  const body = bytes.subarray(end);
  const { metadata, entries } = readHeader(header, body.byteLength, broken);
  const tensors = new Map<string, StoredTensor>();
  for (const { name, dtype, shape, begin, end } of entries) {
    tensors.set(name, { dtype, shape, bytes: body.subarray(begin, end) });
  }
  return { metadata, tensors };
}

/**
 * The values of a stored tensor as float32. 64-bit values lose what float32 cannot hold; f16 and bf16 are exact.
 */
export function toFloat32(tensor: StoredTensor): WeightTensor {
  return {
    shape: tensor.shape,
    data: decode(tensor.dtype, alignedCopy(tensor.bytes)),
  };
}

function decode(dtype: Dtype, buffer: ArrayBuffer): Float32Array<ArrayBuffer> {
  switch (dtype) {
    case "F32":
      return new Float32Array(buffer);
    case "F16":
      return new Float32Array(new Float16Array(buffer));
    case "BF16": {
      // A bfloat16 is the upper half of a float32.
      const bits = Uint32Array.from(
        new Uint16Array(buffer),
        (half) => half << 16,
      );
      return new Float32Array(bits.buffer);
    }
    case "F64":
      return new Float32Array(new Float64Array(buffer));
    case "I64":
      return Float32Array.from(new BigInt64Array(buffer), Number);
    case "U64":
      return Float32Array.from(new BigUint64Array(buffer), Number);
    case "I32":
      return new Float32Array(new Int32Array(buffer));
    case "U32":
      return new Float32Array(new Uint32Array(buffer));
    case "I16":
      return new Float32Array(new Int16Array(buffer));
    case "U16":
      return new Float32Array(new Uint16Array(buffer));
    case "I8":
      return new Float32Array(new Int8Array(buffer));
    case "U8":
    case "BOOL":
      return new Float32Array(new Uint8Array(buffer));
  }
}

/**
 * Stores values as `dtype`: floats are rounded to nearest even (f16 overflow becomes infinity, as IEEE 754 has it),
 * integers are converted as typed arrays do.
 */
export function fromFloat32(
  tensor: WeightTensor,
  dtype: "F32" | "F16" | "I32" | "U8" = "F32",
): StoredTensor {
  const { shape, data } = tensor;
  const stored = dtype === "F32"
    ? data
    : dtype === "F16"
    ? new Float16Array(data)
    : dtype === "I32"
    ? new Int32Array(data)
    : new Uint8Array(data);
  return {
    dtype,
    shape,
    bytes: new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength),
  };
}

/**
 * A tensor of floats at half the size, rounded when its bytes are asked for; integers stay as they are.
 * @param name Of the tensor, for the error.
 * @throws {WeightsError} From `bytes`, when a value is too large for float16.
 */
export function halved(name: string, tensor: StoredTensor): StoredTensor {
  if (!["F32", "F64", "BF16"].includes(tensor.dtype)) return tensor;
  return {
    dtype: "F16",
    shape: tensor.shape,
    get bytes() {
      const exact = tensor.dtype === "F64"
        ? new Float64Array(alignedCopy(tensor.bytes))
        : toFloat32(tensor).data;
      const halves = new Float16Array(exact);
      if (halves.some((h, k) => Math.abs(h) === Infinity && h !== exact[k])) {
        throw new WeightsError(
          `Cannot store ${name} as float16: it has values beyond 65504; keep it as float32.`,
        );
      }
      return new Uint8Array(halves.buffer);
    },
  };
}

/**
 * The bytes of a safetensors file that holds these tensors in this order. The header is padded with spaces to a
 * multiple of 8, so that readers may map the tensors in place.
 * @throws {WeightsError} When a tensor's bytes do not match its shape.
 */
export function encodeSafetensors(
  content: Safetensors,
): Uint8Array<ArrayBuffer> {
  const pieces = [...safetensorsPieces(content)];
  const length = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  const file = new Uint8Array(length);
  let offset = 0;
  for (const piece of pieces) {
    file.set(piece, offset);
    offset += piece.byteLength;
  }
  return file;
}

/**
 * Writes a safetensors file whole or not at all. The bytes of a tensor are asked for when their turn comes, so that
 * tensors that still lie in another file pass through memory one by one.
 * @throws {WeightsError} When the folder cannot be written or the disk is full; nothing is left behind.
 */
export async function writeSafetensors(
  path: string,
  content: Safetensors,
): Promise<void> {
  await writeAtomically(path, safetensorsPieces(content));
}

/** The header, then the bytes of each tensor. */
function* safetensorsPieces(content: Safetensors): Iterable<Uint8Array> {
  // The widest elements first keeps every tensor aligned, as the reference writer does.
  const entries = [...content.tensors].sort((a, b) =>
    DTYPE_BYTES[b[1].dtype] - DTYPE_BYTES[a[1].dtype]
  );
  yield encodeHeader(content.metadata, entries);
  for (const [name, tensor] of entries) {
    const { bytes, dtype, shape } = tensor;
    if (bytes.byteLength !== byteLength(tensor)) {
      throw new WeightsError(
        `Cannot write tensor ${name}: ${bytes.byteLength} bytes are not ${dtype} of [${shape}].`,
      );
    }
    yield bytes;
  }
}

function encodeHeader(
  metadata: Safetensors["metadata"],
  entries: readonly [string, StoredTensor][],
): Uint8Array {
  // Without a prototype, so that a tensor may be named __proto__.
  const header: Record<string, unknown> = Object.create(null);
  if (Object.keys(metadata).length > 0) header.__metadata__ = metadata;
  let position = 0;
  for (const [name, tensor] of entries) {
    if (name === "__metadata__") {
      throw new WeightsError(
        `Cannot write tensor ${name}: the format keeps that name for itself.`,
      );
    }
    const end = position + byteLength(tensor);
    const { dtype, shape } = tensor;
    header[name] = { dtype, shape, data_offsets: [position, end] };
    position = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const headerBytes = Math.ceil(json.byteLength / 8) * 8;
  const encoded = new Uint8Array(8 + headerBytes).fill(0x20, 8);
  new DataView(encoded.buffer).setBigUint64(0, BigInt(headerBytes), true);
  encoded.set(json, 8);
  return encoded;
}

function byteLength({ dtype, shape }: StoredTensor): number {
  return elementCount(shape) * DTYPE_BYTES[dtype];
}
