/** @file A TensorFlow graph while it is being translated: identities, constants, and attributes in our terms. */
import { WeightsError } from "../errors.ts";
import type { TfGraph, TfNode } from "../formats/tfjs_graph.ts";
import type { WeightTensor } from "../tensor.ts";
import type { Padding, Pair } from "./graph.ts";

/** The graph being translated: follows identities, reads constants, and words the errors. */
export class TfContext {
  readonly #graph: TfGraph;
  readonly #aliases = new Map<string, string>();

  constructor(graph: TfGraph) {
    this.#graph = graph;
  }

  alias(name: string, target: string): void {
    this.#aliases.set(name, this.resolve(target));
  }

  resolve(name: string): string {
    return this.#aliases.get(name) ?? name;
  }

  input(node: TfNode, position: number): string {
    const name = node.inputs[position];
    if (name === undefined) {
      throw this.unsupported(node, `${node.inputs.length} inputs`);
    }
    if (/:\d+$/.test(name)) {
      throw this.unsupported(node, `the secondary output ${name}`);
    }
    return this.resolve(name);
  }

  constant(node: TfNode, name: string): WeightTensor {
    const value = this.#graph.weights.get(this.resolve(name));
    if (!value) {
      throw this.unsupported(node, `${name}, which is not a constant,`);
    }
    return value;
  }

  integers(node: TfNode, position: number): number[] {
    return Array.from(
      this.constant(node, this.input(node, position)).data,
      Math.round,
    );
  }

  /** The two middle values of a [1, vertical, horizontal, 1] attribute. */
  spatial(node: TfNode, key: string, missing?: Pair): Pair {
    const format = node.attributes.get("data_format") ?? "NHWC";
    if (format !== "NHWC") throw this.unsupported(node, `the layout ${format}`);
    const values = node.attributes.get(key) as readonly number[] | undefined;
    if (!values && missing) return missing;
    if (values?.length !== 4 || values[0] !== 1 || values[3] !== 1) {
      throw this.unsupported(node, `${key} [${values}]`);
    }
    return [values[1], values[2]];
  }

  padding(node: TfNode): Padding {
    const padding = node.attributes.get("padding");
    if (padding === "SAME") return "same";
    if (padding === "VALID") return "valid";
    const explicit = node.attributes.get("explicit_paddings") as
      | readonly number[]
      | undefined;
    if (padding !== "EXPLICIT" || explicit?.length !== 8) {
      throw this.unsupported(node, `the padding ${padding}`);
    }
    return [explicit[2], explicit[3], explicit[4], explicit[5]];
  }

  unsupported(node: TfNode, what: string): WeightsError {
    return new WeightsError(
      `${this.#graph.source}: the node ${node.name} uses ${what} and cannot be translated.`,
    );
  }
}
