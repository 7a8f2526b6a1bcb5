/** PyTorch's files in all their formats, TorchScript, and what state_dict() makes of them. */
import { assert, assertEquals } from "@std/assert";
import {
  type CheckpointTensor,
  parseCheckpoint,
  type PythonObject,
  stateDict,
  type Value,
} from "../weights/checkpoint.ts";
import { tar, zip } from "./support/archives.ts";
import { complaint } from "./support/checkpoints.ts";
import { concat, dict, type Node, pickle } from "./support/pickle_writer.ts";
import {
  type Element,
  floats,
  module,
  ordered,
  type Tensor,
  torchScript,
  TorchWriter,
} from "./support/torch_fixtures.ts";

const FORMATS = ["zip", "legacy", "tar"] as const;
const NAMES = { zip: "torch-zip", legacy: "torch-legacy", tar: "torch-tar" };

/** Shape and numbers of tensors by name. */
function contents(root: Value): Record<string, [readonly number[], number[]]> {
  return Object.fromEntries(
    [...stateDict(root)].map((
      [name, tensor],
    ) => [name, [tensor.shape, [...tensor.toFloat64()]]]),
  );
}

Deno.test("a state dict reads the same from a ZIP, an older file and a TAR", () => {
  for (const format of FORMATS) {
    const writer = new TorchWriter(format);
    const bytes = writer.write(dict({
      "conv.weight": writer.tensor(floats([1, 2, 3, 4, 5, 6], [2, 3])),
      "conv.bias": writer.tensor(floats([7, 8])),
      "steps": writer.tensor({
        element: "I64",
        bytes: new Uint8Array(BigInt64Array.of(2n ** 40n).buffer),
        shape: [],
      }),
      "epoch": 3,
    }));
    const checkpoint = parseCheckpoint(bytes);
    assertEquals(checkpoint.format, NAMES[format]);
    assertEquals(contents(checkpoint.root), {
      "conv.weight": [[2, 3], [1, 2, 3, 4, 5, 6]],
      "conv.bias": [[2], [7, 8]],
      "steps": [[], [2 ** 40]],
    }, format);
    assertEquals((checkpoint.root as Map<Value, Value>).get("epoch"), 3);
  }
});

Deno.test("every number type keeps its type and its numbers", () => {
  const values = [0, 1, 1, 0];
  const arrays: Record<Element, ArrayBufferView<ArrayBuffer>> = {
    F32: Float32Array.from(values),
    F16: Float16Array.from(values),
    BF16: Uint16Array.of(0, 0x3f80, 0x3f80, 0),
    F64: Float64Array.from(values),
    I64: BigInt64Array.from(values, BigInt),
    I32: Int32Array.from(values),
    I16: Int16Array.from(values),
    I8: Int8Array.from(values),
    U8: Uint8Array.from(values),
    BOOL: Uint8Array.from(values),
  };
  for (const format of FORMATS) {
    const writer = new TorchWriter(format);
    const tensors = Object.entries(arrays).map(([element, { buffer }]) => [
      element,
      writer.tensor({
        element: element as Element,
        bytes: new Uint8Array(buffer),
        shape: [2, 2],
      }),
    ]);
    const { root } = parseCheckpoint(
      writer.write(dict(Object.fromEntries(tensors))),
    );
    for (const [name, tensor] of stateDict(root)) {
      assertEquals(tensor.dtype, name);
      assertEquals([...tensor.toFloat32().data], values, name);
      assertEquals([...tensor.toFloat64()], values, name);
    }
  }
});

Deno.test("views are put in order: transposed, cut out, repeated", () => {
  const bytes = new Uint8Array(
    Float32Array.from({ length: 12 }, (_, k) => k).buffer,
  );
  const views: [Omit<Tensor, "element" | "bytes">, number[]][] = [
    [{ shape: [4, 3], strides: [1, 4] }, [
      0,
      4,
      8,
      1,
      5,
      9,
      2,
      6,
      10,
      3,
      7,
      11,
    ]],
    [{ shape: [2, 2], strides: [4, 1], offset: 5 }, [5, 6, 9, 10]],
    [{ shape: [2, 3], strides: [0, 2], offset: 1 }, [1, 3, 5, 1, 3, 5]],
    [{ shape: [2, 1, 2], strides: [6, 99, 3] }, [0, 3, 6, 9]],
    [{ shape: [0, 3], strides: [3, 1], offset: 50 }, []],
  ];
  for (const format of FORMATS) {
    const writer = new TorchWriter(format);
    const nodes = views.map(([view]) =>
      writer.tensor({ element: "F32", bytes, ...view })
    );
    const { root } = parseCheckpoint(writer.write({ list: nodes }));
    const found = [...stateDict(root).values()];
    assertEquals(
      found.map((t) => [...t.toFloat64()]),
      views.map(([, v]) => v),
      format,
    );
  }
});

