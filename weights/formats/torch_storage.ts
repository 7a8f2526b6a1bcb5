/**
 * @file Tensors as PyTorch pickles them: a storage of numbers of one type, given by a persistent id, and a view of it
 * with sizes, strides and offset. Source: torch/_utils.py and torch/storage.py.
 */
import { WeightsError } from "../errors.ts";
import type { ByteRange } from "./byte_range.ts";
import { CheckpointTensor, type TensorStorage } from "./checkpoint_tensor.ts";
import {
  type Constructor,
  type Constructors,
  expect,
  expectBytes,
  expectCount,
  expectDict,
  expectList,
  expectName,
  expectShape,
  expectText,
} from "./pickle/constructors.ts";
import { type Item, Pending, resolve } from "./pickle/items.ts";
import { MAX_NAME, PythonObject, type Value } from "./pickle/values.ts";
import { type Dtype, DTYPE_BYTES } from "./safetensors_header.ts";

/** PyTorch's typed storages, and the storage without a type, whose elements are bytes. */
const STORAGES: Record<string, Dtype> = {
  FloatStorage: "F32",
  HalfStorage: "F16",
  BFloat16Storage: "BF16",
  DoubleStorage: "F64",
  LongStorage: "I64",
  IntStorage: "I32",
  ShortStorage: "I16",
  CharStorage: "I8",
  ByteStorage: "U8",
  BoolStorage: "BOOL",
  UntypedStorage: "U8",
  _UntypedStorage: "U8",
};

/** PyTorch's names of number types. */
const DTYPES: Record<string, Dtype> = {
  "torch.float32": "F32",
  "torch.float16": "F16",
  "torch.bfloat16": "BF16",
  "torch.float64": "F64",
  "torch.int64": "I64",
  "torch.int32": "I32",
  "torch.int16": "I16",
  "torch.int8": "I8",
  "torch.uint8": "U8",
  "torch.uint16": "U16",
  "torch.uint32": "U32",
  "torch.uint64": "U64",
  "torch.bool": "BOOL",
};

/** A storage that a pickle refers to. Its bytes may be found after the pickle was read. */
export class TorchStorage extends Pending implements TensorStorage {
  /** Type of its numbers. */
  readonly dtype: Dtype;
  /** Number of bytes. */
  readonly byteLength: number;
  /** Whether numbers have their high byte first. */
  readonly bigEndian: boolean;
  readonly #find: () => ByteRange;

  /** A storage of `count` numbers whose bytes `find` gives. */
  constructor(
    dtype: Dtype,
    count: number,
    bigEndian: boolean,
    find: () => ByteRange,
  ) {
    super("torch.Storage", []);
    this.dtype = dtype;
    this.byteLength = count * DTYPE_BYTES[dtype];
    this.bigEndian = bigEndian;
    this.#find = find;
    this.value = new CheckpointTensor(this, dtype, [count]);
  }

  /** Where its bytes are. */
  locate(): ByteRange {
    return this.#find();
  }
}

/**
 * The number type of a storage class such as `torch.FloatStorage`, or `torch.cuda.HalfStorage`.
 * @throws {WeightsError} When it is none that is known.
 */
export function storageDtype(type: Item): Dtype {
  const name = expectName(type);
  const short = name.slice(name.lastIndexOf(".") + 1);
  if (name.startsWith("torch.") && Object.hasOwn(STORAGES, short)) {
    return STORAGES[short];
  }
  throw new WeightsError(
    `Tensors are stored as ${name}, which is not a number type that can be read.`,
  );
}

/** The key of a storage or tensor: a number, or its digits. */
export function expectKey(item: Item | undefined): string {
  const key = expect(
    item,
    "a storage's key",
    (value): value is string | number | bigint =>
      ["string", "number", "bigint"].includes(typeof value) &&
      String(value).length <= MAX_NAME,
  );
  return String(key);
}

function expectStorage(item: Item): TorchStorage {
  if (item instanceof TorchStorage) return item;
  throw new WeightsError("A tensor has no storage: the file is damaged.");
}

function view(
  storage: TorchStorage,
  dtype: Dtype,
  [offset, shape, strides]: readonly Item[],
): CheckpointTensor {
  return new CheckpointTensor(
    storage,
    dtype,
    expectShape(shape),
    expectShape(strides),
    expectCount(offset),
  );
}

