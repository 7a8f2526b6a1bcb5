/**
 * @file A run of bytes that may still lie in a file. Checkpoints are hundreds of megabytes of which a reader looks at
 * the first few kilobytes, so every reader of this folder works on ranges and loads a tensor when it is asked for.
 */
import { readOrExplain, WeightsError } from "../errors.ts";

/** Where bytes come from. */
export interface ByteSource {
  /** How many there are. */
  readonly length: number;
  /** Those from `begin` up to `end`, both within `length`. What is handed out must not be written to. */
  read(begin: number, end: number): Uint8Array;
}

/** A part of a {@linkcode ByteSource}; nothing is read before {@linkcode ByteRange.bytes}. */
export class ByteRange {
  readonly #source: ByteSource;
  readonly #begin: number;
  /** Number of bytes. */
  readonly length: number;

  /** The bytes from `begin` up to `end` of a source. */
  constructor(source: ByteSource, begin = 0, end: number = source.length) {
    this.#source = source;
    this.#begin = begin;
    this.length = end - begin;
  }

  /** A range over bytes that are in memory already; parts of it are views of them. */
  static of(bytes: Uint8Array): ByteRange {
    return new ByteRange({
      length: bytes.byteLength,
      read: (begin, end) => bytes.subarray(begin, end),
    });
  }

  /**
   * A part of this range.
   * @throws {WeightsError} When it reaches beyond the end: the file is shorter than it says.
   */
  slice(begin: number, end: number = this.length): ByteRange {
    const inside = Number.isSafeInteger(begin) && Number.isSafeInteger(end) &&
      begin >= 0 && begin <= end && end <= this.length;
    if (!inside) {
      throw new WeightsError(
        `Bytes ${begin} to ${end} are asked for, but there are only ${this.length}: the file is cut short or damaged.`,
      );
    }
    return new ByteRange(this.#source, this.#begin + begin, this.#begin + end);
  }

  /** The bytes themselves: a view where they are in memory, otherwise read from the file each time. */
  bytes(): Uint8Array {
    return this.#source.read(this.#begin, this.#begin + this.length);
  }
}

/**
 * The bytes of a file, read by range. The file is opened for each range, so there is nothing to close.
 * @throws {WeightsError} When it is missing, a folder or not readable.
 */
export async function fileBytes(path: string): Promise<ByteRange> {
  const { size, mtime, isDirectory } = await readOrExplain(
    "the weights",
    path,
    async () => {
      const file = await Deno.open(path);
      try {
        return await file.stat();
      } finally {
        file.close();
      }
    },
  );
  if (isDirectory) {
    throw new WeightsError(
      `${path} is a folder, but weights are a file; name the file.`,
    );
  }
  const read = (begin: number, end: number): Uint8Array => {
    const file = open(path);
    try {
      const now = file.statSync();
      if (now.size !== size || now.mtime?.getTime() !== mtime?.getTime()) {
        throw new WeightsError(
          `${path} was changed while it was being read; run again when nothing writes to it.`,
        );
      }
      return readExactly(file, begin, end, path);
    } finally {
      file.close();
    }
  };
  return new ByteRange({ length: size, read });
}

function open(path: string): Deno.FsFile {
  try {
    return Deno.openSync(path);
  } catch (error) {
    throw new WeightsError(
      `Cannot read the weights ${path}: ${(error as Error).message}.`,
      { cause: error },
    );
  }
}

function readExactly(
  file: Deno.FsFile,
  begin: number,
  end: number,
  path: string,
): Uint8Array {
  const bytes = new Uint8Array(end - begin);
  file.seekSync(begin, Deno.SeekMode.Start);
  for (let filled = 0; filled < bytes.length;) {
    const count = file.readSync(bytes.subarray(filled));
    if (count === null) {
      throw new WeightsError(`${path} ended at byte ${begin + filled}.`);
    }
    filled += count;
  }
  return bytes;
}