Deno.test("numbers of two and eight bytes are put in order like those of four", () => {
  for (
    const [element, array] of [["F16", Float16Array], [
      "F64",
      Float64Array,
    ]] as const
  ) {
    const writer = new TorchWriter("zip");
    const bytes = new Uint8Array(array.from([1, 2, 3, 4, 5, 6]).buffer);
    const node = writer.tensor({
      element,
      bytes,
      shape: [3, 2],
      strides: [1, 3],
    });
    const { root } = parseCheckpoint(writer.write(node));
    assertEquals([...(root as CheckpointTensor).toFloat64()], [
      1,
      4,
      2,
      5,
      3,
      6,
    ]);
  }
});

Deno.test("numbers with their high byte first are turned", () => {
  const members = (order: string) => {
    const writer = new TorchWriter("zip");
    const big = new Uint8Array(8);
    new DataView(big.buffer).setFloat32(0, 1.5);
    new DataView(big.buffer).setFloat32(4, -2);
    const object = writer.tensor({ element: "F32", bytes: big, shape: [2] });
    return zip([
      { name: "m/data.pkl", bytes: pickle(object) },
      { name: "m/byteorder", bytes: new TextEncoder().encode(order) },
      { name: "m/data/0", bytes: big },
    ]);
  };
  const { root } = parseCheckpoint(members("big"));
  assertEquals([...(root as CheckpointTensor).toFloat64()], [1.5, -2]);
  assert(complaint(members("middle")).includes('byte order "middle"'));
});

Deno.test("a ZIP may be compressed or of the wide kind", () => {
  for (
    const options of [{ deflate: true }, { wide: true }, {
      deflate: true,
      wide: true,
    }]
  ) {
    const writer = new TorchWriter("zip");
    const values = Array.from({ length: 1000 }, (_, k) => k % 7);
    const bytes = writer.write(writer.tensor(floats(values)), options);
    assertEquals(contents(parseCheckpoint(bytes).root).tensor[1], values);
  }
});

Deno.test("tensors without a storage class of their own are read by their type", () => {
  const bytes = new Uint8Array(Uint16Array.of(1, 65535).buffer);
  const storage: Node = {
    persistent: ["storage", { name: "torch.UntypedStorage" }, "0", "cpu", 4],
  };
  const build = (type: string): Node => ({
    call: "torch._utils._rebuild_tensor_v3",
    args: [storage, 0, [2], [1], false, ordered({}), { name: type }],
  });
  const file = (object: Node) =>
    zip([
      { name: "m/data.pkl", bytes: pickle(object) },
      { name: "m/data/0", bytes },
    ]);
  const { root } = parseCheckpoint(file(build("torch.uint16")));
  assertEquals((root as CheckpointTensor).dtype, "U16");
  assertEquals([...(root as CheckpointTensor).toFloat64()], [1, 65535]);
  assert(
    complaint(file(build("torch.float8_e4m3fn"))).includes(
      "torch.float8_e4m3fn",
    ),
  );
  const wrapped = parseCheckpoint(file({
    call: "torch._tensor._rebuild_from_type_v2",
    args: [
      { name: "torch._utils._rebuild_tensor_v3" },
      { name: "my.Tensor" },
      [storage, 0, [2], [1], false, ordered({}), { name: "torch.int16" }],
      dict({}),
    ],
  }));
  assertEquals([...(wrapped.root as CheckpointTensor).toFloat64()], [1, -1]);
});

