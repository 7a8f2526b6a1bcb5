import { assert, assertRejects } from "@std/assert";
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

Deno.test("tfjs layers: an unknown layer, activation or missing weight is refused in one sentence", async () => {
  const refused = async (
    class_name: string,
    config: Record<string, unknown>,
    message: string,
  ) => {
    const layers = [{ name: "it", class_name, config, inbound_nodes: [] }];
    const json = {
      modelTopology: {
        model_config: { config: { layers, output_layers: [["it", 0, 0]] } },
      },
      weightsManifest: [],
    };
    await assertRejects(
      () => parseLayersModel(json, noShards, "m.json"),
      WeightsError,
      message,
    );
  };
  await assertRejects(
    () => parseLayersModel({}, noShards, "m.json"),
    WeightsError,
    "not a TensorFlow.js layers model",
  );
  await refused("LSTM", {}, "the layer type LSTM");
  await refused("Activation", { activation: "selu" }, "the activation selu");
  await refused("Dense", { use_bias: true }, "have no kernel");
  await refused(
    "Conv2D",
    { data_format: "channels_first" },
    "the layout channels_first",
  );
});
