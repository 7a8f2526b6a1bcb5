import { WeightsError } from "../errors.ts";

/**
 * Writes a file whole or not at all: under a temporary name in the same folder first, then renamed over `path`.
 * @throws {WeightsError} When it cannot be written; the temporary file is removed and an older file stays as it was.
 */
export async function writeAtomically(
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    await Deno.writeFile(temporary, bytes, { createNew: true });
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    const reason = error instanceof Error ? error.message : String(error);
    throw new WeightsError(`Cannot write ${path}: ${reason}.`, {
      cause: error,
    });
  }
}
