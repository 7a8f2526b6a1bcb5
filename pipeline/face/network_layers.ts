/**
 * One layer of a network of `weights/graph`, with the engine's operators: its weights in the
 * engine's layout, and what it computes.
 *
 * @module
 */
import {
  add,
  affine,
  avgPool2d,
  biasAct,
  type BiasActOptions,
  clamp,
  concat,
  conv2d,
  type Device,
  divide,
  matmul,
  maximum,
  maxPool2d,
  mean,
  minimum,
  multiply,
  pad,
  prelu,
  reshape,
  softmax,
  subtract,
  type Tensor,
} from "../../engine/mod.ts";
import type {
  Activation,
  Convolution,
  Dense,
  Operation,
  Padding,
  Pair,
  Pool,
  WeightTensor,
} from "../../weights/mod.ts";
import { PantomimeError } from "../errors.ts";
import {
  engineAxis,
  filterToEngine,
  fromTensorFlow,
  toEngine,
  toTensorFlow,
} from "./network_layout.ts";

/** The tensors of one layer on the device. */
export interface LayerWeights {
  /** A filter (Co, Ci / groups, kh, kw), or a dense weight (in, out). */
  readonly weight?: Tensor;
  /** (Co). */
  readonly bias?: Tensor;
  /** Slope of a PReLU, or scale of an affine layer: (C, 1, 1), or (C) after a dense layer. */
  readonly slope?: Tensor;
  /** Shift of an affine layer, as `slope`. */
  readonly shift?: Tensor;
  /** A constant. */
  readonly constant?: Tensor;
}

/** Uploads what a layer needs. */
export function uploadWeights(
  device: Device,
  operation: Operation,
): LayerWeights {
  const vector = ({ data }: WeightTensor) => device.tensor(data, [data.length]);
  const channels = ({ data }: WeightTensor) =>
    device.tensor(data, [data.length, 1, 1]);
  switch (operation.kind) {
    case "conv2d":
    case "dense": {
      const slope = operation.activation?.kind === "prelu"
        ? operation.activation.slope
        : undefined;
      const convolves = operation.kind === "conv2d";
      return {
        weight: convolves
          ? filterToEngine(device, operation.filter, operation.depthwise)
          : device.tensor(operation.weight.data, operation.weight.shape),
        bias: operation.bias && vector(operation.bias),
        slope: slope && (convolves ? channels(slope) : vector(slope)),
      };
    }
    case "activation":
      return operation.activation.kind === "prelu"
        ? { slope: channels(operation.activation.slope) }
        : {};
    case "affine":
      return {
        slope: channels(operation.scale),
        shift: channels(operation.shift),
      };
    case "constant":
      return { constant: toEngine(device, operation.value) };
    default:
      return {};
  }
}

/** What a layer computes from its inputs; pictures are (N, C, H, W). */
export function compute(
  operation: Operation,
  inputs: readonly Tensor[],
  weights: LayerWeights,
): Tensor {
  const [x] = inputs;
  switch (operation.kind) {
    case "input":
      throw new TypeError("an input is given, not computed");
    case "constant":
      return weights.constant!;
    case "conv2d":
      return convolution(operation, x, weights);
    case "dense":
      return dense(operation, x, weights);
    case "pool":
      return pool(operation, x);
    case "affine":
      return add(
        multiply(x, broadcastable(weights.slope!, x)),
        broadcastable(weights.shift!, x),
      );
    case "activation":
      return activate(x, operation.activation, weights, null);
    case "binary":
      return binary(operation.operator, inputs[0], inputs[1]);
    case "softmax":
      return fromTensorFlow(softmax(toTensorFlow(x)));
    case "pad":
      return padding(operation.amounts, operation.value, x);
    case "reshape": {
      const flat = toTensorFlow(x);
      const shape = operation.shape.map((n, k) => n === 0 ? flat.shape[k] : n);
      return fromTensorFlow(reshape(flat, shape));
    }
    case "squeeze": {
      const flat = toTensorFlow(x);
      const { axes } = operation, rank = flat.shape.length;
      const drop = (n: number, k: number) =>
        axes.length > 0 ? axes.includes(k) || axes.includes(k - rank) : n === 1;
      return fromTensorFlow(
        reshape(flat, flat.shape.filter((n, k) => !drop(n, k))),
      );
    }
    case "concat":
      return concat(inputs, engineAxis(operation.axis, x));
    case "mean":
      return meanOver(operation.axes, operation.keepDims, x);
  }
}

function convolution(
  { strides, dilations, padding, activation, depthwise }: Convolution,
  x: Tensor,
  weights: LayerWeights,
): Tensor {
  const weight = weights.weight!;
  const window = [weight.shape[2], weight.shape[3]] as const;
  const y = conv2d(x, weight, {
    stride: square(strides, "stride"),
    dilation: square(dilations, "dilation"),
    padding: sides(padding, x, window, strides, dilations),
    groups: depthwise ? x.shape[1] : 1,
  });
  return activate(y, activation, weights, weights.bias ?? null);
}

