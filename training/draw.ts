/**
 * Random numbers of a training: each is a function of (seed, stream, place), so
 * that a run that goes on draws what one that never stopped would have drawn.
 *
 * @module
 */

/** Uniform numbers of one stream of a seed. */
export class Draw {
  readonly #key: number;
  #place = 0;

  /**
   * Begins a stream.
   *
   * @param seed any 32-bit integer
   * @param stream what the numbers are for, such as a step and a purpose: integers
   */
  constructor(seed: number, ...stream: readonly number[]) {
    this.#key = stream.reduce((key, part) => hash(part + key), hash(seed));
  }

  /** The next number, in [0, 1). */
  uniform(): number {
    return hash(this.#place++ + this.#key) / 2 ** 32;
  }

  /** A whole number from 0 to `count` - 1. */
  below(count: number): number {
    return Math.floor(this.uniform() * count);
  }

  /** As many numbers in [0, 1). */
  uniforms(count: number): Float32Array {
    // rounded down to 24 bits, or the largest would become 1 in f32
    return Float32Array.from(
      { length: count },
      () => Math.floor(this.uniform() * 2 ** 24) / 2 ** 24,
    );
  }
}

/** PCG's output hash of a 32-bit integer. */
function hash(v: number): number {
  const state = (Math.imul(v >>> 0, 747796405) + 2891336453) >>> 0;
  const word =
    Math.imul((state >>> ((state >>> 28) + 4)) ^ state, 277803737) >>> 0;
  return ((word >>> 22) ^ word) >>> 0;
}
