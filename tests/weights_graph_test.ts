import { assert, assertEquals, assertRejects } from "@std/assert";
import { openDevice } from "../engine/mod.ts";
import { compute } from "../pipeline/face/network_layers.ts";
import { readModelJson } from "../weights/formats/tfjs_model_json.ts";
import {
  findNpmPackage,
  fuse,
  type Graph,
  loadKnownModel,
  lowerTfGraph,
  parseTfGraph,
  readTfGraph,
  WeightsError,
} from "../weights/mod.ts";
import {
  loadOriginal,
  relativeError,
  runGraphOnTfjs,
  runOriginal,
  startTfjs,
  testPattern,
  tf,
} from "./support/tfjs.ts";

const floats = (...values: number[]) => new Float32Array(values);

const noShards = () => Promise.resolve(new Uint8Array(0));

Deno.test("tfjs graph: nodes come after their inputs, control inputs and unused nodes are left out", async () => {
  const json = {
    modelTopology: {
      node: [
        { name: "sum", op: "AddV2", input: ["half", "x:0", "^unused"] },
        { name: "half", op: "Relu", input: ["x"] },
        { name: "unused", op: "Nonsense", input: ["x"] },
        {
          name: "x",
          op: "Placeholder",
          attr: { shape: { shape: { dim: [{ size: "-1" }, { size: 2 }] } } },
        },
      ],
    },
    weightsManifest: [],
    signature: { outputs: { "y:0": { name: "sum:0" } } },
  };
  const graph = await parseTfGraph(json, noShards, "test");
  assertEquals(graph.nodes.map(({ name }) => name), ["x", "half", "sum"]);
  assertEquals(graph.nodes[0].attributes.get("shape"), [-1, 2]);
  assertEquals([...graph.outputs], [["y", "sum"]]);
});

Deno.test("tfjs graph: a damaged model is refused in one sentence", async () => {
  const node = (name: string, op: string, ...input: string[]) => ({
    name,
    op,
    input,
  });
  const model = (...nodes: unknown[]) => ({
    modelTopology: { node: nodes },
    weightsManifest: [],
  });
  const refused = async (json: unknown, message: string) => {
    await assertRejects(
      async () => lowerTfGraph(await parseTfGraph(json, noShards, "m.json")),
      WeightsError,
      message,
    );
  };
  await refused({}, "m.json is not a TensorFlow.js graph model");
  await refused(null, "m.json is not a TensorFlow.js graph model");
  await refused(model(node("a", "Relu", "b")), "b is used but not defined");
  await refused({
    ...model(node("a", "Relu", "b"), node("b", "Relu", "a")),
    signature: { outputs: { a: { name: "a" } } },
  }, "depends on itself");
  await refused(model(node("a", "Einsum")), "the operator Einsum");
  const short = {
    ...model(),
    weightsManifest: [{
      paths: ["a"],
      weights: [{ name: "w", shape: [2], dtype: "float32" }],
    }],
  };
  await refused(short, "need at least 8 bytes but 0 are there");
  for (const shape of [[-1], [0.5], [2 ** 60], "2", undefined]) {
    const weights = [{ name: "w", shape, dtype: "float32" }];
    const impossible = {
      ...model(),
      weightsManifest: [{ paths: [], weights }],
    };
    await refused(impossible, "shape of weight w is not a list of sizes");
  }
  await assertRejects(
    () => readTfGraph("/nowhere/model.json"),
    WeightsError,
    "it does not exist",
  );
});

Deno.test("tfjs graph: a model.json of a layers model is refused with how to convert it", async () => {
  const written = {
    modelTopology: { class_name: "Model" },
    format: "layers-model",
  };
  const converted = {
    modelTopology: { keras_version: "2.4.0", model_config: {} },
  };
  for (const json of [written, converted]) {
    await assertRejects(
      () => parseTfGraph({ ...json, weightsManifest: [] }, noShards, "m.json"),
      WeightsError,
      "m.json is a TensorFlow.js layers model, but graph models are read",
    );
  }
});

Deno.test("tfjs weights: a shard that is named many times is not read once", async () => {
  let reads = 0;
  const readShard = () => {
    reads++;
    return noShards();
  };
  const manifests = [
    [{ paths: new Array(1e5).fill("a.bin"), weights: [] }],
    [{ paths: ["b/a.bin"], weights: [] }, {
      paths: ["./b//a.bin"],
      weights: [],
    }],
  ];
  for (const weightsManifest of manifests) {
    const json = { modelTopology: { node: [] }, weightsManifest };
    await assertRejects(
      () => parseTfGraph(json, readShard, "m.json"),
      WeightsError,
      "a.bin among its weights more than once",
    );
  }
  assertEquals(reads, 0);
});

Deno.test("tfjs graph: axes that are squeezed may be counted from the back", async () => {
  const axes = { list: { i: ["-3", -2] } };
  const json = {
    modelTopology: {
      node: [
        { name: "x", op: "Placeholder" },
        {
          name: "y",
          op: "Squeeze",
          input: ["x"],
          attr: { squeeze_dims: axes },
        },
      ],
    },
    weightsManifest: [],
  };
  const graph = lowerTfGraph(await parseTfGraph(json, noShards, "test"));
  const { operation } = graph.nodes.at(-1)!;
  assertEquals(operation, { kind: "squeeze", axes: [-3, -2] });
  using device = await openDevice();
  using _scope = device.scope();
  const picture = device.tensor(floats(1, 2, 3), [1, 3, 1, 1]);
  const vector = compute(operation, [picture], {});
  assertEquals(vector.shape, [1, 3]);
  assertEquals([...(await device.read(vector))[0]], [1, 2, 3]);
  const last = device.tensor(floats(1, 2), [1, 1, 2, 1]);
  const squeeze = { kind: "squeeze", axes: [-1] } as const;
  assertEquals(compute(squeeze, [last], {}).shape, [1, 2, 1]);
});

