/** @file safetensors files of which only the header is read; their tensors stay in the file until they are asked for. */
import { WeightsError } from "../errors.ts";
import type { ByteRange } from "./byte_range.ts";
import { CheckpointTensor } from "./checkpoint_tensor.ts";
import { headerEnd, readHeader } from "./safetensors_header.ts";

/** Whether the bytes begin as a safetensors file does: a length, then a JSON object. */
export function isSafetensors(bytes: ByteRange): boolean {
  if (bytes.length < 10) return false;
  const start = bytes.slice(0, 9).bytes();
  return start[8] === "{".charCodeAt(0) && start[6] === 0 && start[7] === 0;
}

/**
 * Reads the header.
 * @throws {WeightsError} When it does not describe the bytes exactly.
 */
export function readSafetensorsRange(
  bytes: ByteRange,
  source: string,
): {
  metadata: Readonly<Record<string, string>>;
  tensors: Map<string, CheckpointTensor>;
} {
  const broken = (why: string) =>
    new WeightsError(`${source} is not a valid safetensors file: ${why}.`);
  const start = bytes.slice(0, Math.min(8, bytes.length)).bytes();
  const end = headerEnd(start, bytes.length, broken);
  const body = bytes.slice(end);
  const { metadata, entries } = readHeader(
    bytes.slice(8, end).bytes(),
    body.length,
    broken,
  );
  const tensors = new Map<string, CheckpointTensor>();
  for (const { name, dtype, shape, begin, end } of entries) {
    const storage = {
      byteLength: end - begin,
      locate: () => body.slice(begin, end),
    };
    tensors.set(name, new CheckpointTensor(storage, dtype, shape));
  }
  return { metadata, tensors };
}
