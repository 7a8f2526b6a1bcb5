/**
 * The log of a training: one JSON object a line, to be plotted by any program.
 *
 * @module
 */
import { explainFileError, writeFileAtomic } from "../pipeline/media/files.ts";

/** One line. */
export type LogLine =
  & { readonly step: number }
  & Readonly<
    Record<string, unknown>
  >;

/** Lines of a file, as far as they are whole and not later than a step. */
export async function readLog(
  path: string,
  until: number = Infinity,
): Promise<LogLine[]> {
  const text = await Deno.readTextFile(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return "";
    throw explainFileError(error, path, "read");
  });
  return text.split("\n").flatMap((line) => {
    try {
      const value: LogLine = JSON.parse(line);
      return value.step <= until ? [value] : [];
    } catch {
      // a line that was being written when the machine stopped
      return [];
    }
  });
}

/** A log that grows. */
export class TrainingLog {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /**
   * Opens a log; what was written after `step`, by a run that did not get to
   * save it, is dropped.
   *
   * @throws {PantomimeError} when the file cannot be written
   */
  static async open(path: string, step: number): Promise<TrainingLog> {
    const kept = await readLog(path, step);
    await writeFileAtomic(
      path,
      kept.map((line) => `${JSON.stringify(line)}\n`).join(""),
    );
    return new TrainingLog(path);
  }

  /**
   * Adds a line.
   *
   * @throws {PantomimeError} when the disk is full
   */
  async add(line: LogLine): Promise<void> {
    try {
      await Deno.writeTextFile(this.#path, `${JSON.stringify(line)}\n`, {
        append: true,
      });
    } catch (error) {
      throw explainFileError(error, this.#path, "write");
    }
  }
}
