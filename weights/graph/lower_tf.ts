/**
 * @file From TensorFlow's operators to the neutral network of `graph.ts`, one rule per operator.
 * Shapes, axes and paddings that TensorFlow passes as constant inputs become plain numbers here.
 */
import type { TfGraph, TfNode } from "../formats/tfjs_graph.ts";
import { normalisation } from "./batch_norm.ts";
import { TfContext } from "./tf_context.ts";
import { elementCount, type WeightTensor } from "../tensor.ts";
import type { Activation, Graph, GraphNode, Operation, Pair } from "./graph.ts";

/**
 * Translates a TensorFlow graph. Identities disappear; constants that became attributes are left out.
 * @throws {WeightsError} When it uses an operator, layout or attribute that has no translation.
 */
export function lowerTfGraph(graph: TfGraph): Graph {
  const context = new TfContext(graph);
  const nodes: GraphNode[] = [];
  for (const node of graph.nodes) {
    if (IDENTITIES.has(node.op)) {
      context.alias(node.name, node.inputs[0]);
      continue;
    }
    const rule = RULES[node.op];
    if (!rule) throw context.unsupported(node, `the operator ${node.op}`);
    nodes.push({ name: node.name, ...rule(node, context) });
  }
  const outputs = new Map(
    [...graph.outputs].map(([key, name]) => [key, context.resolve(name)]),
  );
  const used = new Set([
    ...nodes.flatMap(({ inputs }) => inputs),
    ...outputs.values(),
  ]);
  return {
    nodes: nodes.filter(({ name, operation }) =>
      operation.kind !== "constant" || used.has(name)
    ),
    inputs: nodes.filter(({ operation }) => operation.kind === "input").map((
      { name },
    ) => name),
    outputs,
  };
}

type Lowered = { operation: Operation; inputs: readonly string[] };
type Rule = (node: TfNode, context: TfContext) => Lowered;

const IDENTITIES = new Set([
  "Identity",
  "StopGradient",
  "Snapshot",
  "PreventGradient",
]);

const FUSED_ACTIVATIONS = new Set([
  "Relu",
  "Relu6",
  "Elu",
  "Sigmoid",
  "Tanh",
  "LeakyRelu",
  "Prelu",
]);

const RULES: Readonly<Record<string, Rule>> = {
  Placeholder: (node) => ({
    operation: {
      kind: "input",
      shape: (node.attributes.get("shape") as number[] | undefined) ?? [],
    },
    inputs: [],
  }),
  Const: (node, context) => ({
    operation: { kind: "constant", value: context.constant(node, node.name) },
    inputs: [],
  }),
  Conv2D: (node, context) => convolution(node, context, false),
  _FusedConv2D: (node, context) => convolution(node, context, false),
  DepthwiseConv2dNative: (node, context) => convolution(node, context, true),
  FusedDepthwiseConv2dNative: (node, context) =>
    convolution(node, context, true),
  MatMul: dense,
  _FusedMatMul: dense,
  BiasAdd: binary("add"),
  Add: binary("add"),
  AddV2: binary("add"),
  Sub: binary("sub"),
  Mul: binary("mul"),
  RealDiv: binary("div"),
  Minimum: binary("min"),
  Maximum: binary("max"),
  Relu: activation,
  Relu6: activation,
  Elu: activation,
  Sigmoid: activation,
  Tanh: activation,
  LeakyRelu: activation,
  Prelu: activation,
  Softmax: (node, context) => ({
    operation: { kind: "softmax" },
    inputs: [context.input(node, 0)],
  }),
  MaxPool: (node, context) => pool(node, context, "max"),
  AvgPool: (node, context) => pool(node, context, "mean"),
  FusedBatchNorm: batchNorm,
  FusedBatchNormV2: batchNorm,
  FusedBatchNormV3: batchNorm,
  Pad: pad,
  PadV2: pad,
  Reshape: (node, context) => ({
    operation: { kind: "reshape", shape: context.integers(node, 1) },
    inputs: [context.input(node, 0)],
  }),
  Squeeze: (node, context) => ({
    operation: {
      kind: "squeeze",
      axes: (node.attributes.get("squeeze_dims") as number[] | undefined) ?? [],
    },
    inputs: [context.input(node, 0)],
  }),
  ConcatV2: (node, context) => ({
    operation: {
      kind: "concat",
      axis: context.integers(node, node.inputs.length - 1)[0],
    },
    inputs: node.inputs.slice(0, -1).map((name) => context.resolve(name)),
  }),
  Mean: (node, context) => ({
    operation: {
      kind: "mean",
      axes: context.integers(node, 1),
      keepDims: node.attributes.get("keep_dims") === true,
    },
    inputs: [context.input(node, 0)],
  }),
};

