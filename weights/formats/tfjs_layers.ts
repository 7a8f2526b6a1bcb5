/**
 * @file TensorFlow.js layers models: a Keras topology (layers with `inbound_nodes`) and a weights manifest whose names
 * are `LAYER/kernel`, `LAYER/bias`, `LAYER/gamma` and so on. Translated straight into the neutral network.
 */
import { WeightsError } from "../errors.ts";
import type { Graph, GraphNode, Operation, Pair } from "../graph/graph.ts";
import { normalisation } from "../graph/batch_norm.ts";
import { type KerasLayer, type KerasRef, LayerReader } from "./keras_layer.ts";
import { readWeightGroups, type WeightGroup } from "./tfjs_weights.ts";

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
  const weights = await readWeightGroups(
    model.weightsManifest,
    readShard,
    source,
  );
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
  Add: (layer) => binary(layer, "add"),
  Multiply: (layer) => binary(layer, "mul"),
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
  GlobalAveragePooling2D: (layer) => ({
    kind: "mean",
    axes: [1, 2],
    keepDims: layer.option("keepdims") === true,
  }),
};

/** Nothing to compute: as an operation, a clamp without bounds, which `fuse` removes or merges. */
function identity(): Operation {
  return {
    kind: "activation",
    activation: { kind: "clamp", min: -Infinity, max: Infinity },
  };
}

/** Keras adds and multiplies any number of inputs, a node here two. */
function binary(layer: LayerReader, operator: "add" | "mul"): Operation {
  if (layer.inputs.length === 2) return { kind: "binary", operator };
  throw layer.unsupported(`${layer.inputs.length} inputs`);
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