function dense(
  { activation }: Dense,
  x: Tensor,
  weights: LayerWeights,
): Tensor {
  const y = matmul(x, weights.weight!);
  return activate(y, activation, weights, weights.bias ?? null);
}

function pool({ reduce, size, strides, padding }: Pool, x: Tensor): Tensor {
  const options = {
    kernel: size,
    stride: strides,
    padding: sides(padding, x, size, strides, [1, 1]),
  };
  return reduce === "max" ? maxPool2d(x, options) : avgPool2d(x, options);
}

/** TensorFlow's SAME: as many outputs as fit n / stride, the odd zero below and to the right. */
function sides(
  padding: Padding,
  x: Tensor,
  window: Pair,
  strides: Pair,
  dilations: Pair,
): readonly [number, number, number, number] {
  if (padding === "valid") return [0, 0, 0, 0];
  if (padding !== "same") return padding;
  const [top, bottom] = same(x.shape[2], window[0], strides[0], dilations[0]);
  const [left, right] = same(x.shape[3], window[1], strides[1], dilations[1]);
  return [top, bottom, left, right];
}

function same(
  n: number,
  window: number,
  stride: number,
  dilation: number,
): [number, number] {
  const outputs = Math.ceil(n / stride);
  const reach = (outputs - 1) * stride + (window - 1) * dilation + 1;
  const total = Math.max(reach - n, 0);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

function square([vertical, horizontal]: Pair, what: string): number {
  if (vertical === horizontal) return vertical;
  throw new PantomimeError(
    `A layer's ${what} is ${vertical} down and ${horizontal} across; only equal ones can be run.`,
  );
}

/** act(x + bias), one kernel but for a PReLU or a general clamp. */
function activate(
  x: Tensor,
  activation: Activation | undefined,
  weights: LayerWeights,
  bias: Tensor | null,
): Tensor {
  const fused = activation ? fusedActivation(activation) : {};
  if (fused) {
    return bias || activation ? biasAct(x, bias, { gain: 1, ...fused }) : x;
  }
  const v = bias ? biasAct(x, bias) : x;
  return activation?.kind === "clamp"
    ? clamp(v, activation.min, activation.max)
    : prelu(v, broadcastable(weights.slope!, v));
}

/** The options with which `biasAct` computes an activation, if it can. */
function fusedActivation(activation: Activation): BiasActOptions | undefined {
  switch (activation.kind) {
    case "relu":
    case "sigmoid":
    case "tanh":
    case "elu":
      return { act: activation.kind };
    case "leakyRelu":
      return { act: "lrelu", alpha: activation.alpha };
    case "clamp":
      // biasAct limits to [-clamp, clamp]; behind a ReLU that is [0, clamp].
      if (activation.min === 0) return { act: "relu", clamp: activation.max };
      return activation.min === -Infinity && activation.max === Infinity
        ? { act: "linear" }
        : undefined;
    case "prelu":
      return undefined;
  }
}

/** (C, 1, 1) beside a picture, (C) beside a vector. */
function broadcastable(perChannel: Tensor, x: Tensor): Tensor {
  return x.shape.length === 4
    ? perChannel
    : reshape(perChannel, [perChannel.size]);
}

const BINARY = {
  add,
  sub: subtract,
  mul: multiply,
  div: divide,
  min: minimum,
  max: maximum,
};

/** NumPy's broadcasting lines up TensorFlow's axes, so a lower rank becomes a picture first. */
function binary(operator: keyof typeof BINARY, a: Tensor, b: Tensor): Tensor {
  const rank = Math.max(a.shape.length, b.shape.length);
  const lift = (t: Tensor) => {
    if (rank !== 4 || t.shape.length === 4 || t.size === 1) return t;
    const ones = new Array<number>(4 - t.shape.length).fill(1);
    return fromTensorFlow(reshape(t, [...ones, ...t.shape]));
  };
  return BINARY[operator](lift(a), lift(b));
}

function padding(amounts: readonly Pair[], value: number, x: Tensor): Tensor {
  const widths = amounts.map((_, k) => amounts[k]);
  amounts.forEach((amount, k) => widths[engineAxis(k, x)] = amount);
  // Zeros are what the engine pads with, so another value is made zero for a moment.
  if (value === 0) return pad(x, widths);
  return affine(pad(affine(x, 1, -value), widths), 1, value);
}

function meanOver(
  axes: readonly number[],
  keepDims: boolean,
  x: Tensor,
): Tensor {
  const options = { axes: axes.map((k) => engineAxis(k, x)), keep: keepDims };
  if (x.shape.length !== 4 || keepDims) return mean(x, options);
  // Without height and width both layouts leave (N, C); otherwise the order of what is left differs.
  const positive = axes.map((k) => k < 0 ? k + 4 : k);
  const leavesVectors = positive.includes(1) && positive.includes(2);
  return leavesVectors ? mean(x, options) : mean(toTensorFlow(x), { axes });
}
