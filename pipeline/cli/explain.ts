/**
 * Any error whatever, as one sentence and an exit code.
 *
 * @module
 */
import {
  DeviceLostError,
  NoAdapterError,
  OutOfMemoryError,
  TensorTooLargeError,
} from "../../engine/errors.ts";
import { WeightsError } from "../../weights/errors.ts";
import { PantomimeError } from "../errors.ts";

/** Exit code of a process that Ctrl-C ended: 128 and the number of SIGINT. */
export const INTERRUPTED = 130;

/** What is printed and what the process exits with. */
export interface Explanation {
  /** One line, with a full stop. */
  readonly sentence: string;
  /** Not 0. */
  readonly exitCode: number;
}

/** What a command offers for going on after an error. */
export interface Remedies {
  /** Flags that make it take less memory, as they end a sentence. */
  readonly smaller?: string;
  /** Whether it has `--resume`. */
  readonly resumable?: boolean;
}

/** What to do about the errors of the engine that are not defects of ours. */
function adviceFor(error: unknown, remedies: Remedies): string | undefined {
  if (error instanceof NoAdapterError) {
    return "see ./run doctor for what to install";
  }
  if (error instanceof DeviceLostError) {
    const on = remedies.resumable ? "go on with --resume" : "run again";
    return `close other programs that use the GPU and ${on}`;
  }
  if (error instanceof OutOfMemoryError) {
    return lessMemory(remedies, "close other programs");
  }
  if (error instanceof TensorTooLargeError) {
    return lessMemory(remedies, "take a smaller generator");
  }
}

function lessMemory({ smaller }: Remedies, otherwise: string): string {
  return smaller ? `use ${smaller}, or ${otherwise}` : otherwise;
}

/**
 * Explains an error.
 *
 * @param error whatever was thrown
 * @param remedies of the command that failed
 * @param interrupted whether Ctrl-C was pressed before: whatever fails then, fails because of it
 */
export function explain(
  error: unknown,
  remedies: Remedies,
  interrupted = false,
): Explanation {
  if (interrupted) {
    const on = remedies.resumable ? ", and --resume goes on from there" : "";
    return {
      sentence: `Stopped; what was finished is kept${on}.`,
      exitCode: INTERRUPTED,
    };
  }
  if (error instanceof PantomimeError) {
    return { sentence: error.message, exitCode: error.exitCode };
  }
  if (error instanceof WeightsError) {
    return { sentence: error.message, exitCode: 1 };
  }
  return { sentence: describe(error, remedies), exitCode: 1 };
}

function describe(error: unknown, remedies: Remedies): string {
  const told = firstLine(error), advice = adviceFor(error, remedies);
  // The engine's own advice, behind its colon, is for programmers.
  if (advice) return `${told.split(/: (?=[a-z])/)[0]}: ${advice}.`;
  if (
    error instanceof RangeError && /allocation failed|array length/i.test(told)
  ) {
    return `Memory ran out: ${lessMemory(remedies, "close other programs")}.`;
  }
  if (error instanceof Deno.errors.NotCapable) {
    return `${told}: start through ./run or "deno task", which give the permissions needed.`;
  }
  if ((error as { code?: string } | null)?.code === "ENOSPC") {
    return "The disk is full; free some space and run again.";
  }
  return `Something went wrong that Pantomime does not know (${told}); run again with ` +
    `PANTOMIME_DEBUG=1 to see where, and please report it.`;
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.trim().split("\n")[0].replace(/[.\s]+$/, "") || "no message";
}
