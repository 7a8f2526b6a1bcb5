import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  findNpmPackage,
  fuse,
  loadKnownModel,
  parseLayersModel,
  WeightsError,
} from "../weights/mod.ts";
import {
  artifacts,
  relativeError,
  runGraphOnTfjs,
  startTfjs,
  testPattern,
  tf,
} from "./support/tfjs.ts";

const noShards = () => Promise.resolve(new Uint8Array(0));

/** A model without weights whose output is the layer `it`. */
const layersModel = (layers: unknown[]) => ({
  modelTopology: {
    model_config: { config: { layers, output_layers: [["it", 0, 0]] } },
  },
  weightsManifest: [],
});

const input = (name: string) => ({
  name,
  class_name: "InputLayer",
  config: { batch_input_shape: [null, 4, 4, 2] },
  inbound_nodes: [],
});

const refs = (...names: string[]) => names.map((name) => [name, 0, 0, {}]);

Deno.test("tfjs layers: the nsfwjs MobileNet-v2 means the same after translation and after fusion", async () => {
  await startTfjs();
  const found = findNpmPackage("nsfwjs");
  const json = found.load("dist/models/mobilenet_v2/model.min.js");
  const shard = Uint8Array.fromBase64(
    found.load("dist/models/mobilenet_v2/group1-shard1of1.min.js") as string,
  );
  const model = await tf.loadLayersModel(
    tf.io.fromMemory(artifacts(json, shard)),
  );
  const input = testPattern([1, 224, 224, 3], 0, 1);
  const expected =
    await (model.predict(tf.tensor(input.data, [1, 224, 224, 3])) as tf.Tensor)
      .data();
  const graph = await loadKnownModel("mobilenet_v2");
  const fused = fuse(graph);
  assert(
    fused.nodes.every(({ operation }) =>
      operation.kind !== "affine" && operation.kind !== "activation"
    ),
  );
  for (const variant of [graph, fused]) {
    const [values] = [...(await runGraphOnTfjs(variant, input)).values()];
    assert(
      relativeError(values, expected) < 1e-4,
      `${[...values]} against ${[...expected]}`,
    );
  }
});

Deno.test("tfjs layers: the nsfwjs Inception-v3 means the same after fusion", async () => {
  await startTfjs();
  const found = findNpmPackage("nsfwjs");
  const folder = "dist/models/inception_v3";
  const json = found.load(`${folder}/model.min.js`) as {
    weightsManifest: { paths: string[] }[];
  };
  const shards = json.weightsManifest[0].paths.map((path) =>
    Uint8Array.fromBase64(found.load(`${folder}/${path}.min.js`) as string)
  );
  const weights = new Uint8Array(await new Blob(shards).arrayBuffer());
  const model = await tf.loadLayersModel(
    tf.io.fromMemory(artifacts(json, weights)),
  );
  const input = testPattern([1, 299, 299, 3], 0, 1);
  const expected =
    await (model.predict(tf.tensor(input.data, [1, 299, 299, 3])) as tf.Tensor)
      .data();
  const [values] = [
    ...(await runGraphOnTfjs(fuse(await loadKnownModel("inception_v3")), input))
      .values(),
  ];
  assert(
    relativeError(values, expected) < 1e-4,
    `${[...values]} against ${[...expected]}`,
  );
});

Deno.test("tfjs layers: a sum of three is refused, not taken for a sum of two", async () => {
  const inputs = ["a", "b", "c"];
  for (const class_name of ["Add", "Multiply"]) {
    const model = layersModel([
      ...inputs.map((name) => input(name)),
      { name: "it", class_name, config: {}, inbound_nodes: [refs(...inputs)] },
    ]);
    await assertRejects(
      () => parseLayersModel(model, noShards, "m.json"),
      WeightsError,
      "the layer it uses 3 inputs",
    );
  }
});

Deno.test("tfjs layers: a mean over the picture keeps its axes where the layer says so", async () => {
  for (const keepdims of [undefined, false, true]) {
    const { nodes } = await parseLayersModel(
      layersModel([input("a"), {
        name: "it",
        class_name: "GlobalAveragePooling2D",
        config: { keepdims },
        inbound_nodes: [refs("a")],
      }]),
      noShards,
      "m.json",
    );
    const keepDims = keepdims === true;
    assertEquals(nodes[1].operation, { kind: "mean", axes: [1, 2], keepDims });
  }
});

Deno.test("tfjs layers: an unknown layer, activation or missing weight is refused in one sentence", async () => {
  const refused = async (
    class_name: string,
    config: Record<string, unknown>,
    message: string,
  ) => {
    const layers = [{ name: "it", class_name, config, inbound_nodes: [] }];
    await assertRejects(
      () => parseLayersModel(layersModel(layers), noShards, "m.json"),
      WeightsError,
      message,
    );
  };
  await assertRejects(
    () => parseLayersModel({}, noShards, "m.json"),
    WeightsError,
    "not a TensorFlow.js layers model",
  );
  await refused("Add", {}, "the layer it uses 0 inputs");
  await refused("LSTM", {}, "the layer type LSTM");
  await refused("Activation", { activation: "selu" }, "the activation selu");
  await refused("Dense", { use_bias: true }, "have no kernel");
  await refused(
    "Conv2D",
    { data_format: "channels_first" },
    "the layout channels_first",
  );
});
