/**
 * What a command is.
 *
 * @module
 */
import type { RunContext } from "../context.ts";
import type { FlagTable, FlagValues } from "./flags.ts";

/** One command of the command line. */
export interface Command<T extends FlagTable = FlagTable> {
  /** As it stands after `./run`. */
  readonly name: string;
  /** What it does, for the head of the help text. */
  readonly summary: string;
  /** Flags that make it take less memory, as they end a sentence. */
  readonly smaller?: string;
  /** Its flags, in the order in which help lists them. */
  readonly flags: T;
  /** Command lines to copy, and what each does. */
  readonly examples: readonly {
    readonly line: string;
    readonly says: string;
  }[];
  /**
   * Does it.
   *
   * @param values the flags given
   * @returns what the process exits with; 0 when nothing is returned
   * @throws {PantomimeError} when it cannot be done, in one sentence
   */
  run(values: FlagValues<T>, context: RunContext): Promise<number | void>;
}
