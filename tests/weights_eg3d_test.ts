/** EG3D's checkpoints, tuned generators, and damaged files of PyTorch. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type CheckpointTensor,
  openCheckpoint,
  parseCheckpoint,
} from "../weights/checkpoint.ts";
import { convertCheckpoint } from "../weights/convert.ts";
import { WeightsError } from "../weights/errors.ts";
import { eg3dModule } from "../weights/formats/eg3d_pickle.ts";
import { readEg3d, readGenerator } from "../weights/generator/read.ts";
import { zip } from "./support/archives.ts";
import { complaint } from "./support/checkpoints.ts";
import { eg3dShapes } from "./support/eg3d_by_rule.ts";
import { concat, dict, type Node, pickle } from "./support/pickle_writer.ts";
import {
  floats,
  module,
  ordered,
  type Tensor,
  TorchWriter,
} from "./support/torch_fixtures.ts";

const FORMATS = ["zip", "legacy", "tar"] as const;

/** A storage inside another pickle, as EG3D's are. */
function embedded(values: number[], shape = [values.length]): Node {
  const writer = new TorchWriter("legacy");
  writer.tensor(floats(values));
  const bytes = writer.write(writer.storage(0));
  const strides = shape.map((_, k) =>
    shape.slice(k + 1).reduce((a, b) => a * b, 1)
  );
  return {
    call: "torch._utils._rebuild_tensor_v2",
    args: [
      ...[{ call: "torch.storage._load_from_bytes", args: [bytes] }, 0],
      ...[shape, strides, false, ordered({})],
    ],
  };
}

function generator(tensor: (values: number[]) => Node): Node {
  const layer = module("SynthesisLayer", {
    parameters: { weight: tensor([1, 2]) },
    up: 2,
    conv_clamp: null,
  });
  return module("TriPlaneGenerator", {
    modules: {
      renderer: module(
        "training.volumetric_rendering.renderer.ImportanceRenderer",
        {
          plane_axes: tensor([0, 1]),
        },
      ),
      backbone: module("Generator", {
        modules: {
          b8: module("SynthesisBlock", { modules: { conv0: layer } }),
        },
      }),
    },
    neural_rendering_resolution: 128,
    rendering_kwargs: dict({ box_warp: 1, ray_start: 2.25 }),
    _init_kwargs: dict({ num_fp16_res: 0 }),
  });
}

Deno.test("an EG3D checkpoint gives a network's state, its attributes and its submodules", () => {
  const bytes = pickle(
    dict({
      training_set_kwargs: { create: "dnnlib.util.EasyDict" },
      G: null,
      G_ema: generator((values) => embedded(values)),
    }),
    4,
  );
  const network = eg3dModule(parseCheckpoint(bytes));
  assertEquals(network.className, "TriPlaneGenerator");
  assertEquals([...network.state.keys()], ["backbone.b8.conv0.weight"]);
  assertEquals([...network.state.values().next().value!.toFloat64()], [1, 2]);
  assertEquals(network.attributes.get("neural_rendering_resolution"), 128);
  assertEquals(
    network.attributes.get("rendering_kwargs"),
    new Map([["box_warp", 1], ["ray_start", 2.25]]),
  );
  const layer = network.module("backbone.b8.conv0")!;
  assertEquals([
    layer.className,
    layer.attributes.get("up"),
    layer.attributes.get("conv_clamp"),
  ], ["SynthesisLayer", 2, null]);
  const axes = network.module("renderer")!.attributes.get("plane_axes");
  assertEquals([...(axes as CheckpointTensor).toFloat64()], [0, 1]);
  assertEquals(network.module("backbone.b16"), undefined);
});

Deno.test("a tuned generator, saved by itself, gives the same", () => {
  for (const format of FORMATS) {
    const writer = new TorchWriter(format);
    const bytes = writer.write(
      generator((values) => writer.tensor(floats(values))),
    );
    const network = eg3dModule(parseCheckpoint(bytes));
    assertEquals(
      [...network.state.keys()],
      ["backbone.b8.conv0.weight"],
      format,
    );
    assertEquals(network.module("")!.className, "TriPlaneGenerator");
  }
});

Deno.test("asking for a network that is not there says which ones are", () => {
  const bytes = pickle(dict({ G: null, D: null }));
  const { message } = assertThrows(
    () => eg3dModule(parseCheckpoint(bytes, "x.pkl")),
    WeightsError,
  );
  assertEquals(
    message,
    "x.pkl has no network G_ema but G, D: give a checkpoint of EG3D.",
  );
});

/** A generator of all published parameters, few channels and no numbers of its own, with these options. */
function published(
  more: Map<Node, Node> = new Map(),
  larger: Record<string, number[]> = {},
): Uint8Array<ArrayBuffer> {
  const superresolution_module = "SuperresolutionHybrid2X";
  const shapes = eg3dShapes({
    z_dim: 4,
    w_dim: 4,
    channel_max: 2,
    neural_rendering_resolution: 64,
    rendering_kwargs: { superresolution_module },
  });
  const writer = new TorchWriter("zip");
  const parameters = Object.entries({ ...shapes, ...larger }).map(
    ([name, shape]) => {
      const strides = shape.map(() => 0);
      const view = { ...floats([0.5]), shape: [...shape], strides };
      return [name, writer.tensor(view)];
    },
  );
  return writer.write(module("TriPlaneGenerator", {
    parameters: Object.fromEntries(parameters),
    neural_rendering_resolution: 64,
    rendering_kwargs: new Map<Node, Node>([
      ["superresolution_module", superresolution_module],
      ["avg_camera_pivot", { list: [0, 0, 0.2] }],
      ...more,
    ]),
    _init_kwargs: dict({}),
  }));
}

