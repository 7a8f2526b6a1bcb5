/**
 * Files in and out: results appear whole or not at all, and whatever the file system refuses becomes
 * one sentence.
 *
 * @module
 */
import { join, SEPARATOR } from "@std/path";
import { replaceWhole, temporaryName } from "../../weights/files/atomic.ts";
import { PantomimeError, UsageError } from "../errors.ts";

/**
 * Says in one sentence why a file could not be read or written.
 *
 * @param error what Deno threw; an error that already is a sentence is handed back
 * @param path the file or folder as the user named it
 * @param doing what was tried
 */
export function explainFileError(
  error: unknown,
  path: string,
  doing: "read" | "write",
): PantomimeError {
  if (error instanceof PantomimeError) return error;
  return new PantomimeError(`${reason(error, path, doing)}.`, { cause: error });
}

function reason(error: unknown, path: string, doing: "read" | "write"): string {
  const code = (error as { code?: string } | null)?.code;
  const done = doing === "read" ? "read" : "written";
  if (error instanceof Deno.errors.NotFound) {
    return doing === "read"
      ? `There is no file or folder "${path}"; check the path`
      : `"${path}" cannot be written because its folder is not there; check the path`;
  }
  if (error instanceof Deno.errors.NotCapable) {
    return `Deno was not allowed to ${doing} "${path}"; start through ./run or "deno task", ` +
      `or add --allow-${doing}`;
  }
  if (
    error instanceof Deno.errors.PermissionDenied || code === "EACCES" ||
    code === "EPERM"
  ) {
    return `"${path}" cannot be ${done} because you may not ${doing} there; ` +
      `change its permissions or choose another path`;
  }
  if (code === "EROFS") {
    return `"${path}" cannot be written because the disk is read-only; choose another path`;
  }
  if (code === "ENOSPC" || code === "EDQUOT") {
    return `The disk is full, so "${path}" was not written; free some space and run again`;
  }
  if (error instanceof Deno.errors.IsADirectory) {
    return `"${path}" is a folder, but a file is needed; name a file`;
  }
  if (
    error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.AlreadyExists
  ) {
    return `"${path}" cannot be ${done} because part of that path is a file, not a folder; ` +
      `choose another path`;
  }
  const told = error instanceof Error ? error.message : String(error);
  return `"${path}" could not be ${done} (${told.replace(/[.\s]+$/, "")})`;
}

/**
 * Reads a whole file.
 *
 * @throws {PantomimeError} when it is missing, a folder or not readable
 */
export async function readBytes(
  path: string,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    throw explainFileError(error, path, "read");
  }
}

/**
 * Makes sure that there is a file or folder of this name.
 *
 * @throws {PantomimeError} when there is none, or it may not be looked at
 */
export async function requireFile(path: string): Promise<void> {
  try {
    await Deno.stat(path);
  } catch (error) {
    throw explainFileError(error, path, "read");
  }
}

/** Whether two paths lead to one file, also through links. */
export async function isSameFile(a: string, b: string): Promise<boolean> {
  return await realPath(a) === await realPath(b);
}

/** What is not there yet leads nowhere else. */
async function realPath(path: string): Promise<string> {
  return await Deno.realPath(path).catch(() => path);
}

/**
 * Makes sure that a folder of results may be replaced as a whole: nothing is there, or only what an
 * earlier run wrote and this one does not read.
 *
 * @param own names that runs give to files in it
 * @param inputs what this run reads
 * @throws {UsageError} when an input lies there
 * @throws {PantomimeError} when something else lies there, or it may not be looked at
 */
export async function requireReplaceable(
  folder: string,
  own: RegExp,
  inputs: readonly (string | undefined)[] = [],
): Promise<void> {
  const place = await realPath(folder);
  for (const input of inputs) {
    if (input === undefined) continue;
    if (!`${await realPath(input)}${SEPARATOR}`.startsWith(place + SEPARATOR)) {
      continue;
    }
    throw new UsageError(
      `"${input}" lies in "${folder}", which the results replace; give another --out.`,
    );
  }
  const other = (await namesIn(folder)).find((name) => !own.test(name));
  if (other === undefined) return;
  throw new PantomimeError(
    `"${folder}" is to be replaced by results, but "${other}" in it is none; ` +
      `move it away, or give another --out.`,
  );
}

/** Names in a folder of results; none when it is not there. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name)
      .sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw explainFileError(error, folder, "write");
  }
}

/**
 * Makes a folder and the folders above it, and makes sure that files can be written there.
 *
 * @throws {PantomimeError} when that is not possible
 */
export async function ensureFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
    const probe = temporaryName(join(path, "probe"));
    await Deno.writeFile(probe, new Uint8Array(1));
    await Deno.remove(probe);
  } catch (error) {
    throw explainFileError(error, path, "write");
  }
}

/**
 * Writes a file so that it appears whole or not at all.
 *
 * @throws {PantomimeError} when the disk is full or the place cannot be written to
 */
export async function writeFileAtomic(
  path: string,
  content: Uint8Array | string,
): Promise<void> {
  const bytes = typeof content === "string"
    ? new TextEncoder().encode(content)
    : content;
  await replaceAtomic(path, (temporary) => Deno.writeFile(temporary, bytes));
}

/**
 * Replaces a file or a folder by one that `make` leaves under a temporary name in the same folder;
 * when `make` fails, what was there before stays.
 *
 * @throws {PantomimeError} when the disk is full or the place cannot be written to
 */
export async function replaceAtomic(
  path: string,
  make: (temporary: string) => Promise<void>,
): Promise<void> {
  try {
    await replaceWhole(path, make);
  } catch (error) {
    throw explainFileError(error, path, "write");
  }
}
