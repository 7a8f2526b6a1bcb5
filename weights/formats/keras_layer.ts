/** @file One layer of a Keras topology: its options and weights, and the wording of errors about it. */
import { WeightsError } from "../errors.ts";
import type { Operation, Padding, Pair } from "../graph/graph.ts";
import type { WeightTensor } from "../tensor.ts";

/** One Keras layer of a functional model. */
export interface KerasLayer {
  readonly name: string;
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly inbound_nodes: readonly (readonly KerasRef[])[];
}

/** [layer, index of its use, index of its output, call arguments]. */
export type KerasRef = readonly [string, number, number, unknown?];

/** One layer's options and weights, and the wording of its errors. */
export class LayerReader {
  readonly name: string;
  readonly kind: string;
  readonly inputs: readonly string[];
  readonly #config: Readonly<Record<string, unknown>>;
  readonly #weights: ReadonlyMap<string, WeightTensor>;
  readonly #source: string;

  constructor(
    layer: KerasLayer,
    weights: ReadonlyMap<string, WeightTensor>,
    source: string,
  ) {
    this.name = layer.name;
    this.kind = layer.class_name;
    this.#config = layer.config;
    this.#weights = weights;
    this.#source = source;
    if (layer.inbound_nodes.length > 1) {
      throw this.unsupported("its weights more than once");
    }
    this.inputs = (layer.inbound_nodes[0] ?? []).map(([name]) => name);
    const format = this.option("data_format") ?? "channels_last";
    if (format !== "channels_last") {
      throw this.unsupported(`the layout ${format}`);
    }
  }

  option(key: string): unknown {
    return this.#config[key];
  }

  pair(key: string): Pair {
    const value = this.option(key);
    if (!Array.isArray(value) || value.length !== 2) {
      throw this.unsupported(`${key} ${JSON.stringify(value)}`);
    }
    return [value[0], value[1]];
  }

  padding(): Padding {
    const padding = this.option("padding");
    if (padding !== "same" && padding !== "valid") {
      throw this.unsupported(`the padding ${padding}`);
    }
    return padding;
  }

  weight(part: string): WeightTensor {
    const value = this.#weights.get(`${this.name}/${part}`);
    if (!value) {
      throw new WeightsError(
        `${this.#source}: the weights of layer ${this.name} have no ${part}.`,
      );
    }
    return value;
  }

  /** A weight that is there unless the flag in the options says otherwise. */
  optionalWeight(part: string, flag: string): WeightTensor | undefined {
    return this.option(flag) === false ? undefined : this.weight(part);
  }

  /** What the `activation` option adds after the layer. */
  following(): Operation[] {
    const name = String(this.option("activation") ?? "linear");
    switch (name) {
      case "linear":
        return [];
      case "softmax":
        return [{ kind: "softmax" }];
      case "relu6":
        return [{
          kind: "activation",
          activation: { kind: "clamp", min: 0, max: 6 },
        }];
      case "relu":
      case "sigmoid":
      case "tanh":
      case "elu":
        return [{ kind: "activation", activation: { kind: name } }];
      default:
        throw this.unsupported(`the activation ${name}`);
    }
  }

  unsupported(what: string): WeightsError {
    return new WeightsError(
      `${this.#source}: the layer ${this.name} uses ${what} and cannot be translated.`,
    );
  }
}
