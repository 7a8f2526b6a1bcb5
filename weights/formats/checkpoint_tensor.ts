/**
 * @file A tensor of a checkpoint: where its numbers lie, of what type they are and how they are strided. Its bytes are
 * read and put in order when they are asked for, and not kept.
 */
import { WeightsError } from "../errors.ts";
import { alignedCopy, elementCount, type WeightTensor } from "../tensor.ts";
import type { ByteRange } from "./byte_range.ts";
import { type StoredTensor, toFloat32 } from "./safetensors.ts";
import { type Dtype, DTYPE_BYTES } from "./safetensors_header.ts";

/** The bytes that tensors are views of; several may share one storage. */
export interface TensorStorage {
  /** Number of bytes. */
  readonly byteLength: number;
  /** Whether numbers have their high byte first. */
  readonly bigEndian?: boolean;
  /** Where the bytes are. */
  locate(): ByteRange;
}

/** A view that repeats the numbers of its storage (stride 0) may fill this much memory, but no more. */
const MAX_EXPANSION_BYTES = 64 * 2 ** 20;
/** NumPy and PyTorch have no tensors of more axes. */
export const MAX_AXES = 64;

/** A tensor as a checkpoint holds it. Its memory is only taken while `bytes` or the numbers are in use. */
export class CheckpointTensor implements StoredTensor {
  /** Type of its numbers. */
  readonly dtype: Dtype;
  /** Sizes of its axes, outermost first; empty for a single number. */
  readonly shape: readonly number[];
  readonly #strides: readonly number[];
  readonly #offset: number;
  readonly #storage: TensorStorage;

  /**
   * A view of a storage; strides and offset count elements.
   * @throws {WeightsError} When it reaches beyond the storage.
   */
  constructor(
    storage: TensorStorage,
    dtype: Dtype,
    shape: readonly number[],
    strides: readonly number[] = rowMajorStrides(shape),
    offset = 0,
  ) {
    this.dtype = dtype;
    this.shape = shape;
    this.#strides = strides;
    this.#offset = offset;
    this.#storage = storage;
    this.#check();
  }

  /** Number of elements. */
  get size(): number {
    return elementCount(this.shape);
  }

  /** Number of bytes of the elements. */
  get byteLength(): number {
    return this.size * DTYPE_BYTES[this.dtype];
  }

