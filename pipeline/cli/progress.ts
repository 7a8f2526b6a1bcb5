/**
 * Progress in the terminal: a bar that redraws itself, or, where output goes to a file, a line now
 * and then. Nothing here waits for a timer, because a GPU read-back holds the thread for seconds and
 * the bar would stand still; it is drawn when a step is reported.
 *
 * @module
 */
import { bold, cyan, dim, green, yellow } from "@std/fmt/colors";
import type { Progress, Stage } from "../context.ts";
import { clock, Eta } from "./eta.ts";

/** Where progress goes; the process's standard error unless a test gives another. */
export interface Terminal {
  /** Whether lines can be redrawn. */
  readonly redraws: boolean;
  /** Characters in a line. */
  columns(): number;
  /** Writes to where progress goes. */
  write(text: string): void;
  /** Writes to where results go. */
  writeResult(text: string): void;
  /** Milliseconds since whenever. */
  now(): number;
}

/** A redrawn bar changes at most this often, in milliseconds. */
const REDRAW = 100;

/** Without redrawing, a line comes this often, in milliseconds. */
const LINE = 10_000;

const BAR = 24;

/** The progress of one run. */
export class TerminalProgress implements Progress {
  #open: TerminalStage | undefined;
  readonly #terminal: Terminal;

  /**
   * Shows nothing yet.
   *
   * @param terminal where to write
   */
  constructor(terminal: Terminal = processTerminal()) {
    this.#terminal = terminal;
  }

  /** Begins a stage, ending the one before. */
  stage(title: string, total: number = 1): Stage {
    this.close();
    return this.#open = new TerminalStage(this.#terminal, title, total);
  }

  /** Says something worth knowing. */
  note(line: string): void {
    this.#line(line);
  }

  /** Says something that the user may want to change. */
  warn(line: string): void {
    this.#line(`${yellow("note")}: ${line}`);
  }

  /** Prints a line of the result; there is none before the stage at hand is over. */
  print(line: string): void {
    this.close();
    this.#terminal.writeResult(`${line}\n`);
  }

  /** Leaves the open stage where it stands, so that the next line begins at the margin. */
  close(): void {
    this.#open?.leave();
    this.#open = undefined;
  }

  #line(line: string): void {
    this.#terminal.write(`${this.#wipe()}${line}\n`);
  }

  #wipe(): string {
    return this.#terminal.redraws && this.#open ? "\r\x1b[K" : "";
  }
}

class TerminalStage implements Stage {
  readonly #begun: number;
  readonly #eta: Eta;
  #done = 0;
  #detail = "";
  #shown: number;
  #ended = false;

  constructor(
    readonly terminal: Terminal,
    readonly title: string,
    readonly total: number,
  ) {
    this.#begun = this.#shown = terminal.now();
    this.#eta = new Eta(total, this.#begun);
    terminal.write(terminal.redraws ? this.#bar() : `${title} ...\n`);
  }

  update(done: number, detail: string = this.#detail): void {
    if (this.#ended) return;
    const now = this.terminal.now();
    this.#done = Math.min(done, this.total);
    this.#detail = detail;
    this.#eta.report(this.#done, now);
    if (now - this.#shown < (this.terminal.redraws ? REDRAW : LINE)) return;
    this.#shown = now;
    this.terminal.write(
      this.terminal.redraws ? this.#bar() : `${this.#state()}\n`,
    );
  }

  finish(detail: string = this.#detail): void {
    if (this.#ended) return;
    this.#ended = true;
    const took = clock(this.terminal.now() - this.#begun);
    const { redraws } = this.terminal;
    const told = `${this.title}  ${
      dim([took, detail].filter(Boolean).join("  "))
    }`;
    this.terminal.write(
      redraws ? `\r\x1b[K${green("✓")} ${told}\n` : `${told}\n`,
    );
  }

  /** Ends without claiming success: the run stopped here, or went on without saying so. */
  leave(): void {
    if (this.#done >= this.total) return this.finish();
    if (this.#ended) return;
    this.#ended = true;
    this.terminal.write(
      this.terminal.redraws ? `${this.#bar()}\n` : `${this.#state()}\n`,
    );
  }

  /** `Tuning 45/100, 0:32 left, loss 0.03` */
  #state(): string {
    const left = this.#eta.left(this.terminal.now());
    const parts = [
      left === undefined ? "" : `${clock(left)} left`,
      this.#detail,
    ];
    return [
      `${this.title} ${this.#done}/${this.total}`,
      ...parts.filter(Boolean),
    ].join(", ");
  }

  #bar(): string {
    const filled = Math.floor(BAR * this.#done / Math.max(1, this.total));
    const bar = "█".repeat(filled) + "░".repeat(BAR - filled);
    const room = Math.max(0, this.terminal.columns() - BAR - 4);
    const state = this.#state().slice(0, room);
    return `\r${cyan(bar)}  ${bold(state.slice(0, this.title.length))}${
      state.slice(this.title.length)
    }\x1b[K`;
  }
}

function processTerminal(): Terminal {
  const encoder = new TextEncoder();
  return {
    redraws: Deno.stderr.isTerminal() && Deno.env.get("TERM") !== "dumb",
    columns: () => {
      try {
        return Deno.consoleSize().columns || 80;
      } catch {
        return 80;
      }
    },
    write: (text) => void Deno.stderr.writeSync(encoder.encode(text)),
    writeResult: (text) => void Deno.stdout.writeSync(encoder.encode(text)),
    now: () => performance.now(),
  };
}
