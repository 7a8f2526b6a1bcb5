/** Writes what `torch.save` and TorchScript write, in each of their formats. */
import { tar, zip, type ZipMember } from "./archives.ts";
import { concat, dict, le, type Node, pickle } from "./pickle_writer.ts";

/** Storage classes by element type, with the width of an element. */
export const STORAGES = {
  F32: ["FloatStorage", 4],
  F16: ["HalfStorage", 2],
  BF16: ["BFloat16Storage", 2],
  F64: ["DoubleStorage", 8],
  I64: ["LongStorage", 8],
  I32: ["IntStorage", 4],
  I16: ["ShortStorage", 2],
  I8: ["CharStorage", 1],
  U8: ["ByteStorage", 1],
  BOOL: ["BoolStorage", 1],
} as const;

/** An element type of {@linkcode STORAGES}. */
export type Element = keyof typeof STORAGES;

/** A tensor to be written: bytes of a storage, and the view of it. */
export interface Tensor {
  readonly element: Element;
  readonly bytes: Uint8Array;
  readonly shape: number[];
  readonly strides?: number[];
  readonly offset?: number;
}

/** A tensor of float32. */
export function floats(values: number[], shape = [values.length]): Tensor {
  const bytes = new Uint8Array(new Float32Array(values).buffer);
  return { element: "F32", bytes, shape };
}

type Format = "zip" | "legacy" | "tar";

/** Puts the tensors of an object in one file; the object is made by `build`, which is given a node for each tensor. */
export class TorchWriter {
  /** Those that were given a node so far. */
  readonly tensors: Tensor[] = [];
  readonly #format: Format;

  constructor(format: Format) {
    this.#format = format;
  }

  /** The tensor as a node of the object. */
  tensor(tensor: Tensor): Node {
    this.tensors.push(tensor);
    const key = this.tensors.length - 1;
    if (this.#format === "tar") return { persistent: String(100 + key) };
    const { shape, strides = rowMajor(shape), offset = 0 } = tensor;
    return {
      call: "torch._utils._rebuild_tensor_v2",
      args: [
        this.storage(key),
        offset,
        shape,
        strides,
        false,
        { call: "collections.OrderedDict", args: [] },
      ],
    };
  }

  /** A parameter around a tensor. */
  parameter(tensor: Tensor): Node {
    const hooks: Node = { call: "collections.OrderedDict", args: [] };
    return {
      call: "torch._utils._rebuild_parameter",
      args: [this.tensor(tensor), true, hooks],
    };
  }

  /** The storage of a tensor by itself. */
  storage(key: number): Node {
    const { element, bytes } = this.tensors[key];
    const [name, width] = STORAGES[element];
    const id: Node[] = [
      ...["storage", { name: `torch.${name}` }, String(key), "cpu"],
      bytes.length / width,
    ];
    return { persistent: this.#format === "legacy" ? [...id, null] : id };
  }

  /** The file. */
  write(
    object: Node,
    options: { deflate?: boolean; wide?: boolean } = {},
  ): Uint8Array<ArrayBuffer> {
    if (this.#format === "zip") return this.#zip(object, options);
    return this.#format === "legacy" ? this.#legacy(object) : this.#tar(object);
  }

  #zip(
    object: Node,
    { deflate, wide }: { deflate?: boolean; wide?: boolean },
  ): Uint8Array<ArrayBuffer> {
    const members: ZipMember[] = [
      { name: "model/data.pkl", bytes: pickle(object), deflate },
      { name: "model/byteorder", bytes: new TextEncoder().encode("little") },
      ...this.tensors.map(({ bytes }, key) => ({
        name: `model/data/${key}`,
        bytes,
        deflate,
      })),
      { name: "model/version", bytes: new TextEncoder().encode("3\n") },
    ];
    return zip(members, { wide });
  }

  #legacy(object: Node): Uint8Array<ArrayBuffer> {
    const magic = Uint8Array.fromHex("80028a0a6cfc9c46f9206aa850192e");
    const system = dict({
      protocol_version: 1001,
      little_endian: true,
      type_sizes: dict({ short: 2, int: 4, long: 4 }),
    });
    const keys = this.tensors.map((_, key) => String(key));
    return concat([
      ...[magic, pickle(1001), pickle(system)],
      ...[pickle(object), pickle({ list: keys })],
      ...this.tensors.flatMap(({ element, bytes }) => [
        le(bytes.length / STORAGES[element][1], 8),
        bytes,
      ]),
    ]);
  }

  #tar(object: Node): Uint8Array<ArrayBuffer> {
    const storages = this.tensors.flatMap(({ element, bytes }, key) => {
      const [name, width] = STORAGES[element];
      const facts: Node[] = [key, "cpu", { name: `torch.${name}` }];
      return [pickle(facts), le(bytes.length / width, 8), bytes];
    });
    const tensors = this.tensors.flatMap((tensor, key) => {
      const { shape, strides = rowMajor(shape), offset = 0 } = tensor;
      const facts: Node[] = [100 + key, key, { name: "torch.FloatTensor" }];
      const numbers = [shape.length, ...shape, ...strides, offset];
      return [pickle(facts), ...numbers.map((n) => le(n, 8))];
    });
    const count = pickle(this.tensors.length);
    return tar({
      sys_info: pickle(dict({ protocol_version: 1000 })),
      pickle: pickle(object),
      tensors: concat([count, ...tensors]),
      storages: concat([count, ...storages, pickle({ list: [] })]),
    });
  }
}