function convolution(
  node: TfNode,
  context: TfContext,
  depthwise: boolean,
): Lowered {
  const { bias, activation } = fusedParts(node, context);
  return {
    operation: {
      kind: "conv2d",
      filter: context.constant(node, context.input(node, 1)),
      bias,
      depthwise,
      strides: context.spatial(node, "strides"),
      dilations: context.spatial(node, "dilations", [1, 1]),
      padding: context.padding(node),
      activation,
    },
    inputs: [context.input(node, 0)],
  };
}

function dense(node: TfNode, context: TfContext): Lowered {
  if (node.attributes.get("transpose_a") === true) {
    throw context.unsupported(node, "a transposed left factor");
  }
  const stored = context.constant(node, context.input(node, 1));
  const weight = node.attributes.get("transpose_b") === true
    ? transposed(stored)
    : stored;
  return {
    operation: { kind: "dense", weight, ...fusedParts(node, context) },
    inputs: [context.input(node, 0)],
  };
}

/** `fused_ops` names what follows the product: a bias (third input) and a function (a slope is the fourth input). */
function fusedParts(
  node: TfNode,
  context: TfContext,
): { bias?: WeightTensor; activation?: Activation } {
  const fused = (node.attributes.get("fused_ops") as string[] | undefined) ??
    [];
  const parts: { bias?: WeightTensor; activation?: Activation } = {};
  for (const [position, name] of fused.entries()) {
    if (name === "BiasAdd" && position === 0) {
      parts.bias = vector(context.constant(node, context.input(node, 2)));
    } else if (FUSED_ACTIVATIONS.has(name) && position === fused.length - 1) {
      parts.activation = activationOf(name, node, context, 3);
    } else throw context.unsupported(node, `the fused operator ${name}`);
  }
  return parts;
}

function activation(node: TfNode, context: TfContext): Lowered {
  return {
    operation: {
      kind: "activation",
      activation: activationOf(node.op, node, context, 1),
    },
    inputs: [context.input(node, 0)],
  };
}

function activationOf(
  name: string,
  node: TfNode,
  context: TfContext,
  slopeInput: number,
): Activation {
  switch (name) {
    case "Relu6":
      return { kind: "clamp", min: 0, max: 6 };
    case "LeakyRelu":
      return {
        kind: "leakyRelu",
        alpha: Number(
          node.attributes.get("alpha") ??
            node.attributes.get("leakyrelu_alpha") ?? 0.2,
        ),
      };
    case "Prelu": {
      const slope = context.constant(node, context.input(node, slopeInput));
      if (slope.shape.slice(0, -1).some((size) => size !== 1)) {
        throw context.unsupported(node, "a slope per pixel");
      }
      return { kind: "prelu", slope: vector(slope) };
    }
    default:
      return {
        kind: name.toLowerCase() as "relu" | "sigmoid" | "tanh" | "elu",
      };
  }
}

function binary(operator: "add" | "sub" | "mul" | "div" | "min" | "max"): Rule {
  return (node, context) => ({
    operation: { kind: "binary", operator },
    inputs: [context.input(node, 0), context.input(node, 1)],
  });
}

function pool(
  node: TfNode,
  context: TfContext,
  reduce: "max" | "mean",
): Lowered {
  const size = context.spatial(node, "ksize");
  return {
    operation: {
      kind: "pool",
      reduce,
      size,
      strides: context.spatial(node, "strides"),
      padding: context.padding(node),
    },
    inputs: [context.input(node, 0)],
  };
}

function batchNorm(node: TfNode, context: TfContext): Lowered {
  if (node.attributes.get("is_training") === true) {
    throw context.unsupported(node, "batch statistics");
  }
  const epsilon = Number(node.attributes.get("epsilon") ?? 1e-4);
  const [scale, offset, mean, variance] = [1, 2, 3, 4].map((k) =>
    context.constant(node, context.input(node, k))
  );
  return {
    operation: normalisation(scale, offset, mean, variance, epsilon),
    inputs: [context.input(node, 0)],
  };
}

function pad(node: TfNode, context: TfContext): Lowered {
  const numbers = context.integers(node, 1);
  const amounts = Array.from(
    { length: numbers.length / 2 },
    (_, k): Pair => [numbers[2 * k], numbers[2 * k + 1]],
  );
  const value = node.op === "PadV2"
    ? context.constant(node, context.input(node, 2)).data[0]
    : 0;
  return {
    operation: { kind: "pad", amounts, value },
    inputs: [context.input(node, 0)],
  };
}

/** The same values as a vector; sizes of one are dropped. */
function vector(tensor: WeightTensor): WeightTensor {
  return { shape: [elementCount(tensor.shape)], data: tensor.data };
}

function transposed(
  { shape: [rows, columns], data }: WeightTensor,
): WeightTensor {
  const result = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      result[j * rows + i] = data[i * columns + j];
    }
  }
  return { shape: [columns, rows], data: result };
}
