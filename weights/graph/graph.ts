/**
 * @file A feed-forward image network as data: what every model format of this folder is translated into, and all that
 * an executor has to know. It speaks TensorFlow's convention: pictures are [batch, height, width, channels] and
 * filters [height, width, in, out]; whoever executes it in another layout converts the weights once.
 */
import type { WeightTensor } from "../tensor.ts";

/** How a window is placed at the border: TensorFlow's two rules, or explicit zeros as [top, bottom, left, right]. */
export type Padding =
  | "valid"
  | "same"
  | readonly [top: number, bottom: number, left: number, right: number];

/** [vertical, horizontal]. */
export type Pair = readonly [number, number];

/** An element-wise function. `prelu`'s slope has one value per channel; `clamp` may be open to one side (infinite). */
export type Activation =
  | { readonly kind: "relu" | "sigmoid" | "tanh" | "elu" }
  | { readonly kind: "leakyRelu"; readonly alpha: number }
  | { readonly kind: "prelu"; readonly slope: WeightTensor }
  | { readonly kind: "clamp"; readonly min: number; readonly max: number };

/**
 * A convolution y = activation(scale * (x conv filter) + bias), `bias` one value per output channel.
 * `filter` is [h, w, in, out], for a depthwise one [h, w, channels, multiplier] with output channel c * multiplier + m.
 */
export interface Convolution {
  /** What tells operations apart. */
  readonly kind: "conv2d";
  /** [h, w, in, out], or [h, w, channels, multiplier]. */
  readonly filter: WeightTensor;
  /** One number per output channel; zeros when absent. */
  readonly bias?: WeightTensor;
  /** Whether every channel has filters of its own. */
  readonly depthwise: boolean;
  /** Steps of the window. */
  readonly strides: Pair;
  /** Distance between taps. */
  readonly dilations: Pair;
  /** What lies beyond the border. */
  readonly padding: Padding;
  /** Applied last; none when absent. */
  readonly activation?: Activation;
}

/** y = activation(x [n, in] times weight [in, out] + bias [out]). */
export interface Dense {
  /** What tells operations apart. */
  readonly kind: "dense";
  /** [in, out]. */
  readonly weight: WeightTensor;
  /** [out]; zeros when absent. */
  readonly bias?: WeightTensor;
  /** Applied last; none when absent. */
  readonly activation?: Activation;
}

/** The largest or the mean value under a window; the mean counts only pixels inside the picture. */
export interface Pool {
  /** What tells operations apart. */
  readonly kind: "pool";
  /** The largest value or the mean. */
  readonly reduce: "max" | "mean";
  /** Size of the window. */
  readonly size: Pair;
  /** Steps of the window. */
  readonly strides: Pair;
  /** What lies beyond the border. */
  readonly padding: Padding;
}

/** Everything a node can compute. */
export type Operation =
  /** A picture that the caller gives; a size of -1 is free. */
  | { readonly kind: "input"; readonly shape: readonly number[] }
  | { readonly kind: "constant"; readonly value: WeightTensor }
  | Convolution
  | Dense
  | Pool
  /** x * scale + shift, one pair of values per channel (the last axis). */
  | {
    readonly kind: "affine";
    readonly scale: WeightTensor;
    readonly shift: WeightTensor;
  }
  | { readonly kind: "activation"; readonly activation: Activation }
  /** Of two inputs, with NumPy's broadcasting. */
  | {
    readonly kind: "binary";
    readonly operator: "add" | "sub" | "mul" | "div" | "min" | "max";
  }
  /** Over the last axis. */
  | { readonly kind: "softmax" }
  /** Constant values around, [before, after] for each axis. */
  | {
    readonly kind: "pad";
    readonly amounts: readonly Pair[];
    readonly value: number;
  }
  /** In row-major order; -1 is what remains, 0 copies the input's size of that axis. */
  | { readonly kind: "reshape"; readonly shape: readonly number[] }
  /** Drops axes of size one: these (negative: from the back), or all of them. */
  | { readonly kind: "squeeze"; readonly axes: readonly number[] }
  | { readonly kind: "concat"; readonly axis: number }
  | {
    readonly kind: "mean";
    readonly axes: readonly number[];
    readonly keepDims: boolean;
  };

/** One value of the network: how it is computed and from which other nodes, by name. */
export interface GraphNode {
  /** Unique within the network. */
  readonly name: string;
  /** How it is computed. */
  readonly operation: Operation;
  /** Nodes it is computed from, in the operation's order. */
  readonly inputs: readonly string[];
}

/** A network: nodes in an order in which each comes after its inputs. */
export interface Graph {
  /** Nodes, each after its inputs. */
  readonly nodes: readonly GraphNode[];
  /** Names of the input nodes. */
  readonly inputs: readonly string[];
  /** From the model's public output names to node names. */
  readonly outputs: ReadonlyMap<string, string>;
}

/** Values per output channel of a convolution's or dense layer's weight. */
export function outputChannels(operation: Convolution | Dense): number {
  if (operation.kind === "dense") return operation.weight.shape[1];
  const [, , input, output] = operation.filter.shape;
  return operation.depthwise ? input * output : output;
}
