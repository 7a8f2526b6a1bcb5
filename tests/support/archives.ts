/** Writes ZIP and TAR archives, honest ones and others. */
import { crc32, deflateRawSync } from "node:zlib";
import { ascii, concat, le } from "./pickle_writer.ts";

/** A file of an archive. */
export interface ZipMember {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly deflate?: boolean;
  /** What the list of entries is to claim instead of the truth. */
  readonly claims?: {
    readonly length?: number;
    readonly offset?: number;
    readonly crc?: number;
    readonly flags?: number;
    readonly method?: number;
  };
}

/** A ZIP archive; `wide` writes sizes and places as ZIP64 does. */
export function zip(
  members: readonly ZipMember[],
  { wide = false } = {},
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const member of members) {
    const { name, bytes, deflate = false, claims = {} } = member;
    const packed = deflate ? new Uint8Array(deflateRawSync(bytes)) : bytes;
    const nameBytes = new TextEncoder().encode(name);
    const head = concat([
      le(claims.flags ?? 0, 2),
      le(claims.method ?? (deflate ? 8 : 0), 2),
      le(0, 4),
      le(claims.crc ?? crc32(bytes), 4),
    ]);
    const length = claims.length ?? bytes.length;
    const full = 0xffffffff;
    const local = concat([
      ...[le(0x04034b50, 4), le(20, 2), head, le(packed.length, 4)],
      ...[le(length, 4), le(nameBytes.length, 2), le(0, 2), nameBytes],
    ]);
    const extra = wide
      ? concat([
        ...[le(1, 2), le(24, 2), le(length, 8)],
        ...[le(packed.length, 8), le(claims.offset ?? at, 8)],
      ])
      : new Uint8Array(0);
    directory.push(
      ...[le(0x02014b50, 4), le(20, 2), le(20, 2), head],
      ...[le(wide ? full : packed.length, 4), le(wide ? full : length, 4)],
      ...[le(nameBytes.length, 2), le(extra.length, 2), le(0, 2), le(0, 2)],
      ...[le(0, 2), le(0, 4), le(wide ? full : claims.offset ?? at, 4)],
      ...[nameBytes, extra],
    );
    parts.push(local, packed);
    at += local.length + packed.length;
  }
  const list = concat(directory);
  const count = members.length;
  const end64 = wide
    ? concat([
      ...[le(0x06064b50, 4), le(44, 8), le(45, 2), le(45, 2), le(0, 4)],
      ...[le(0, 4), le(count, 8), le(count, 8), le(list.length, 8), le(at, 8)],
      ...[le(0x07064b50, 4), le(0, 4), le(at + list.length, 8), le(1, 4)],
    ])
    : new Uint8Array(0);
  const end = concat([
    ...[le(0x06054b50, 4), le(0, 2), le(0, 2)],
    ...[le(wide ? 0xffff : count, 2), le(wide ? 0xffff : count, 2)],
    ...[le(wide ? 0xffffffff : list.length, 4)],
    ...[le(wide ? 0xffffffff : at, 4), le(0, 2)],
  ]);
  return concat([...parts, list, end64, end]);
}

/** A TAR archive. */
export function tar(
  members: Readonly<Record<string, Uint8Array>>,
): Uint8Array<ArrayBuffer> {
  const parts = Object.entries(members).flatMap(([name, bytes]) => {
    const header = new Uint8Array(512);
    header.set(ascii(name));
    header.set(ascii("0000644\0"), 100);
    header.set(ascii(`${bytes.length.toString(8).padStart(11, "0")}\0`), 124);
    header.set(ascii("        "), 148);
    header[156] = "0".charCodeAt(0);
    header.set(ascii("ustar\x0000"), 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.set(ascii(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
    return [header, bytes, new Uint8Array(-bytes.length & 511)];
  });
  return concat([...parts, new Uint8Array(1024)]);
}
