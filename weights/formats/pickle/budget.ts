/**
 * @file How much a checkpoint may make its reader do. A file of a few kilobytes can ask for millions of objects; real
 * ones stay far below these limits (EG3D: 15 000 instructions; a state dict: about 20 per tensor).
 */
import { WeightsError } from "../../errors.ts";

const LIMITS = {
  instructions: 10_000_000,
  containers: 1_000_000,
  "bytes of text": 2 ** 28,
  "bytes of packed objects": 2 ** 30,
} as const;

/** What is left of the limits; one for a whole file, whatever is nested in it. */
export class Budget {
  readonly #left: Record<keyof typeof LIMITS, number> = { ...LIMITS };
  readonly #source: string;

  /** Full limits for the file of this name. */
  constructor(source: string) {
    this.#source = source;
  }

  /**
   * Uses some of it up.
   * @throws {WeightsError} When that is more than is left.
   */
  spend(kind: keyof typeof LIMITS, amount = 1): void {
    if ((this.#left[kind] -= amount) >= 0) return;
    throw new WeightsError(
      `${this.#source} asks for more than ${
        LIMITS[kind].toLocaleString("en")
      } ${kind}; no checkpoint needs that many.`,
    );
  }
}
