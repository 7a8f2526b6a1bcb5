/**
 * Means of numbers that lie on the device, so that a look at them every few
 * steps tells of all the steps between.
 *
 * @module
 */
import { add, affine, type Device, type Tensor } from "../engine/mod.ts";
import type { Terms } from "./losses.ts";

/** Sums of named numbers. */
export class Means {
  readonly #device: Device;
  readonly #sums = new Map<string, { sum: Tensor; count: number }>();

  /** Nothing summed yet. */
  constructor(device: Device) {
    this.#device = device;
  }

  /** Adds one number of each name; names may come and go. */
  add(terms: Terms): void {
    for (const [name, term] of Object.entries(terms)) {
      const before = this.#sums.get(name);
      // sums outlive the scope of a step
      const sum = this.#device.unscoped(() =>
        this.#device.withoutTape(() =>
          before ? add(before.sum, term) : affine(term, 1)
        )
      );
      before?.sum.release();
      this.#sums.set(name, { sum, count: (before?.count ?? 0) + 1 });
    }
  }

  /** The means since the last call. */
  async take(): Promise<Record<string, number>> {
    const named = [...this.#sums];
    const data = await this.#device.read(...named.map(([, { sum }]) => sum));
    this[Symbol.dispose]();
    return Object.fromEntries(
      named.map(([name, { count }], k) => [name, data[k][0] / count]),
    );
  }

  /** Frees the sums. */
  [Symbol.dispose](): void {
    for (const { sum } of this.#sums.values()) sum.release();
    this.#sums.clear();
  }
}
