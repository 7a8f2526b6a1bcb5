/**
 * @file NumPy's number types, as `.npy` headers and pickles spell them: byte order, kind, width in bytes. Only these
 * are known: b1, i1 to i8, u1 to u8, f2 to f8, texts (S, U) and Python objects (O).
 */
import { WeightsError } from "../../errors.ts";
import { elementCount } from "../../tensor.ts";
import type { ByteRange } from "../byte_range.ts";
import {
  CheckpointTensor,
  columnMajorStrides,
  rowMajorStrides,
} from "../checkpoint_tensor.ts";
import type { Dtype } from "../safetensors_header.ts";
import type { Budget } from "./budget.ts";
import { latin1 } from "./items.ts";
import { ObjectArray, type Value } from "./values.ts";

/** The type of an array's elements. */
export type NumpyDtype =
  | {
    readonly kind: "number";
    readonly dtype: Dtype;
    readonly bigEndian: boolean;
  }
  | {
    readonly kind: "text";
    readonly unicode: boolean;
    readonly length: number;
    readonly bigEndian: boolean;
  }
  | { readonly kind: "object" };

const NUMBERS: Record<string, Dtype> = {
  b1: "BOOL",
  i1: "I8",
  i2: "I16",
  i4: "I32",
  i8: "I64",
  u1: "U8",
  u2: "U16",
  u4: "U32",
  u8: "U64",
  f2: "F16",
  f4: "F32",
  f8: "F64",
};

/**
 * Interprets a type such as `<f4`, `|b1`, `<U10` or `|O`.
 * @throws {WeightsError} When it is a type that weights are not made of.
 */
export function parseNumpyDtype(text: string): NumpyDtype {
  const [, order, kind, width] = /^([<>=|]?)([a-zA-Z])(\d{0,9})$/.exec(text) ??
    [];
  const bigEndian = order === ">";
  const dtype = NUMBERS[`${kind}${width}`];
  if (dtype) return { kind: "number", dtype, bigEndian };
  if (kind === "O") return { kind: "object" };
  if ((kind === "S" || kind === "U") && width) {
    return {
      kind: "text",
      unicode: kind === "U",
      length: Number(width),
      bigEndian,
    };
  }
  throw new WeightsError(
    `A NumPy array has elements of type ${
      JSON.stringify(text.slice(0, 40))
    }, which cannot be read; save it as numbers or text.`,
  );
}

/**
 * An array whose elements lie in `bytes` one after the other. Arrays of text are read at once; one without axes is
 * handed out as the text itself.
 * @throws {WeightsError} When the bytes are too few.
 */
export function numpyArray(
  type: Exclude<NumpyDtype, { kind: "object" }>,
  shape: readonly number[],
  columnMajor: boolean,
  bytes: ByteRange,
  budget: Budget,
): Value {
  if (type.kind === "number") {
    return new CheckpointTensor(
      {
        byteLength: bytes.length,
        bigEndian: type.bigEndian,
        locate: () => bytes,
      },
      type.dtype,
      shape,
      columnMajor ? columnMajorStrides(shape) : rowMajorStrides(shape),
    );
  }
  const texts = readTexts(type, elementCount(shape), bytes, budget);
  if (shape.length === 0) return texts[0];
  if (columnMajor && shape.length > 1) {
    throw new WeightsError(
      "An array of text is stored in columns, which is unknown.",
    );
  }
  return new ObjectArray(shape, texts);
}

function readTexts(
  { unicode, length, bigEndian }: Extract<NumpyDtype, { kind: "text" }>,
  count: number,
  bytes: ByteRange,
  budget: Budget,
): string[] {
  const width = unicode ? 4 * length : length;
  budget.spend("instructions", count);
  budget.spend("bytes of text", count * width);
  const all = bytes.slice(0, count * width).bytes();
  const view = new DataView(all.buffer, all.byteOffset, all.byteLength);
  return Array.from({ length: count }, (_, k) => {
    if (!unicode) {
      return trimZeros(latin1(all.subarray(k * width, (k + 1) * width)));
    }
    const points = Array.from(
      { length },
      (_, at) => view.getUint32(k * width + 4 * at, !bigEndian),
    );
    if (points.some((point) => point > 0x10ffff)) {
      throw new WeightsError(
        "An array of text has characters that do not exist: the file is damaged.",
      );
    }
    return trimZeros(
      points.map((point) => String.fromCodePoint(point)).join(""),
    );
  });
}

/** Texts are padded with zeros to a common length. */
function trimZeros(text: string): string {
  return text.replace(/\0+$/, "");
}

/** A single number; 64-bit integers beyond 2^53 stay exact as `bigint`. */
export function numpyScalar(
  type: Extract<NumpyDtype, { kind: "number" }>,
  bytes: ByteRange,
): Value {
  const storage = {
    byteLength: bytes.length,
    bigEndian: type.bigEndian,
    locate: () => bytes,
  };
  const tensor = new CheckpointTensor(storage, type.dtype, []);
  if (type.dtype === "I64" || type.dtype === "U64") {
    const { buffer, byteOffset } = tensor.bytes;
    const view = new DataView(buffer, byteOffset, 8);
    const value = type.dtype === "I64"
      ? view.getBigInt64(0, true)
      : view.getBigUint64(0, true);
    return narrow(value);
  }
  const [value] = tensor.toFloat64();
  return type.dtype === "BOOL" ? value !== 0 : value;
}

/** An integer as a number where that is exact. */
export function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
