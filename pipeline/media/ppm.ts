/**
 * Portable pixmaps (P6, 8 bits) one after another in a stream, as ffmpeg writes them: each says its
 * own size, so nothing has to be known about the video's rotation beforehand.
 *
 * @module
 */
import type { Picture } from "./picture.ts";

const HEADER = /^P6\s+(\d+)\s+(\d+)\s+255\s/;

/** Longest header that a picture within WebGPU's texture sizes can have, with room to spare. */
const HEADER_LENGTH = 32;

/**
 * Takes a stream apart into its pictures.
 *
 * @throws {Error} when the stream holds something else
 */
export async function* readPpmStream(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<Picture> {
  const reader = stream.getReader();
  let rest = new Uint8Array(0);
  try {
    while (true) {
      rest = await fill(reader, rest, HEADER_LENGTH);
      if (rest.length === 0) return;
      const header = HEADER.exec(
        String.fromCharCode(...rest.subarray(0, HEADER_LENGTH)),
      );
      if (!header) throw new Error("the stream does not hold portable pixmaps");
      const [width, height] = [Number(header[1]), Number(header[2])];
      const end = header[0].length + width * height * 3;
      rest = await fill(reader, rest, end);
      // A picture cut off in the middle belongs to a decoder that failed, and that will be told.
      if (rest.length < end) return;
      yield { width, height, data: rest.slice(header[0].length, end) };
      rest = rest.slice(end);
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** Appends to `rest` from the stream until it has `length` bytes or the stream ends. */
async function fill(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  rest: Uint8Array<ArrayBuffer>,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  if (rest.length >= length) return rest;
  const parts: Uint8Array[] = [rest];
  let have = rest.length;
  while (have < length) {
    const { value } = await reader.read();
    if (!value) break;
    parts.push(value);
    have += value.length;
  }
  const joined = new Uint8Array(have);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
