import { basename, dirname, join } from "@std/path";
import { WeightsError } from "../errors.ts";

/**
 * Replaces a file or a folder by one that `make` leaves under a temporary name in the same folder; whatever fails,
 * what was there before stays and nothing else is left.
 */
export async function replaceWhole(
  path: string,
  make: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = temporaryName(path);
  try {
    await make(temporary);
    await swapIn(temporary, path);
  } catch (error) {
    await Deno.remove(temporary, { recursive: true }).catch(() => {});
    throw error;
  }
}

/** Keeps the extension, which ffmpeg goes by, and starts with a dot, so that no listing shows it. */
export function temporaryName(path: string): string {
  return join(
    dirname(path),
    `.partial-${crypto.randomUUID().slice(0, 8)}-${basename(path)}`,
  );
}

/** A rename replaces a file, but not a folder that has something in it: that one steps aside first. */
async function swapIn(temporary: string, path: string): Promise<void> {
  if (!await isFolder(path) || !await isFolder(temporary)) {
    return await Deno.rename(temporary, path);
  }
  const old = temporaryName(path);
  await Deno.rename(path, old);
  try {
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.rename(old, path);
    throw error;
  }
  await Deno.remove(old, { recursive: true });
}

/** Whether a path is a folder; false when there is nothing. */
export async function isFolder(path: string): Promise<boolean> {
  return await Deno.stat(path).then((found) => found.isDirectory, () => false);
}

/**
 * Writes a file whole or not at all, from pieces that are made one at a time, as they are written.
 * @throws {WeightsError} When it cannot be written; an older file stays as it was.
 */
export async function writeAtomically(
  path: string,
  pieces: Iterable<Uint8Array>,
): Promise<void> {
  try {
    await replaceWhole(path, (temporary) => writePieces(temporary, pieces));
  } catch (error) {
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
