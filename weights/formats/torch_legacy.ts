/**
 * @file What `torch.save` wrote before version 1.6, and still writes for a storage inside another pickle: a magic
 * number, a protocol number and facts about the machine, each pickled; the object; the keys of its storages; then the
 * storages, each a count (int64) and its numbers. Source: torch/serialization.py.
 */
import { WeightsError } from "../errors.ts";
import type { ByteRange } from "./byte_range.ts";
import { expectCount, expectDict, expectList } from "./pickle/constructors.ts";
import { Cursor } from "./pickle/cursor.ts";
import type { Item } from "./pickle/items.ts";
import { type PickleOptions, readPickle } from "./pickle/machine.ts";
import type { Value } from "./pickle/values.ts";
import { DTYPE_BYTES } from "./safetensors_header.ts";
import {
  expectKey,
  parsePersistentId,
  type PersistentId,
  TorchStorage,
} from "./torch_storage.ts";

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;
/** The magic number as a pickle: PROTO 2, LONG1 of ten bytes, STOP. */
const MAGIC_PICKLE = "80028a0a6cfc9c46f9206aa850192e";

/** Whether the file begins as `torch.save` of old began its own. */
export function isTorchLegacy(bytes: ByteRange): boolean {
  const length = MAGIC_PICKLE.length / 2;
  return bytes.length > length &&
    bytes.slice(0, length).bytes().toHex() === MAGIC_PICKLE;
}

/** A storage of the file: what the pickle said of it, and where it was found. */
interface Root {
  readonly width: number;
  readonly count: number;
  bytes?: ByteRange;
}

/**
 * Reads the object; its tensors' bytes stay where they are.
 * @throws {WeightsError} When the file is damaged.
 */
export function readTorchLegacy(
  bytes: ByteRange,
  options: PickleOptions,
): Item {
  const roots = new Map<string, Root>();
  const header = readHeader(bytes, options);
  const persistent = (id: Value) =>
    storageOf(parsePersistentId(id), roots, header.bigEndian, options.source);
  const object = readPickle(bytes, { ...options, persistent }, header.end);
  const keys = readPickle(bytes, options, object.end);
  const cursor = new Cursor(bytes, options.source, keys.end);
  for (const key of expectList(keys.item)) {
    const root = roots.get(expectKey(key));
    if (!root) throw cursor.broken("there is a storage that no tensor uses");
    const count = cursor.u64();
    if (count !== root.count) {
      throw cursor.broken(
        `a storage has ${count} numbers instead of ${root.count}`,
      );
    }
    root.bytes = cursor.range(count * root.width);
  }
  return object.item;
}

function readHeader(
  bytes: ByteRange,
  options: PickleOptions,
): { end: number; bigEndian: boolean } {
  const magic = readPickle(bytes, options);
  const protocol = readPickle(bytes, options, magic.end);
  const system = readPickle(bytes, options, protocol.end);
  if (magic.item !== MAGIC || protocol.item !== PROTOCOL) {
    throw new WeightsError(
      `${options.source} is not what torch.save writes: its magic number is wrong.`,
    );
  }
  const bigEndian = expectDict(system.item).get("little_endian") === false;
  return { end: system.end, bigEndian };
}

function storageOf(
  id: PersistentId,
  roots: Map<string, Root>,
  bigEndian: boolean,
  source: string,
): Item {
  if ("module" in id) return id.module;
  const { dtype, key, count, view } = id;
  const width = DTYPE_BYTES[dtype];
  let root = roots.get(key);
  if (!root) {
    root = { width, count };
    roots.set(key, root);
  }
  const [begin, size] = viewOf(view, count);
  return new TorchStorage(dtype, size, bigEndian, () => {
    if (root.bytes) {
      return root.bytes.slice(begin * width, (begin + size) * width);
    }
    throw new WeightsError(
      `${source} refers to the storage ${key}, which it does not hold: the file is damaged.`,
    );
  });
}

/** A storage may be a part of another: (key, offset, count). */
function viewOf(view: Value, count: number): [begin: number, size: number] {
  if (view === null) return [0, count];
  const [begin, size] = expectList(view).slice(1, 3).map(expectCount);
  if (!(begin + size <= count)) {
    throw new WeightsError(
      "A part of a storage reaches beyond it: the file is damaged.",
    );
  }
  return [begin, size];
}
