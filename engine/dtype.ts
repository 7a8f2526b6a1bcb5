/**
 * Element types of tensors: how numbers become bytes and back, and which
 * tensors a kernel or an operator takes.
 *
 * f16 is for storage alone: kernels compute and add up in f32. A number has 11
 * significant bits, the largest is 65,504 and what rounds beyond it is infinite.
 *
 * @module
 */
import { BITS, type Dtype, type Kernel } from "../kernels/kernel.ts";
import { DtypeError } from "./errors.ts";
import type { Tensor } from "./tensor.ts";

/** Bytes of `size` numbers; a multiple of 4, as buffers are copied by words. */
export function byteLength(size: number, dtype: Dtype): number {
  return dtype === "f16" ? Math.ceil(size / 2) * 4 : size * 4;
}

/** The numbers as they lie in a buffer, filled up to whole words. */
export function encode(
  data: ArrayLike<number>,
  dtype: Dtype,
): Float32Array | Float16Array {
  if (dtype === "f32") {
    return data instanceof Float32Array ? data : Float32Array.from(data);
  }
  const halves = new Float16Array(Math.ceil(data.length / 2) * 2);
  halves.set(data);
  return halves;
}

/** The first `size` numbers of a buffer. */
export function decode(
  bytes: ArrayBuffer,
  size: number,
  dtype: Dtype,
): Float32Array {
  return dtype === "f32"
    ? new Float32Array(bytes)
    : Float32Array.from(new Float16Array(bytes, 0, size));
}

/** The word that fills a buffer with one number. */
export function wordOf(value: number, dtype: Dtype): number {
  const array = dtype === "f32"
    ? new Float32Array([value])
    : new Float16Array([value, value]);
  return new Uint32Array(array.buffer)[0];
}

/** A word of NaN, of which no arithmetic makes the same bits. */
export const POISON: Readonly<Record<Dtype, number>> = {
  f32: 0x7fc00000,
  f16: 0x7e007e00,
};

/** Aliases that a launch sets to f16, by the tensors that it binds. */
export function halvesOf(
  kernel: Kernel,
  tensors: Readonly<Record<string, Tensor>>,
): readonly string[] {
  const types = new Map<string, Dtype>();
  for (const { name, element } of kernel.bindings) {
    const dtype = tensors[name]?.dtype;
    if (!dtype || element === BITS) continue;
    if (dtype === "f16" && !kernel.aliases.has(element)) {
      throw new DtypeError(
        `${kernel.name} takes f32 tensors and its ${name} is f16: cast it first, as in cast(${name}, "f32").`,
      );
    }
    const before = types.get(element) ?? dtype;
    if (before !== dtype) {
      throw new DtypeError(
        `${kernel.name} was given ${before} and, as its ${name}, ${dtype} where it takes one element type: cast one of them first.`,
      );
    }
    types.set(element, dtype);
  }
  return [...types].filter(([, dtype]) => dtype === "f16").map(([e]) => e);
}

/**
 * The element type that all of an operator's tensors have.
 *
 * @param operator name for the message
 * @throws {DtypeError} when they differ
 */
export function commonDtype(
  operator: string,
  tensors: readonly Tensor[],
): Dtype {
  const { dtype } = tensors[0];
  if (tensors.some((t) => t.dtype !== dtype)) {
    throw new DtypeError(
      `${operator} takes tensors of one element type, not ${
        tensors.map((t) => t.dtype).join(" and ")
      }: cast one of them first, as in cast(x, "${dtype}").`,
    );
  }
  return dtype;
}
