/**
 * One front door to every file of weights: the format is recognised by what is in the file, whatever its name. The
 * content comes out as plain data, with the numbers of its tensors still in the file until they are asked for.
 *
 * Formats: pickles of EG3D, StyleGAN2-ADA and FLAME (protocols 0 to 5, Python 2 as well); PyTorch's ZIP, its older
 * format and its oldest (TAR); TorchScript; NumPy's `.npy` and `.npz`; safetensors; TensorFlow.js graph models. No code
 * that a file brings along is ever run.
 * @module
 */
import { WeightsError } from "./errors.ts";
import { ByteRange, fileBytes } from "./formats/byte_range.ts";
import { CheckpointTensor } from "./formats/checkpoint_tensor.ts";
import { isNpy, readNpy, readNpz } from "./formats/npy.ts";
import { Budget } from "./formats/pickle/budget.ts";
import { joinConstructors, PYTHON } from "./formats/pickle/constructors.ts";
import { type Item, settle } from "./formats/pickle/items.ts";
import { type PickleOptions, readPickle } from "./formats/pickle/machine.ts";
import { NUMPY } from "./formats/pickle/numpy_objects.ts";
import type { Value } from "./formats/pickle/values.ts";
import { fromFloat32 } from "./formats/safetensors.ts";
import {
  isSafetensors,
  readSafetensorsRange,
} from "./formats/safetensors_range.ts";
import { isTar, readTar } from "./formats/tar_archive.ts";
import { readTfGraph } from "./formats/tfjs_graph.ts";
import { isTorchLegacy, readTorchLegacy } from "./formats/torch_legacy.ts";
import { TORCH } from "./formats/torch_storage.ts";
import { isTorchTar, readTorchTar } from "./formats/torch_tar.ts";
import {
  findTorchArchive,
  readTorchConstants,
  readTorchZip,
} from "./formats/torch_zip.ts";
import { isZip, readZip } from "./formats/zip_archive.ts";
import type { WeightTensor } from "./tensor.ts";

export { ByteRange } from "./formats/byte_range.ts";
export { CheckpointTensor } from "./formats/checkpoint_tensor.ts";
export { SparseMatrix } from "./formats/pickle/sparse_matrix.ts";
export {
  ObjectArray,
  PythonName,
  PythonObject,
  type Value,
} from "./formats/pickle/values.ts";
export { stateDict } from "./formats/state_dict.ts";

/** The formats that are told apart. */
export type CheckpointFormat =
  | "pickle"
  | "torch-zip"
  | "torch-legacy"
  | "torch-tar"
  | "torchscript"
  | "npy"
  | "npz"
  | "safetensors"
  | "tfjs-graph";

/** A file of weights. */
export interface Checkpoint {
  /** The file's name, for messages. */
  readonly source: string;
  /** What kind of file it is. */
  readonly format: CheckpointFormat;
  /** Bytes of the file. */
  readonly byteLength: number;
  /** What it holds. For safetensors, npz and graph models a `Map` of tensors by name. */
  readonly root: Value;
  /** The metadata of a safetensors file; empty for other formats. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Constants of a TorchScript archive, which its code refers to by position. */
  readonly constants?: Value;
}

/** What may be called while a pickle is read. */
const CONSTRUCTORS = joinConstructors(PYTHON, NUMPY, TORCH);
/** Storages lie in a pickle in a pickle; deeper ones do not occur. */
const MAX_NESTING = 3;
/** A longer text is no model.json; its weights are in files of their own. */
const MAX_JSON_BYTES = 2 ** 27;

/**
 * Opens a file of weights. Only its structure is read; it has to stay where it is while its tensors are in use.
 * @throws {WeightsError} When it is missing, of no known format, damaged, or calls what no checkpoint needs; the
 * message says which.
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const bytes = await fileBytes(path);
  return isModelJson(bytes)
    ? await openTfGraph(path, bytes.length)
    : parseCheckpoint(bytes, path);
}

/**
 * Interprets the bytes of a file of weights; a TensorFlow.js model, being several files, is only read by
 * {@linkcode openCheckpoint}.
 * @param source Name used in error messages.
 * @throws {WeightsError} As {@linkcode openCheckpoint}.
 */
export function parseCheckpoint(
  bytes: ByteRange | Uint8Array,
  source = "the data",
): Checkpoint {
  const range = bytes instanceof ByteRange ? bytes : ByteRange.of(bytes);
  const options = pickleOptions(source, new Budget(source), 0);
  const base = { source, metadata: {}, byteLength: range.length };
  if (isZip(range)) return { ...base, ...readArchive(range, options) };
  if (isSafetensors(range)) {
    const { metadata, tensors } = readSafetensorsRange(range, source);
    const root = new Map<Value, Value>(tensors);
    return { ...base, format: "safetensors", root, metadata };
  }
  if (isNpy(range)) {
    return { ...base, format: "npy", root: readNpy(range, options) };
  }
  if (isTorchLegacy(range)) {
    const root = settle(readTorchLegacy(range, options));
    return { ...base, format: "torch-legacy", root };
  }
  if (isTar(range)) {
    const root = readTarCheckpoint(range, options);
    return { ...base, format: "torch-tar", root };
  }
  if (!mayBePickle(range)) throw unknown(range, source);
  const root = settle(readPickle(range, options).item);
  return { ...base, format: "pickle", root };
}