/** (storage, offset, sizes, strides, requires grad, hooks); the last two do not matter here. */
const rebuildTensor: Constructor = ([item, ...geometry]) => {
  const storage = expectStorage(item);
  return view(storage, storage.dtype, geometry);
};

/** The same with a number type behind the hooks, for types that have no storage class. */
const rebuildTypedTensor: Constructor = ([item, ...geometry]) => {
  const name = expectName(geometry[5]);
  if (!Object.hasOwn(DTYPES, name)) {
    throw new WeightsError(
      `A tensor is of type ${name}, which is not a number type that can be read.`,
    );
  }
  return view(expectStorage(item), DTYPES[name], geometry);
};

/** A parameter is its tensor. */
const first: Constructor = ([item]) => item;

/** (function, type, arguments, state): what the function makes, as another type of tensor. */
const rebuildFromType: Constructor = ([make, , args], call) =>
  call.invoke(expectName(make), expectList(args));

const loadFromBytes: Constructor = ([bytes], call) =>
  call.loadTorch(expectBytes(bytes));

/**
 * EG3D's and StyleGAN's networks: a dict with the class's name, its attributes and the source text of its module. The
 * text is for people to read; it is not looked at.
 */
const reconstructPersistent: Constructor = ([item], { budget }) => {
  const meta = expectDict(item);
  const className = expectText(meta.get("class_name"));
  if (className.length > MAX_NAME) {
    throw new WeightsError(
      `There is a class with a name of ${className.length} letters: the file is damaged.`,
    );
  }
  const object = new PythonObject(className);
  const state = resolve(meta.get("state") ?? null);
  if (state === null) return object;
  const attributes = expectDict(state);
  budget.spend("instructions", attributes.size);
  for (const [name, value] of attributes) {
    object.attributes.set(expectText(name), value);
  }
  return object;
};

const LISTS = ["intlist", "doublelist", "boollist", "tensorlist"];

/** PyTorch, TorchScript and the networks of EG3D. */
export const TORCH: Constructors = {
  calls: new Map<string, Constructor>([
    ["torch._utils._rebuild_tensor", rebuildTensor],
    ["torch._utils._rebuild_tensor_v2", rebuildTensor],
    ["torch._utils._rebuild_tensor_v3", rebuildTypedTensor],
    ["torch._utils._rebuild_parameter", first],
    ["torch._utils._rebuild_parameter_with_state", first],
    ["torch.nn.parameter.Parameter", first],
    ["torch.autograd.variable.Variable", first],
    ["torch._tensor._rebuild_from_type_v2", rebuildFromType],
    ["torch.storage._load_from_bytes", loadFromBytes],
    ["torch.Size", ([sizes = []]) => expectShape(sizes)],
    [
      "torch.device",
      (args) => new PythonObject("torch.device", args.map(resolve)),
    ],
    ["torch.nn.backends.thnn._get_thnn_function_backend", () => null],
    ["torch.jit._pickle.restore_type_tag", first],
    ...LISTS.map((kind) => [`torch.jit._pickle.build_${kind}`, first] as const),
    [
      "torch_utils.persistence._reconstruct_persistent_obj",
      reconstructPersistent,
    ],
  ]),
  states: new Map(),
};

/** What a persistent id says: a storage, or the class of a module whose source was kept beside it. */
export type PersistentId =
  | {
    readonly dtype: Dtype;
    readonly key: string;
    readonly count: number;
    readonly view: Value;
  }
  | { readonly module: Value };

/**
 * Takes a persistent id apart: ("storage", class, key, location, count[, view]) or ("module", class, file, source).
 * @throws {WeightsError} When it is neither.
 */
export function parsePersistentId(id: Value): PersistentId {
  const [kind, type, key, , count, view = null] = expectList(id);
  if (resolve(kind ?? null) === "module") {
    return { module: type ?? null };
  }
  if (resolve(kind ?? null) !== "storage") {
    throw new WeightsError(
      "Something outside of it is referred to that is not a tensor's storage: the file is damaged.",
    );
  }
  return {
    dtype: storageDtype(type),
    key: expectKey(key),
    count: expectCount(count),
    view: resolve(view),
  };
}
