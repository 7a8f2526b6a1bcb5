/**
 * @file TAR archives, in which PyTorch kept checkpoints before version 0.1.10 of 2017.
 * Source: POSIX.1-2017, pax, "ustar Interchange Format".
 */
import { WeightsError } from "../errors.ts";
import type { ByteRange } from "./byte_range.ts";

const BLOCK = 512;
const MAX_ENTRIES = 10_000;

/** Whether the bytes begin with the header of an entry, going by its checksum. */
export function isTar(bytes: ByteRange): boolean {
  return bytes.length >= BLOCK &&
    hasChecksum(bytes.slice(0, BLOCK).bytes());
}

/**
 * The files of an archive by name; links and folders are left out.
 * @throws {WeightsError} When it is cut short or damaged.
 */
export function readTar(
  bytes: ByteRange,
  source: string,
): ReadonlyMap<string, ByteRange> {
  const files = new Map<string, ByteRange>();
  const broken = (why: string) =>
    new WeightsError(`${source} is not a valid archive: ${why}.`);
  for (let at = 0, count = 0; at + BLOCK <= bytes.length; count++) {
    const header = bytes.slice(at, at + BLOCK).bytes();
    if (header.every((byte) => byte === 0)) break;
    if (!hasChecksum(header)) {
      throw broken(`the entry at byte ${at} is damaged`);
    }
    const length = octal(header, 124, 12);
    const begin = at + BLOCK;
    if (!(begin + length <= bytes.length)) {
      throw broken(
        `an entry of ${length} bytes begins at byte ${begin} of ${bytes.length} (is it cut short?)`,
      );
    }
    if (count > MAX_ENTRIES) throw broken(`it has over ${MAX_ENTRIES} entries`);
    const kind = String.fromCharCode(header[156]);
    if (kind === "0" || kind === "\0") {
      files.set(text(header, 0, 100), bytes.slice(begin, begin + length));
    }
    at = begin + Math.ceil(length / BLOCK) * BLOCK;
  }
  return files;
}

/** The sum of the header's bytes, its own field counted as spaces. */
function hasChecksum(header: Uint8Array): boolean {
  const sum = header.reduce((total, byte) => total + byte, 0);
  const own = header.subarray(148, 156).reduce(
    (total, byte) => total + byte,
    0,
  );
  return octal(header, 148, 8) === sum - own + 8 * 0x20;
}

function text(header: Uint8Array, begin: number, length: number): string {
  const field = header.subarray(begin, begin + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end))
    .replace(/^\.\//, "");
}

/** Not a number when the field is no octal number. */
function octal(header: Uint8Array, begin: number, length: number): number {
  const digits = text(header, begin, length).trim();
  return /^[0-7]+$/.test(digits) ? parseInt(digits, 8) : NaN;
}