function pickleOptions(
  source: string,
  budget: Budget,
  nesting: number,
): PickleOptions {
  const loadTorch = (bytes: ByteRange): Item => {
    if (nesting >= MAX_NESTING) {
      throw new WeightsError("tensors are nested in tensors without end");
    }
    const options = pickleOptions(source, budget, nesting + 1);
    if (!isZip(bytes)) return readTorchLegacy(bytes, options);
    const entries = readZip(bytes, source);
    const archive = findTorchArchive(entries);
    if (!archive) throw new WeightsError("an archive holds no tensors");
    return readTorchZip(entries, archive, options);
  };
  return { source, budget, constructors: CONSTRUCTORS, loadTorch };
}

function readArchive(
  bytes: ByteRange,
  options: PickleOptions,
): Pick<Checkpoint, "format" | "root" | "constants"> {
  const entries = readZip(bytes, options.source);
  const archive = findTorchArchive(entries);
  if (archive) {
    const root = settle(readTorchZip(entries, archive, options));
    if (!archive.isScript) return { format: "torch-zip", root };
    const constants = readTorchConstants(entries, archive, options);
    return { format: "torchscript", root, constants };
  }
  if ([...entries.keys()].some((name) => name.endsWith(".npy"))) {
    return { format: "npz", root: readNpz(entries, options) };
  }
  throw new WeightsError(
    `${options.source} is a ZIP archive without a checkpoint; unpack it and give one of its files.`,
  );
}

function readTarCheckpoint(bytes: ByteRange, options: PickleOptions): Value {
  const files = readTar(bytes, options.source);
  if (isTorchTar(files)) return settle(readTorchTar(files, options));
  throw new WeightsError(
    `${options.source} is a TAR archive without a checkpoint; unpack it and give one of its files.`,
  );
}

/** Protocol 2 and later say so; of the older ones nothing is certain but the last byte. */
function mayBePickle(bytes: ByteRange): boolean {
  if (bytes.length < 2) return false;
  const [first, protocol] = bytes.slice(0, 2).bytes();
  if (first === 0x80) return protocol >= 2 && protocol <= 5;
  const [last] = bytes.slice(bytes.length - 1).bytes();
  return last === 0x2e &&
    "(]}lcdiFGIJKLMNSTUVX".includes(String.fromCharCode(first));
}

/** The length with which a safetensors file begins may have the bytes of a space and a brace. */
function isModelJson(bytes: ByteRange): boolean {
  return !isSafetensors(bytes) && bytes.length <= MAX_JSON_BYTES &&
    startOf(bytes).trimStart().startsWith("{");
}

async function openTfGraph(
  path: string,
  byteLength: number,
): Promise<Checkpoint> {
  const root = new Map<Value, Value>();
  for (const [name, weight] of await readGraphWeights(path)) {
    const { dtype, shape, bytes } = fromFloat32(weight);
    const range = ByteRange.of(bytes);
    const storage = { byteLength: range.length, locate: () => range };
    root.set(name, new CheckpointTensor(storage, dtype, shape));
  }
  const format = "tfjs-graph";
  return { source: path, format, root, metadata: {}, byteLength };
}

async function readGraphWeights(
  path: string,
): Promise<ReadonlyMap<string, WeightTensor>> {
  try {
    return (await readTfGraph(path)).weights;
  } catch (error) {
    if (error instanceof WeightsError) throw error;
    throw new WeightsError(
      `${path} is not a valid TensorFlow.js graph model: parts of it are missing or of the wrong kind.`,
      { cause: error },
    );
  }
}

/** What people have instead of a checkpoint, by how it begins. */
const MISTAKES: [begins: string, what: string][] = [
  [
    "version https://git-lfs",
    "is a Git LFS pointer; fetch the file itself with git lfs pull",
  ],
  ["<", "is a web page; the download was refused, so get it in a browser"],
  ["\x1f\u008b", "is compressed by gzip; unpack it first"],
  ["BZh", "is compressed by bzip2; unpack it first"],
  ["7z\u00bc\u00af", "is a 7z archive; unpack it first"],
  ["Rar!", "is a RAR archive; unpack it first"],
  [
    "\u0089HDF",
    "is an HDF5 file, which cannot be read; convert it to .npz or safetensors",
  ],
];

function unknown(bytes: ByteRange, source: string): WeightsError {
  const start = startOf(bytes);
  const mistake = MISTAKES.find(([begins]) => start.startsWith(begins))?.[1];
  return new WeightsError(
    bytes.length === 0
      ? `${source} is empty; download it again.`
      : `${source} ${
        mistake ??
          "is of no format that can be read: pickle, PyTorch, TorchScript, NumPy, safetensors, TensorFlow.js"
      }.`,
  );
}

/** The first bytes, each as the character of its number. */
function startOf(bytes: ByteRange): string {
  return String.fromCharCode(
    ...bytes.slice(0, Math.min(64, bytes.length)).bytes(),
  );
}
