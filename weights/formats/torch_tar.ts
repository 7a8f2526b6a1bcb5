/**
 * @file What `torch.save` wrote before version 0.1.10: a TAR of `storages`, `tensors` and `pickle`. The first two are
 * counts, each followed by as many records: a pickled tuple of facts, then raw numbers. In the pickle, tensors are
 * persistent ids: their keys as text. Source: legacy_load in torch/serialization.py.
 */
import { WeightsError } from "../errors.ts";
import type { ByteRange } from "./byte_range.ts";
import { CheckpointTensor, MAX_AXES } from "./checkpoint_tensor.ts";
import { expectCount, expectList } from "./pickle/constructors.ts";
import { Cursor } from "./pickle/cursor.ts";
import type { Item } from "./pickle/items.ts";
import { type PickleOptions, readPickle } from "./pickle/machine.ts";
import type { Value } from "./pickle/values.ts";
import { DTYPE_BYTES } from "./safetensors_header.ts";
import { expectKey, storageDtype, TorchStorage } from "./torch_storage.ts";

/** Whether an archive is PyTorch's. */
export function isTorchTar(files: ReadonlyMap<string, ByteRange>): boolean {
  return ["pickle", "storages", "tensors"].every((name) => files.has(name));
}

/**
 * Reads the object of an archive; its tensors' bytes stay where they are.
 * @throws {WeightsError} When the archive is damaged.
 */
export function readTorchTar(
  files: ReadonlyMap<string, ByteRange>,
  options: PickleOptions,
): Item {
  const member = (name: string) => ({
    bytes: files.get(name)!,
    options: { ...options, source: `${options.source} (${name})` },
  });
  const storages = readStorages(member("storages"));
  const tensors = readTensors(member("tensors"), storages);
  const persistent = (id: Value): Item => {
    // A tuple is a module with its source text, or the class of one.
    if (Array.isArray(id)) return id[0];
    const key = expectKey(id);
    const found = tensors.get(key) ?? storages.get(key);
    if (found) return found;
    throw new WeightsError(
      `There is no tensor ${key} in it: the file is damaged.`,
    );
  };
  const { bytes, options: own } = member("pickle");
  return readPickle(bytes, { ...own, persistent }).item;
}

interface Member {
  readonly bytes: ByteRange;
  readonly options: PickleOptions;
}

/** Reads the pickles and numbers of a member, one after the other. */
class RecordReader {
  readonly cursor: Cursor;
  readonly #member: Member;

  constructor(member: Member) {
    this.#member = member;
    this.cursor = new Cursor(member.bytes, member.options.source);
  }

  pickle(): Item {
    const { bytes, options } = this.#member;
    const { item, end } = readPickle(bytes, options, this.cursor.position);
    this.cursor.position = end;
    return item;
  }

  /** The count, then calls `read` with the facts of each record. */
  records(read: (facts: Value[]) => void): void {
    const count = expectCount(this.pickle());
    for (let k = 0; k < count; k++) read(expectList(this.pickle()));
  }
}

/** (key, location, class), a count (int64) and the numbers; at the end (key, key of the whole, offset, count) of views. */
function readStorages(member: Member): Map<string, TorchStorage> {
  const storages = new Map<string, TorchStorage>();
  const reader = new RecordReader(member);
  reader.records(([key, , type]) => {
    const dtype = storageDtype(type);
    const count = reader.cursor.u64();
    const bytes = reader.cursor.range(count * DTYPE_BYTES[dtype]);
    const storage = new TorchStorage(dtype, count, false, () => bytes);
    storages.set(expectKey(key), storage);
  });
  for (const view of expectList(reader.pickle())) {
    const [key, whole, begin, count] = expectList(view);
    const root = known(storages, whole);
    const width = DTYPE_BYTES[root.dtype];
    const at = expectCount(begin) * width;
    const bytes = root.locate().slice(at, at + expectCount(count) * width);
    const part = new TorchStorage(
      root.dtype,
      expectCount(count),
      false,
      () => bytes,
    );
    storages.set(expectKey(key), part);
  }
  return storages;
}

/** (key, key of its storage, class), number of axes (int64), sizes, strides and offset (int64 each). */
function readTensors(
  member: Member,
  storages: ReadonlyMap<string, TorchStorage>,
): Map<string, CheckpointTensor> {
  const tensors = new Map<string, CheckpointTensor>();
  const reader = new RecordReader(member);
  reader.records(([key, storageKey]) => {
    const storage = known(storages, storageKey);
    const axes = reader.cursor.u32();
    reader.cursor.u32();
    if (axes > MAX_AXES) {
      throw reader.cursor.broken(`there is a tensor of ${axes} axes`);
    }
    const numbers = () =>
      Array.from({ length: axes }, () => reader.cursor.u64());
    const shape = numbers();
    const strides = numbers();
    const tensor = new CheckpointTensor(
      storage,
      storage.dtype,
      shape,
      strides,
      reader.cursor.u64(),
    );
    tensors.set(expectKey(key), tensor);
  });
  return tensors;
}

function known(
  storages: ReadonlyMap<string, TorchStorage>,
  key: Value,
): TorchStorage {
  const storage = storages.get(expectKey(key));
  if (storage) return storage;
  throw new WeightsError(
    "A tensor refers to a storage that is not there: the file is damaged.",
  );
}
