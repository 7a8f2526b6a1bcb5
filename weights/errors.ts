/**
 * What every reader of this folder throws when a file is missing or is not what its name promises.
 * The message is one sentence that a person can act on: which file, what is wrong with it.
 */
export class WeightsError extends Error {
  /** The class, for whoever sees the error printed. */
  override readonly name: string = "WeightsError";

  /** An error of this message; what it quotes from a file may not break its line or give orders to a terminal. */
  constructor(message: string, options?: ErrorOptions) {
    // deno-lint-ignore no-control-regex
    super(message.replace(/[\x00-\x1f\x7f-\x9f]+/g, " "), options);
  }
}

/** Runs `read` and puts a failed file access into one sentence that names `what` and the path. */
export async function readOrExplain<T>(
  what: string,
  path: string,
  read: () => Promise<T>,
): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof WeightsError) throw error;
    const reason = error instanceof Deno.errors.NotFound
      ? "it does not exist"
      : error instanceof Deno.errors.PermissionDenied ||
          error instanceof Deno.errors.NotCapable
      ? "reading it is not allowed"
      : error instanceof Error
      ? error.message
      : String(error);
    throw new WeightsError(`Cannot read ${what} ${path}: ${reason}.`, {
      cause: error,
    });
  }
}
