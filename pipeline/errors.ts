/**
 * The errors that people meet. Their message is one sentence: what went wrong, with which file, and
 * what to do about it. Everything else that reaches the command line is a defect of ours.
 *
 * @module
 */

/** A run that cannot go on, explained in one sentence. The command line exits with 1. */
export class PantomimeError extends Error {
  /** The class, for whoever sees the error printed. */
  override readonly name: string = "PantomimeError";
  /** What the process exits with. */
  readonly exitCode: number = 1;
}

/** A command that was asked for wrongly: an unknown flag, a value out of range. Exits with 2. */
export class UsageError extends PantomimeError {
  /** The class, for whoever sees the error printed. */
  override readonly name: string = "UsageError";
  /** What the process exits with. */
  override readonly exitCode: number = 2;
}
