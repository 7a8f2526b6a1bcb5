/**
 * @file TensorFlow.js layers models: a Keras topology (layers with `inbound_nodes`) and a weights manifest whose names
 * are `LAYER/kernel`, `LAYER/bias`, `LAYER/gamma` and so on. Translated straight into the neutral network.
 */
import { WeightsError } from "../errors.ts";
import type { Graph, GraphNode, Operation, Pair } from "../graph/graph.ts";
import { normalisation } from "../graph/batch_norm.ts";
import type { WeightTensor } from "../tensor.ts";
import { type KerasLayer, type KerasRef, LayerReader } from "./keras_layer.ts";
import { readModelJson } from "./tfjs_model_json.ts";
import {
  concatenate,
  decodeWeightGroup,
  type WeightGroup,
} from "./tfjs_weights.ts";

/** The parts of a layers model's `model.json` that matter here. */
interface LayersModelJson {
  readonly modelTopology: {
    readonly model_config: {
      readonly config: {
        readonly layers: readonly KerasLayer[];
        readonly output_layers: readonly KerasRef[];
      };
    };
  };
  readonly weightsManifest: readonly WeightGroup[];
}

/**
 * Reads `model.json` and the shards that it names, from the same folder.
 * @throws {WeightsError} When a file is missing, is no layers model, or uses a layer without translation.
 */
export async function readLayersModel(path: string): Promise<Graph> {
  const { json, readShard } = await readModelJson(path, "layers");
  return await parseLayersModel(json, readShard, path);
}

/**
 * Translates the content of a layers model's `model.json`.
 * @param readShard Gives the bytes of a shard by the name in the manifest.
 * @throws {WeightsError} When it is no functional layers model or uses a layer or option without translation.
 */
export async function parseLayersModel(
  json: unknown,
  readShard: (name: string) => Promise<Uint8Array>,
  source: string,
): Promise<Graph> {
  const model = json as LayersModelJson;
  const config = model?.modelTopology?.model_config?.config;
  if (
    !Array.isArray(config?.layers) || !Array.isArray(config.output_layers) ||
    !Array.isArray(model.weightsManifest)
  ) {
    throw new WeightsError(
      `${source} is not a TensorFlow.js layers model: it has no layers or no weights manifest.`,
    );
  }
  const weights = new Map<string, WeightTensor>();
  for (const group of model.weightsManifest) {
    const shards = await Promise.all(group.paths.map(readShard));
    for (
      const [name, value] of decodeWeightGroup(
        group.weights,
        concatenate(shards),
        source,
      )
    ) weights.set(name, value);
  }
  const nodes = config.layers.flatMap((layer) =>
    translate(new LayerReader(layer, weights, source))
  );
  return {
    nodes,
    inputs: nodes.filter(({ operation }) => operation.kind === "input").map((
      { name },
    ) => name),
    outputs: new Map(config.output_layers.map(([name]) => [name, name])),
  };
}

/** The nodes of one layer; the last one carries the layer's name. */
function translate(layer: LayerReader): GraphNode[] {
  const operation = LAYERS[layer.kind]?.(layer);
  if (!operation) throw layer.unsupported(`the layer type ${layer.kind}`);
  const operations = [operation, ...layer.following()];
  let inputs = layer.inputs;
  return operations.map((operation, position) => {
    const last = position === operations.length - 1;
    const name = last ? layer.name : `${layer.name}/${operation.kind}`;
    const node = { name, operation, inputs };
    inputs = [name];
    return node;
  });
}

const LAYERS: Readonly<Record<string, (layer: LayerReader) => Operation>> = {
  InputLayer: (layer) => ({
    kind: "input",
    shape: (layer.option("batch_input_shape") as (number | null)[]).map((
      size,
    ) => size ?? -1),
  }),
  Conv2D: (layer) => convolution(layer, "kernel", false),
  DepthwiseConv2D: (layer) => convolution(layer, "depthwise_kernel", true),
  Dense: (layer) => ({
    kind: "dense",
    weight: layer.weight("kernel"),
    bias: layer.optionalWeight("bias", "use_bias"),
  }),
  BatchNormalization: (layer) => {
    return normalisation(
      layer.optionalWeight("gamma", "scale"),
      layer.optionalWeight("beta", "center"),
      layer.weight("moving_mean"),
      layer.weight("moving_variance"),
      Number(layer.option("epsilon") ?? 1e-3),
    );
  },
  ReLU: (layer) => {
    if (layer.option("negative_slope") || layer.option("threshold")) {
      throw layer.unsupported("a slope or threshold");
    }
    const max = layer.option("max_value");
    return {
      kind: "activation",
      activation: typeof max === "number"
        ? { kind: "clamp", min: 0, max }
        : { kind: "relu" },
    };
  },
  // The function itself follows from the `activation` option, as in every other layer.
  Activation: identity,
  Dropout: identity,
  Add: () => ({ kind: "binary", operator: "add" }),
  Multiply: () => ({ kind: "binary", operator: "mul" }),
  Concatenate: (layer) => ({
    kind: "concat",
    axis: Number(layer.option("axis") ?? -1),
  }),
  Flatten: () => ({ kind: "reshape", shape: [0, -1] }),
  ZeroPadding2D: (layer) => {
    const [vertical, horizontal] = layer.option("padding") as [Pair, Pair];
    return {
      kind: "pad",
      amounts: [[0, 0], vertical, horizontal, [0, 0]],
      value: 0,
    };
  },
  MaxPooling2D: (layer) => pool(layer, "max"),
  AveragePooling2D: (layer) => pool(layer, "mean"),
  GlobalAveragePooling2D: () => ({
    kind: "mean",
    axes: [1, 2],
    keepDims: false,
  }),
};

/** Nothing to compute: as an operation, a clamp without bounds, which `fuse` removes or merges. */
function identity(): Operation {
  return {
    kind: "activation",
    activation: { kind: "clamp", min: -Infinity, max: Infinity },
  };
}

function convolution(
  layer: LayerReader,
  kernel: string,
  depthwise: boolean,
): Operation {
  return {
    kind: "conv2d",
    filter: layer.weight(kernel),
    bias: layer.optionalWeight("bias", "use_bias"),
    depthwise,
    strides: layer.pair("strides"),
    dilations: layer.pair("dilation_rate"),
    padding: layer.padding(),
  };
}

function pool(layer: LayerReader, reduce: "max" | "mean"): Operation {
  const size = layer.pair("pool_size");
  return {
    kind: "pool",
    reduce,
    size,
    strides: layer.pair("strides"),
    padding: layer.padding(),
  };
}