Deno.test("tfjs weights: float16, uint8 and uint16 are dequantised as tfjs does", async () => {
  await startTfjs();
  const specs = [
    {
      name: "h",
      shape: [2],
      dtype: "float32",
      quantization: { dtype: "float16" },
    },
    {
      name: "b",
      shape: [3],
      dtype: "float32",
      quantization: { dtype: "uint8", scale: 0.013, min: -1.7 },
    },
    {
      name: "s",
      shape: [2],
      dtype: "float32",
      quantization: { dtype: "uint16", scale: 0.0007, min: -20.1 },
    },
    { name: "i", shape: [1], dtype: "int32" },
  ] as const;
  const bytes = new Uint8Array(4 + 3 + 4 + 4);
  for (let k = 0; k < bytes.length; k++) bytes[k] = (k * 71 + 13) % 120;
  // An integer that float32 holds exactly.
  bytes.set([7, 1, 0, 0], 11);
  const graph = await parseTfGraph(
    {
      modelTopology: { node: [] },
      weightsManifest: [{ paths: ["w"], weights: specs }],
    },
    () => Promise.resolve(bytes),
    "test",
  );
  const expected = tf.io.decodeWeights(
    bytes.slice().buffer,
    specs as unknown as tf.io.WeightsManifestEntry[],
  );
  for (const { name } of specs) {
    assertEquals([...graph.weights.get(name)!.data], [
      ...expected[name].dataSync(),
    ], name);
  }
});

for (const name of ["blazeface", "facemesh", "faceres", "iris"] as const) {
  Deno.test(`tfjs graph: ${name} means the same after translation and after fusion`, async () => {
    const graph = await loadKnownModel(name);
    const input = testPattern(
      inputShape(graph),
      name === "blazeface" ? -1 : 0,
      name === "faceres" ? 255 : 1,
    );
    const expected = await runOriginal(await loadOriginal(name), input);
    for (
      const [stage, variant] of [["translated", graph], [
        "fused",
        fuse(graph),
      ]] as const
    ) {
      const found = await runGraphOnTfjs(variant, input);
      // tfjs calls outputs by node, the signature by its own names.
      const byNode = await loadOriginalNames(name);
      for (const [output, values] of found) {
        const error = relativeError(values, expected.get(byNode.get(output)!)!);
        assert(error < 2e-5, `${stage} ${output}: ${error}`);
      }
    }
  });
}

async function loadOriginalNames(name: string): Promise<Map<string, string>> {
  const { folder } = findNpmPackage("@vladmandic/human");
  const json = JSON.parse(
    await Deno.readTextFile(`${folder}/models/${name}.json`),
  );
  const { outputs } = json.signature ?? json.userDefinedMetadata.signature;
  return new Map(
    Object.entries(outputs).map(([key, value]) => {
      const strip = (text: string) => text.replace(/:0$/, "");
      return [strip(key), strip((value as { name: string }).name)];
    }),
  );
}

function inputShape(graph: Graph): number[] {
  const { operation } = graph.nodes.find(({ name }) =>
    name === graph.inputs[0]
  )!;
  if (operation.kind !== "input") throw new Error("no input");
  return operation.shape.map((size) => Math.abs(size));
}

Deno.test("fuse: min(max(x)) chains become one clamp, and what others use stays", async () => {
  const scalar = (name: string, value: number) => ({
    name,
    operation: {
      kind: "constant",
      value: { shape: [], data: floats(value) },
    } as const,
    inputs: [],
  });
  const graph: Graph = {
    nodes: [
      { name: "x", operation: { kind: "input", shape: [1, 4] }, inputs: [] },
      scalar("six", 6),
      scalar("zero", 0),
      scalar("two", 2),
      {
        name: "relu",
        operation: { kind: "activation", activation: { kind: "relu" } },
        inputs: ["x"],
      },
      {
        name: "low",
        operation: { kind: "binary", operator: "min" },
        inputs: ["relu", "six"],
      },
      {
        name: "clip",
        operation: { kind: "binary", operator: "max" },
        inputs: ["zero", "low"],
      },
      {
        name: "twice",
        operation: { kind: "binary", operator: "mul" },
        inputs: ["clip", "two"],
      },
    ],
    inputs: ["x"],
    outputs: new Map([["y", "twice"]]),
  };
  const fused = fuse(graph);
  assertEquals(fused.nodes.map(({ name }) => name), [
    "x",
    "two",
    "clip",
    "twice",
  ]);
  assertEquals(fused.nodes[2].operation, {
    kind: "activation",
    activation: { kind: "clamp", min: 0, max: 6 },
  });
  assertEquals(fuse(graph, ["low"]).nodes.map(({ name }) => name), [
    "x",
    "zero",
    "two",
    "low",
    "clip",
    "twice",
  ]);
  const input = { shape: [1, 4], data: floats(-1, 2, 5, 9) };
  assertEquals([...(await runGraphOnTfjs(fused, input)).get("y")!], [
    0,
    4,
    10,
    12,
  ]);
});

Deno.test("a model.json that names files elsewhere is refused", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/model.json`;
  await Deno.writeTextFile(path, "{}");
  const { readShard } = await readModelJson(path);
  for (const name of ["../x.bin", "/etc/passwd", "a/../../x", "C:\\x", 3]) {
    await assertRejects(
      () => readShard(name as string),
      WeightsError,
      "does not lie beside it",
    );
  }
  await Deno.remove(folder, { recursive: true });
});
