/**
 * Runs a command: reads its flags, prints errors as one sentence, and lets Ctrl-C stop it gently.
 *
 * @module
 */
import { bold, red, setColorEnabled } from "@std/fmt/colors";
import type { RunContext } from "../context.ts";
import { UsageError } from "../errors.ts";
import { asksForHelp, parseFlags } from "./args.ts";
import type { Command } from "./command.ts";
import { explain, INTERRUPTED } from "./explain.ts";
import type { FlagTable } from "./flags.ts";
import { helpText } from "./help.ts";
import { TerminalProgress } from "./progress.ts";

/**
 * Runs a command as the whole of a process.
 *
 * @param command what to run
 * @param args what stood after its name
 * @returns what to exit with: 0, 1 for a failure, 2 for wrong usage, 130 after Ctrl-C
 */
export async function runCommand<T extends FlagTable>(
  command: Command<T>,
  args: readonly string[],
): Promise<number> {
  setColorEnabled(Deno.stdout.isTerminal() && Deno.stderr.isTerminal());
  if (asksForHelp(args)) {
    console.log(helpText(command));
    return 0;
  }
  const progress = new TerminalProgress();
  const interruption = listenForInterrupt(progress);
  const { signal } = interruption;
  const context: RunContext = {
    signal,
    progress,
    print: (line) => progress.print(line),
  };
  try {
    const code = await command.run(parseFlags(command.flags, args), context);
    return signal.aborted ? INTERRUPTED : code ?? 0;
  } catch (error) {
    progress.close();
    return report(error, signal.aborted, command);
  } finally {
    progress.close();
    interruption[Symbol.dispose]();
  }
}

/** Ends the process with a command's exit code. Errors that nobody awaited are explained as well. */
export async function runAsMain<T extends FlagTable>(
  command: Command<T>,
): Promise<never> {
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    Deno.exit(report(event.reason, false, command));
  });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    Deno.exit(report(event.error, false, command));
  });
  return Deno.exit(await runCommand(command, Deno.args));
}

function report(
  error: unknown,
  interrupted: boolean,
  { name, smaller, flags }: Pick<Command, "name" | "smaller" | "flags">,
): number {
  // Whoever read the output, such as `head`, has seen enough.
  if (error instanceof Deno.errors.BrokenPipe) return 0;
  const remedies = { smaller, resumable: "resume" in flags };
  const { sentence, exitCode } = explain(error, remedies, interrupted);
  console.error(interrupted ? sentence : `${bold(red("error"))}: ${sentence}`);
  if (error instanceof UsageError) {
    console.error(`       ./run ${name} --help lists all flags.`);
  }
  if (Deno.env.get("PANTOMIME_DEBUG") === "1") console.error(error);
  return exitCode;
}

/** `deno task` hands on the signal that the terminal has sent already: one press arrives twice. */
const ECHO = 500;

/** The first Ctrl-C asks the run to stop at its next step, the second one ends it on the spot. */
function listenForInterrupt(
  progress: TerminalProgress,
): Disposable & { signal: AbortSignal } {
  const controller = new AbortController();
  let pressed = 0;
  const listener = () => {
    const now = performance.now();
    if (controller.signal.aborted) {
      if (now - pressed > ECHO) Deno.exit(INTERRUPTED);
      return;
    }
    pressed = now;
    progress.note("Stopping after this step; Ctrl-C again stops at once.");
    controller.abort();
  };
  Deno.addSignalListener("SIGINT", listener);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => Deno.removeSignalListener("SIGINT", listener),
  };
}
