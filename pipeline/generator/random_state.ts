/**
 * NumPy's `RandomState(seed).randn`, number for number: published scripts name
 * their heads by such seeds.
 *
 * Source: the Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998), 53-bit
 * fractions, and Marsaglia's polar method.
 *
 * @module
 */

const WORDS = 624, SHIFT = 397;

/** A stream of standard normal numbers. */
export class RandomState {
  readonly #words = new Uint32Array(WORDS);
  #next = WORDS;
  #spare: number | null = null;

  /**
   * The stream that NumPy begins for this seed.
   *
   * @param seed a whole number from 0 to 2^32 - 1
   */
  constructor(seed: number) {
    let word = seed >>> 0;
    for (let k = 0; k < WORDS; k++) {
      this.#words[k] = word;
      word = (Math.imul(1812433253, word ^ (word >>> 30)) + k + 1) >>> 0;
    }
  }

  /** The next `count` standard normal numbers. */
  normals(count: number): Float32Array {
    return Float32Array.from({ length: count }, () => this.#normal());
  }

  #normal(): number {
    if (this.#spare !== null) {
      const spare = this.#spare;
      this.#spare = null;
      return spare;
    }
    for (;;) {
      const a = 2 * this.#fraction() - 1, b = 2 * this.#fraction() - 1;
      const r = a * a + b * b;
      if (r >= 1 || r === 0) continue;
      const factor = Math.sqrt(-2 * Math.log(r) / r);
      this.#spare = factor * a;
      return factor * b;
    }
  }

  /** In [0, 1) with 53 bits. */
  #fraction(): number {
    const high = this.#word() >>> 5, low = this.#word() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  #word(): number {
    if (this.#next === WORDS) this.#twist();
    let y = this.#words[this.#next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  #twist(): void {
    const words = this.#words;
    for (let k = 0; k < WORDS; k++) {
      const y = (words[k] & 0x80000000) | (words[(k + 1) % WORDS] & 0x7fffffff);
      const mixed = words[(k + SHIFT) % WORDS] ^ (y >>> 1);
      words[k] = y & 1 ? mixed ^ 0x9908b0df : mixed;
    }
    this.#next = 0;
  }
}