  /**
   * Its numbers, little-endian and in row-major order: a view of the file's bytes where these are in memory and in
   * order already, otherwise a copy of its own. Read anew each time.
   * @throws {WeightsError} When the file has changed or is damaged.
   */
  get bytes(): Uint8Array {
    if (this.size === 0) return new Uint8Array(0);
    const width = DTYPE_BYTES[this.dtype];
    const begin = this.#offset * width;
    const stored = this.#storage.locate().slice(
      begin,
      begin + this.#span() * width,
    ).bytes();
    const ordered = this.#isRowMajor() ? stored : gather(
      stored,
      width,
      this.shape,
      this.#strides,
    );
    return this.#storage.bigEndian && width > 1
      ? swapBytes(ordered, width)
      : ordered;
  }

  /** Its numbers as float32: see {@linkcode toFloat32}. */
  toFloat32(): WeightTensor {
    return toFloat32(this);
  }

  /**
   * Its numbers as float64, which holds every type but large 64-bit integers exactly.
   * @throws {WeightsError} When there is an integer beyond 2^53, which would be rounded.
   */
  toFloat64(): Float64Array {
    const buffer = alignedCopy(this.bytes);
    switch (this.dtype) {
      case "F64":
        return new Float64Array(buffer);
      case "I64":
        return Float64Array.from(new BigInt64Array(buffer), exactly);
      case "U64":
        return Float64Array.from(new BigUint64Array(buffer), exactly);
      case "I32":
        return new Float64Array(new Int32Array(buffer));
      case "U32":
        return new Float64Array(new Uint32Array(buffer));
      default:
        return new Float64Array(this.toFloat32().data);
    }
  }

  /** Elements from the first to the last one that the view touches. */
  #span(): number {
    return this.shape.reduce(
      (last, size, axis) => last + (size - 1) * this.#strides[axis],
      1,
    );
  }

  #isRowMajor(): boolean {
    const expected = rowMajorStrides(this.shape);
    return this.shape.every((size, axis) =>
      size === 1 || this.#strides[axis] === expected[axis]
    );
  }

  #check(): void {
    const { shape } = this;
    const sizes = [...shape, ...this.#strides, this.#offset];
    if (
      shape.length > MAX_AXES || this.#strides.length !== shape.length ||
      !sizes.every((size) => Number.isSafeInteger(size) && size >= 0) ||
      !Number.isSafeInteger(this.byteLength)
    ) {
      throw new WeightsError(
        `A tensor has the impossible shape [${shape.slice(0, 8)}], strides [${
          this.#strides.slice(0, 8)
        }] and offset ${this.#offset}.`,
      );
    }
    if (this.size === 0) return;
    const end = (this.#offset + this.#span()) * DTYPE_BYTES[this.dtype];
    const { byteLength } = this.#storage;
    if (!(end <= byteLength)) {
      throw new WeightsError(
        `A tensor of shape [${shape}] needs ${end} bytes, but its storage has ${byteLength}: the file is damaged.`,
      );
    }
    if (this.byteLength > Math.max(byteLength, MAX_EXPANSION_BYTES)) {
      throw new WeightsError(
        `A tensor of shape [${shape}] repeats the ${byteLength} bytes of its storage too often.`,
      );
    }
  }
}

/** Steps between neighbours along each axis when the last axis is contiguous. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= Math.max(1, shape[axis]);
  }
  return strides;
}

/** Steps when the first axis is contiguous, as Fortran has it. */
export function columnMajorStrides(shape: readonly number[]): number[] {
  return rowMajorStrides(shape.toReversed()).reverse();
}

/** Copies a strided view into row-major order. */
function gather(
  bytes: Uint8Array,
  width: number,
  shape: readonly number[],
  strides: readonly number[],
): Uint8Array {
  const from = words(alignedCopy(bytes), width);
  const to = words(new ArrayBuffer(elementCount(shape) * width), width);
  const inner = shape.length - 1;
  const index = new Array<number>(shape.length).fill(0);
  let start = 0;
  for (let k = 0; k < to.length; k += shape[inner]) {
    for (let j = 0; j < shape[inner]; j++) {
      to[k + j] = from[start + j * strides[inner]];
    }
    for (let axis = inner - 1; axis >= 0; axis--) {
      start += strides[axis];
      if (++index[axis] < shape[axis]) break;
      start -= shape[axis] * strides[axis];
      index[axis] = 0;
    }
  }
  return new Uint8Array(to.buffer);
}

/** Elements as opaque words of their width, which keeps every bit of them. */
function words(buffer: ArrayBuffer, width: number): Words {
  switch (width) {
    case 1:
      return new Uint8Array(buffer);
    case 2:
      return new Uint16Array(buffer);
    case 4:
      return new Uint32Array(buffer);
    default:
      return new BigUint64Array(buffer);
  }
}

interface Words {
  readonly length: number;
  readonly buffer: ArrayBuffer;
  [index: number]: unknown;
}

function swapBytes(bytes: Uint8Array, width: number): Uint8Array {
  const swapped = new Uint8Array(bytes.byteLength);
  for (let at = 0; at < bytes.length; at += width) {
    for (let k = 0; k < width; k++) {
      swapped[at + k] = bytes[at + width - 1 - k];
    }
  }
  return swapped;
}

function exactly(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) {
    throw new WeightsError(
      `The integer ${value} is beyond 2^53 and cannot be kept exactly.`,
    );
  }
  return number;
}