/** A tuple of two times a tuple of two times ..., which has 2^50 ends. */
const DOUBLED: Node = { opcodes: `)q\x01${"0h\x01h\x01\x86q\x01".repeat(50)}` };
/** A list of itself. */
const ENDLESS: Node = { opcodes: "]q\x02h\x02a" };
/** A tuple of a tuple of a tuple ... */
const DEEP: Node = { opcodes: `)${"\x85".repeat(3e4)}` };

Deno.test("options that are nested without end or share what is in them are told by their type", () => {
  const config = (options: [Node, Node][]) =>
    readEg3d(parseCheckpoint(published(new Map(options)), "x.pt")).config;
  const expected = config([]);
  assertEquals(expected.camera.pivot, [0, 0, 0.2]);
  for (const nested of [DOUBLED, ENDLESS, DEEP]) {
    assertEquals(config([["unknown", nested], [nested, 1]]), expected);
    assertThrows(
      () => config([["box_warp", nested]]),
      WeightsError,
      "x.pt is not a generator that can be used: its config has no valid box_warp.",
    );
    assertThrows(
      () => config([["superresolution_module", nested]]),
      WeightsError,
      "has a superresolution module list",
    );
  }
});

Deno.test("a generator whose tensors repeat a few numbers too often is neither read nor converted", async () => {
  // Each of them is as large as a view of one number may be.
  const names = Array.from({ length: 17 }, (_, k) => `more${k}`);
  const larger = Object.fromEntries(names.map((name) => [name, [2 ** 24]]));
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, published(new Map(), larger));
    const told = "its tensors repeat each other too often";
    await assertRejects(() => readGenerator(path), WeightsError, told);
    const checkpoint = await openCheckpoint(path);
    await assertRejects(
      () => convertCheckpoint(checkpoint, `${path}.safetensors`),
      WeightsError,
      told,
    );
    await Deno.writeFile(path, published());
    const { config, tensors } = await readGenerator(path);
    assertEquals(tensors.get("backbone.mapping.w_avg")!.shape, [config.w_dim]);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("keys of a checkpoint without networks are listed in short, whatever they are", () => {
  const bytes = pickle(
    new Map<Node, Node>([[DOUBLED, 1], ["a".repeat(1e6), 2]]),
  );
  const { message } = assertThrows(
    () => eg3dModule(parseCheckpoint(bytes, "x.pkl")),
    WeightsError,
  );
  assert(message.includes("no network G_ema but list, aaa"), message);
  assert(message.length < 200, message);
});

Deno.test("storages in storages in storages are refused", () => {
  let bytes: Uint8Array = pickle(1);
  for (let depth = 0; depth < 6; depth++) {
    const header = new TorchWriter("legacy").write(null);
    const start = header.subarray(
      0,
      header.length - pickle(null).length - pickle({ list: [] }).length,
    );
    const inner: Node = {
      call: "torch.storage._load_from_bytes",
      args: [bytes],
    };
    bytes = concat([start, pickle(inner), pickle({ list: [] })]);
  }
  assert(complaint(bytes).includes("without end"));
});

// Damage

Deno.test("tensors that reach beyond their storage are refused", () => {
  const views: Omit<Tensor, "element" | "bytes">[] = [
    { shape: [5] },
    { shape: [2], offset: 3 },
    { shape: [2, 2], strides: [3, 1] },
    { shape: [2 ** 30, 2 ** 30] },
    { shape: [-1] },
    { shape: [2], strides: [-1], offset: 1 },
    { shape: [1], offset: 2 ** 31 - 1 },
    { shape: [2 ** 30], strides: [0] },
    { shape: Array(65).fill(1) },
    { shape: [2], strides: [1, 1] },
  ];
  for (const format of ["zip", "legacy"] as const) {
    for (const view of views) {
      const writer = new TorchWriter(format);
      const tensor = writer.tensor({ ...floats([1, 2, 3, 4]), ...view });
      const message = complaint(writer.write(tensor));
      assert(/storage|impossible|a count/.test(message), message);
    }
  }
});

Deno.test("a storage that is missing, too short or of an unknown type is named", () => {
  const object = (type: string, key: string, count: number): Node => ({
    call: "torch._utils._rebuild_tensor_v2",
    args: [
      ...[{ persistent: ["storage", { name: type }, key, "cpu", count] }, 0],
      ...[[1], [1], false, null],
    ],
  });
  const file = (node: Node) =>
    zip([
      { name: "m/data.pkl", bytes: pickle(node) },
      { name: "m/data/0", bytes: new Uint8Array(8) },
    ]);
  assert(
    complaint(file(object("torch.FloatStorage", "1", 1))).includes(
      "m/data/1, which is missing",
    ),
  );
  assert(
    complaint(file(object("torch.FloatStorage", "../0", 1))).includes(
      "which is missing",
    ),
  );
  assert(
    complaint(file(object("torch.FloatStorage", "0", 3))).includes(
      "12 bytes of the entry m/data/0, which has 8",
    ),
  );
  assert(
    complaint(file(object("torch.QInt8Storage", "0", 1))).includes(
      "torch.QInt8Storage",
    ),
  );
  assert(
    complaint(file(object("os.FloatStorage", "0", 1))).includes(
      "os.FloatStorage",
    ),
  );
});

Deno.test("files that were cut short are refused in each format", () => {
  for (const format of FORMATS) {
    const writer = new TorchWriter(format);
    const bytes = writer.write(
      dict({ a: writer.tensor(floats([1, 2, 3, 4])) }),
    );
    for (const keep of [0.1, 0.5, 0.8, 0.9]) {
      complaint(
        bytes.slice(
          0,
          Math.floor(
            keep * (format === "tar" ? bytes.length - 1600 : bytes.length),
          ),
        ),
      );
    }
  }
});
