/**
 * Reproducible inputs: numbers that depend on a name and an index only, so
 * that test data need not be stored.
 *
 * @module
 */
import { elementCount, type Shape } from "../tensor.ts";

/** FNV-1a, 32 bits, of a string's UTF-8 bytes. */
export function hashName(name: string): number {
  let h = 2166136261;
  for (const byte of new TextEncoder().encode(name)) {
    h = Math.imul(h ^ byte, 16777619);
  }
  return h >>> 0;
}

/**
 * Numbers in [shift - scale, shift + scale), rounded to single precision, as
 * the golden files define them.
 *
 * @param name what the numbers stand for; other names, other numbers
 */
export function formula(
  name: string,
  shape: Shape,
  scale = 1,
  shift = 0,
): Float32Array<ArrayBuffer> {
  const h = hashName(name), values = new Float32Array(elementCount(shape));
  for (let i = 0; i < values.length; i++) {
    let x = (Math.imul(i, 2654435761) + h) | 0;
    x ^= x >>> 16;
    x = Math.imul(x, 0x7feb352d);
    x ^= x >>> 15;
    x = Math.imul(x, 0x846ca68b);
    x ^= x >>> 16;
    values[i] = ((x >>> 0) / 2147483648 - 1) * scale + shift;
  }
  return values;
}