/** A TorchScript archive of nested modules: attributes by name, with tensors and modules among them. */
export function torchScript(
  build: (writer: TorchWriter) => Node,
  constants: (writer: TorchWriter) => Node[],
): Uint8Array<ArrayBuffer> {
  const parts = (["data", "constants"] as const).flatMap((name) => {
    const writer = new TorchWriter("zip");
    const object = name === "data" ? build(writer) : constants(writer);
    return [
      { name: `net/${name}.pkl`, bytes: pickle(object) },
      ...writer.tensors.map(({ bytes }, key) => ({
        name: `net/${name}/${key}`,
        bytes,
      })),
    ];
  });
  const code = { name: "net/code/__torch__.py", bytes: new Uint8Array(9) };
  return zip([...parts, code]);
}

function rowMajor(shape: readonly number[]): number[] {
  return shape.map((_, axis) =>
    shape.slice(axis + 1).reduce((product, size) => product * size, 1)
  );
}

/** An OrderedDict of these entries. */
export const ordered = (entries: Readonly<Record<string, Node>>): Node => ({
  call: "collections.OrderedDict",
  args: [{ list: Object.entries(entries).map(([k, v]) => [k, v]) }],
});

/** An nn.Module: parameters, buffers, submodules and whatever else. */
export function module(
  create: string,
  { parameters = {}, buffers = {}, modules = {}, passing = [], ...rest }: {
    parameters?: Record<string, Node>;
    buffers?: Record<string, Node>;
    modules?: Record<string, Node>;
    passing?: string[];
    [attribute: string]: unknown;
  },
): Node {
  const state = dict({
    training: false,
    _parameters: ordered(parameters),
    _buffers: ordered(buffers),
    _non_persistent_buffers_set: {
      call: "builtins.set",
      args: [{ list: passing }],
    },
    _modules: ordered(modules),
    ...rest as Record<string, Node>,
  });
  if (create.includes(".")) return { create, state };
  // As EG3D's own networks are: the class comes with its source text.
  const meta = dict({
    type: "class",
    version: 6,
    module_src: "raise SystemExit('this is never run')",
    class_name: create,
    state,
  });
  return {
    call: "torch_utils.persistence._reconstruct_persistent_obj",
    args: [meta],
  };
}
