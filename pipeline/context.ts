/**
 * What a run is given by whoever started it: a way to be stopped and a way to say how far it is.
 *
 * @module
 */

/** One stage of a run while it lasts. */
export interface Stage {
  /**
   * Says how much is done.
   *
   * @param done steps finished so far, of the stage's total
   * @param detail a few words or numbers to show beside the bar, such as a loss
   */
  update(done: number, detail?: string): void;
  /** Ends the stage; `detail` replaces what stood beside the bar. */
  finish(detail?: string): void;
}

/** Where a run says what it does. */
export interface Progress {
  /** Begins a stage of `total` steps; a stage still open is finished first. */
  stage(title: string, total?: number): Stage;
  /** Says something worth knowing. */
  note(line: string): void;
  /** Says something that the user may want to change. */
  warn(line: string): void;
}

/** Everything a run needs besides its options. */
export interface RunContext {
  /** Aborted by Ctrl-C; look at it between steps and leave what was finished. */
  readonly signal: AbortSignal;
  /** Where stages, notes and warnings go. */
  readonly progress: Progress;
  /** Prints a line of the result (to standard output, where progress does not go). */
  print(line: string): void;
}

/** A context that says nothing and is never stopped, for embedding and tests. */
export function silentContext(
  signal: AbortSignal = new AbortController().signal,
): RunContext {
  const stage: Stage = { update: () => {}, finish: () => {} };
  const progress: Progress = {
    stage: () => stage,
    note: () => {},
    warn: () => {},
  };
  return { signal, progress, print: () => {} };
}
