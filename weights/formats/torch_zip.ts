/**
 * @file What `torch.save` writes since version 1.6, and TorchScript's archives: a ZIP with everything in one folder, the
 * pickle `data.pkl`, a file of raw numbers for each storage in `data/`, and the order of bytes in `byteorder`.
 * TorchScript adds `constants.pkl` with its tensors in `constants/`, and source text in `code/`, which is not read.
 */
import { WeightsError } from "../errors.ts";
import { ByteRange } from "./byte_range.ts";
import { type Item, settle } from "./pickle/items.ts";
import { type PickleOptions, readPickle } from "./pickle/machine.ts";
import type { Value } from "./pickle/values.ts";
import { DTYPE_BYTES } from "./safetensors_header.ts";
import { parsePersistentId, TorchStorage } from "./torch_storage.ts";
import type { ZipEntry } from "./zip_archive.ts";

/** Read in one piece, its checksum is compared; larger ones hold arrays, which are better left in the file. */
const MAX_CHECKED_PICKLE = 2 ** 24;
const OBJECT = /^((?:[^/]*\/)?)data\.pkl$/;

/** An archive that PyTorch wrote. */
export interface TorchArchive {
  /** The folder of everything in it, with a slash, or nothing. */
  readonly folder: string;
  /** Whether TorchScript wrote it. */
  readonly isScript: boolean;
}

/** Whether an archive is PyTorch's. */
export function findTorchArchive(
  entries: ReadonlyMap<string, ZipEntry>,
): TorchArchive | undefined {
  for (const name of entries.keys()) {
    const folder = OBJECT.exec(name)?.[1];
    if (folder !== undefined) {
      return { folder, isScript: entries.has(`${folder}constants.pkl`) };
    }
  }
}

/**
 * Reads the object of an archive; its tensors' bytes stay where they are.
 * @throws {WeightsError} When the archive is damaged.
 */
export function readTorchZip(
  entries: ReadonlyMap<string, ZipEntry>,
  { folder }: TorchArchive,
  options: PickleOptions,
): Item {
  return readMember(entries, folder, "data", options);
}

/**
 * The constants of a TorchScript archive: tensors that its code refers to by number.
 * @throws {WeightsError} When the archive is damaged.
 */
export function readTorchConstants(
  entries: ReadonlyMap<string, ZipEntry>,
  { folder }: TorchArchive,
  options: PickleOptions,
): Value {
  return settle(readMember(entries, folder, "constants", options));
}

/** `NAME.pkl`, with its storages in `NAME/`. */
function readMember(
  entries: ReadonlyMap<string, ZipEntry>,
  folder: string,
  name: string,
  options: PickleOptions,
): Item {
  const bigEndian = isBigEndian(entries.get(`${folder}byteorder`), options);
  const pickle = entries.get(`${folder}${name}.pkl`)!;
  const persistent = (id: Value): Item => {
    const parsed = parsePersistentId(id);
    if ("module" in parsed) return parsed.module;
    const { dtype, key, count } = parsed;
    const path = `${folder}${name}/${key}`;
    const entry = entries.get(path);
    const needed = count * DTYPE_BYTES[dtype];
    if (!entry || entry.length < needed) {
      throw new WeightsError(
        `A tensor needs ${needed} bytes of the entry ${path}, which ${
          entry ? `has ${entry.length}` : "is missing"
        }: the file is damaged.`,
      );
    }
    return new TorchStorage(dtype, count, bigEndian, () => entry.open());
  };
  const source = `${options.source} (${pickle.name})`;
  options.budget.spend("instructions", entries.size);
  options.budget.spend("bytes of packed objects", pickle.unpacked);
  const bytes = pickle.length <= MAX_CHECKED_PICKLE
    ? ByteRange.of(pickle.open().bytes())
    : pickle.open();
  return readPickle(bytes, { ...options, source, persistent }).item;
}

function isBigEndian(
  entry: ZipEntry | undefined,
  { source }: PickleOptions,
): boolean {
  if (!entry) return false;
  const order = new TextDecoder().decode(entry.head(16)).trim();
  if (order === "little" || order === "big") return order === "big";
  throw new WeightsError(
    `${source} has the byte order ${JSON.stringify(order)}, which is unknown.`,
  );
}