Deno.test("part of a storage may be a storage in older files", () => {
  const root: Node[] = [
    "storage",
    { name: "torch.FloatStorage" },
    "7",
    "cpu",
    4,
  ];
  const tensor: Node = {
    call: "torch._utils._rebuild_tensor",
    args: [{ persistent: [...root, ["8", 1, 2]] }, 0, [2], [1]],
  };
  const writer = new TorchWriter("legacy");
  const plain = writer.write(null);
  const header = plain.subarray(
    0,
    plain.length - pickle(null).length - pickle({ list: [] }).length,
  );
  const bytes = concat([
    ...[header, pickle(tensor), pickle({ list: ["7"] })],
    ...[Uint8Array.of(4, 0, 0, 0, 0, 0, 0, 0), floats([1, 2, 3, 4]).bytes],
  ]);
  assertEquals(contents(parseCheckpoint(bytes).root).tensor[1], [2, 3]);
  const missing = bytes.slice(0, -24 - pickle({ list: ["7"] }).length);
  assert(
    complaint(concat([missing, pickle({ list: [] })])).includes("storage 7"),
  );
});

Deno.test("a module's state has exactly the names that state_dict() gives", () => {
  for (const format of FORMATS) {
    const writer = new TorchWriter(format);
    const shared = module("torch.nn.modules.linear.Linear", {
      parameters: { weight: writer.parameter(floats([1])), bias: null },
    });
    const net = module("my.Net", {
      parameters: { scale: writer.parameter(floats([2])) },
      buffers: {
        mean: writer.tensor(floats([3])),
        cache: writer.tensor(floats([4])),
      },
      passing: ["cache"],
      modules: {
        a: shared,
        none: null,
        list: module("ModuleList.X", { modules: { "0": shared } }),
      },
      loose: writer.tensor(floats([5])),
    });
    const { root } = parseCheckpoint(writer.write(net));
    assertEquals([...stateDict(root).keys()], [
      "scale",
      "mean",
      "a.weight",
      "list.0.weight",
    ]);
  }
});

Deno.test("a storage's key is a number or a short text, nothing that is nested", () => {
  const keys: Node[] = [
    { opcodes: `)q\x01${"0h\x01h\x01\x86q\x01".repeat(50)}` },
    { opcodes: `)${"\x85".repeat(3e4)}` },
    dict({}),
    "0".repeat(1e6),
  ];
  for (const key of keys) {
    const id: Node[] = [
      "storage",
      { name: "torch.FloatStorage" },
      key,
      "cpu",
      1,
    ];
    const object = pickle({ persistent: id });
    const file = zip([{ name: "m/data.pkl", bytes: object }]);
    const message = complaint(file);
    assert(message.includes("instead of a storage's key"), message);
    const old = tar({
      pickle: pickle({ persistent: dict({}) }),
      tensors: pickle(0),
      storages: concat([
        pickle(1),
        pickle([key, "cpu", { name: "torch.FloatStorage" }]),
        new Uint8Array(8),
        pickle({ list: [] }),
      ]),
    });
    assert(complaint(old).includes("instead of a storage's key"));
  }
});

Deno.test("TorchScript's attributes come out under their paths, and its constants apart", () => {
  const bytes = torchScript(
    (writer) => ({
      create: "__torch__.Net",
      state: dict({
        training: false,
        weight: writer.tensor(floats([1, 2])),
        block: {
          create: "__torch__.torch.nn.Linear",
          state: dict({
            bias: writer.tensor(floats([3])),
            sizes: {
              call: "torch.jit._pickle.build_intlist",
              args: [{ list: [4, 5] }],
            },
            names: {
              call: "torch.jit._pickle.restore_type_tag",
              args: [dict({ k: 1 }), "Dict[str, int]"],
            },
          }),
        },
      }),
    }),
    (writer) => [writer.tensor(floats([9]))],
  );
  const { format, root, constants } = parseCheckpoint(bytes);
  assertEquals(format, "torchscript");
  assertEquals(contents(root), {
    "weight": [[2], [1, 2]],
    "block.bias": [[1], [3]],
  });
  assertEquals(contents(constants!), { "0": [[1], [9]] });
  const block = (root as PythonObject).attributes.get("block") as PythonObject;
  assertEquals(block.attributes.get("sizes"), [4, 5]);
  assertEquals(block.attributes.get("names"), new Map([["k", 1]]));
});
