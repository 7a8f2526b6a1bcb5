/**
 * @file Rewrites a network into fewer, larger operations with the same outputs: multiplications and additions per
 * channel move into the weights of the convolution before them, activations into its epilogue, zeros around a picture
 * into its padding.
 * Only values that nothing else uses are absorbed; the merged node carries the name of the last one.
 */
import { elementCount, type WeightTensor } from "../tensor.ts";
import type {
  Activation,
  Convolution,
  Dense,
  Graph,
  GraphNode,
  Operation,
} from "./graph.ts";
import { outputChannels } from "./graph.ts";

/**
 * The same network with fewer nodes.
 * @param keep Names of inner values that must stay available, for instance as features of a loss.
 */
export function fuse(graph: Graph, keep: Iterable<string> = []): Graph {
  const pinned = new Set([...keep, ...graph.outputs.values()]);
  let nodes = graph.nodes;
  // Each round merges neighbours; chains shrink until nothing changes.
  for (;;) {
    const merged = fuseOnce(nodes, pinned);
    if (merged.length === nodes.length) break;
    nodes = merged;
  }
  const used = new Set([...nodes.flatMap(({ inputs }) => inputs), ...pinned]);
  return {
    ...graph,
    nodes: nodes.filter(({ name, operation }) =>
      operation.kind !== "constant" || used.has(name)
    ),
  };
}

function fuseOnce(
  nodes: readonly GraphNode[],
  pinned: ReadonlySet<string>,
): readonly GraphNode[] {
  const uses = new Map<string, number>();
  for (const { inputs } of nodes) {
    for (const input of inputs) uses.set(input, (uses.get(input) ?? 0) + 1);
  }
  const done = new Map<string, GraphNode>();
  for (const node of nodes) {
    const merged = mergeWithInput(
      node,
      (name) => done.get(name),
      (name) => uses.get(name) === 1 && !pinned.has(name),
    );
    if (merged) done.delete(merged.absorbed);
    done.set(node.name, merged?.node ?? node);
  }
  return [...done.values()];
}

function mergeWithInput(
  node: GraphNode,
  find: (name: string) => GraphNode | undefined,
  mayAbsorb: (name: string) => boolean,
): { node: GraphNode; absorbed: string } | undefined {
  const padded = mergePad(node, find(node.inputs[0]));
  if (padded && mayAbsorb(node.inputs[0])) return padded;
  const step = asStep(node, find);
  if (!step || !mayAbsorb(step.input)) return undefined;
  const producer = find(step.input);
  const operation = producer && mergeStep(producer.operation, step);
  return operation &&
    {
      node: { name: node.name, operation, inputs: producer.inputs },
      absorbed: producer.name,
    };
}

/** Zeros around a picture become the padding of the convolution that follows. */
function mergePad(
  node: GraphNode,
  producer: GraphNode | undefined,
): { node: GraphNode; absorbed: string } | undefined {
  const { operation } = node;
  if (operation.kind !== "conv2d" || operation.padding !== "valid") {
    return undefined;
  }
  if (producer?.operation.kind !== "pad") return undefined;
  const { amounts, value } = producer.operation;
  if (value !== 0 || amounts.length !== 4) return undefined;
  const [batch, [top, bottom], [left, right], channels] = amounts;
  if ([...batch, ...channels].some((amount) => amount !== 0)) return undefined;
  return {
    node: {
      name: node.name,
      operation: { ...operation, padding: [top, bottom, left, right] },
      inputs: producer.inputs,
    },
    absorbed: producer.name,
  };
}

/** A node seen as a per-channel function of one input: scale and shift, or an activation. */
type Step =
  & { readonly input: string }
  & ({ readonly scale?: WeightTensor; readonly shift?: WeightTensor } | {
    readonly activation: Activation;
  });

