import { WeightsError } from "../errors.ts";

/**
 * Writes a file whole or not at all: under a temporary name in the same folder first, then renamed over `path`.
 * Given in pieces, they are made one at a time, as they are written.
 * @throws {WeightsError} When it cannot be written; the temporary file is removed and an older file stays as it was.
 */
export async function writeAtomically(
  path: string,
  content: Uint8Array | Iterable<Uint8Array>,
): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    const pieces = content instanceof Uint8Array ? [content] : content;
    await writePieces(temporary, pieces);
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    if (error instanceof WeightsError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new WeightsError(`Cannot write ${path}: ${reason}.`, {
      cause: error,
    });
  }
}

async function writePieces(
  path: string,
  pieces: Iterable<Uint8Array>,
): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  for (const piece of pieces) {
    for (let written = 0; written < piece.byteLength;) {
      written += await file.write(piece.subarray(written));
    }
  }
}
