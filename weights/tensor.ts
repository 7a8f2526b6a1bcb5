/**
 * One array of numbers out of a weight file: row-major values and their shape, on the CPU.
 * Every format of this folder ends here, whatever number type the file stored.
 */
export interface WeightTensor {
  /** Sizes, outermost first; empty for a scalar. */
  readonly shape: readonly number[];
  /** Values in row-major order; their count is the product of `shape`. */
  readonly data: Float32Array<ArrayBuffer>;
}

/** Number of elements of a tensor of this shape: the product of the sizes, 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** A copy of `bytes` that starts at offset 0 of its own buffer, as typed arrays wider than a byte need. */
export function alignedCopy(bytes: Uint8Array): ArrayBuffer {
  const copy = new Uint8Array(bytes.byteLength);
  copy.set(bytes);
  return copy.buffer;
}