function asStep(
  node: GraphNode,
  find: (name: string) => GraphNode | undefined,
): Step | undefined {
  const { operation, inputs } = node;
  if (operation.kind === "affine") {
    return { input: inputs[0], scale: operation.scale, shift: operation.shift };
  }
  if (operation.kind === "activation") {
    return { input: inputs[0], activation: operation.activation };
  }
  if (operation.kind !== "binary") return undefined;
  const constants = inputs.map((name) => constantOf(find(name)));
  const side = constants.findIndex((value) => value !== undefined);
  if (side < 0 || constants[1 - side] !== undefined) return undefined;
  const input = inputs[1 - side];
  const value = constants[side]!;
  switch (operation.operator) {
    case "add":
      return { input, shift: value };
    case "mul":
      return { input, scale: value };
    case "sub":
      return side === 1
        ? { input, shift: mapped(value, (v) => -v) }
        : undefined;
    case "div":
      return side === 1
        ? { input, scale: mapped(value, (v) => 1 / v) }
        : undefined;
    case "min":
      return value.data.length === 1
        ? { input, activation: clamp(-Infinity, value.data[0]) }
        : undefined;
    case "max":
      return value.data.length === 1
        ? { input, activation: clamp(value.data[0], Infinity) }
        : undefined;
  }
}

function constantOf(node: GraphNode | undefined): WeightTensor | undefined {
  return node?.operation.kind === "constant" ? node.operation.value : undefined;
}

function mergeStep(producer: Operation, step: Step): Operation | undefined {
  if ("activation" in step) return mergeActivation(producer, step.activation);
  if (producer.kind !== "conv2d" && producer.kind !== "dense") return undefined;
  // Behind the function it is too late to change the weights.
  if (producer.activation) return undefined;
  const channels = outputChannels(producer);
  const scale = step.scale && perChannel(step.scale, channels);
  const shift = step.shift && perChannel(step.shift, channels);
  if ((step.scale && !scale) || (step.shift && !shift)) return undefined;
  return scaleAndShift(producer, channels, scale, shift);
}

function mergeActivation(
  producer: Operation,
  activation: Activation,
): Operation | undefined {
  switch (producer.kind) {
    case "conv2d":
    case "dense": {
      const combined = producer.activation
        ? compose(producer.activation, activation)
        : activation;
      return combined && { ...producer, activation: combined };
    }
    case "activation": {
      const combined = compose(producer.activation, activation);
      return combined && { kind: "activation", activation: combined };
    }
    default:
      return undefined;
  }
}

/** One activation that does the work of two, when there is one: ReLU6 is often spelled max(min(relu(x), 6), 0). */
function compose(
  first: Activation,
  second: Activation,
): Activation | undefined {
  const a = asClamp(first);
  const b = asClamp(second);
  if (!a || !b) return undefined;
  const min = Math.min(Math.max(a.min, b.min), b.max);
  const max = Math.min(Math.max(a.max, b.min), b.max);
  return clamp(min, max);
}

function asClamp(
  activation: Activation,
): { min: number; max: number } | undefined {
  if (activation.kind === "relu") return { min: 0, max: Infinity };
  return activation.kind === "clamp" ? activation : undefined;
}

function clamp(min: number, max: number): Activation {
  return min === 0 && max === Infinity
    ? { kind: "relu" }
    : { kind: "clamp", min, max };
}

/** `tensor` as one value per channel, when it only varies along the last axis. */
function perChannel(
  tensor: WeightTensor,
  channels: number,
): Float32Array<ArrayBuffer> | undefined {
  const count = elementCount(tensor.shape);
  if (count === 1) return new Float32Array(channels).fill(tensor.data[0]);
  return count === channels && tensor.shape.at(-1) === channels
    ? tensor.data
    : undefined;
}

/** For every filter layout here the output channel is the fastest index: (c, m) for depthwise, the last otherwise. */
function scaleAndShift(
  layer: Convolution | Dense,
  channels: number,
  scale: Float32Array | undefined,
  shift: Float32Array | undefined,
): Operation {
  const bias = new Float32Array(channels);
  for (let c = 0; c < channels; c++) {
    bias[c] = (layer.bias?.data[c] ?? 0) * (scale?.[c] ?? 1) +
      (shift?.[c] ?? 0);
  }
  const withBias = { ...layer, bias: { shape: [channels], data: bias } };
  if (!scale) return withBias;
  const scaled = (weight: WeightTensor) =>
    mapped(weight, (value, k) => value * scale[k % channels]);
  return withBias.kind === "dense"
    ? { ...withBias, weight: scaled(withBias.weight) }
    : { ...withBias, filter: scaled(withBias.filter) };
}

function mapped(
  tensor: WeightTensor,
  map: (value: number, index: number) => number,
): WeightTensor {
  return { shape: tensor.shape, data: tensor.data.map(map) };
}
