/**
 * Runs a pretrained network, read by `weights/`, on the engine.
 *
 * The files speak TensorFlow's layout, [batch, height, width, channels]; the engine's pictures are
 * [batch, channels, height, width]. Weights and constants are converted and uploaded once, when the
 * network is made; at run time every value of four axes is in the engine's layout, and only
 * reshapes between pictures and vectors pay for a permutation.
 *
 * @module
 */
import type { Device, Tensor } from "../../engine/mod.ts";
import {
  fuse,
  type Graph,
  type GraphNode,
  type KnownModel,
  loadKnownModel,
} from "../../weights/mod.ts";
import { PantomimeError } from "../errors.ts";
import { compute, type LayerWeights, uploadWeights } from "./network_layers.ts";

/** Options of {@linkcode Network}. */
export interface NetworkOptions {
  /** Names of inner values that {@linkcode Network.run} will be asked for. */
  readonly maps?: readonly string[];
}

/**
 * A network on a device. Its weights belong to the scope that is open when it is made, or else to
 * the caller, who disposes of it.
 */
export class Network {
  /** Where it runs. */
  readonly device: Device;
  /** Size of its input as [channels, height, width]. */
  readonly inputSize: readonly [number, number, number];
  readonly #graph: Graph;
  readonly #weights: ReadonlyMap<string, LayerWeights>;
  readonly #byName: ReadonlyMap<string, GraphNode>;

  /**
   * Uploads a network's weights.
   *
   * @throws {PantomimeError} when it has not exactly one picture as its input
   */
  constructor(device: Device, graph: Graph, options: NetworkOptions = {}) {
    this.device = device;
    this.#graph = fuse(graph, options.maps);
    this.#byName = new Map(this.#graph.nodes.map((node) => [node.name, node]));
    const input = this.#byName.get(graph.inputs[0])?.operation;
    if (
      graph.inputs.length !== 1 || input?.kind !== "input" ||
      input.shape.length !== 4
    ) {
      throw new PantomimeError(
        "Only networks with one picture as their input can be run here.",
      );
    }
    this.inputSize = [input.shape[3], input.shape[1], input.shape[2]];
    this.#weights = new Map(
      this.#graph.nodes.map(({ name, operation }) => [
        name,
        uploadWeights(device, operation),
      ]),
    );
  }

  /**
   * Reads one of the networks that come inside npm packages, and uploads it.
   *
   * @throws {WeightsError} when its package is missing or damaged
   */
  static async load(
    device: Device,
    name: KnownModel,
    options: NetworkOptions = {},
  ): Promise<Network> {
    return new Network(device, await loadKnownModel(name), options);
  }

  /** Names of its outputs. */
  get outputs(): string[] {
    return [...this.#graph.outputs.keys()];
  }

  /** Names of the inner values that can be asked for, in order of computation. */
  get maps(): string[] {
    return this.#graph.nodes.map(({ name }) => name);
  }

  /**
   * Computes values of the network for a batch of pictures. Differentiable by `x` when it is
   * tracked and the device is recording; inner values are then left to the scope of the caller.
   *
   * @param x (N, C, H, W); H and W may differ from `inputSize` where the network allows it
   * @param wanted outputs or inner values by name; all outputs when absent. Only what they depend
   * on is computed
   * @returns the values in the order of `wanted`; pictures as (N, C, H, W), others as TensorFlow
   * has them
   * @throws {PantomimeError} when there is no value of that name
   */
  run(x: Tensor, wanted: readonly string[] = this.outputs): Tensor[] {
    const targets = wanted.map((name) => this.#resolve(name));
    if (x.tracked && this.device.recording) return this.#walk(x, targets, null);
    using scope = this.device.scope();
    const release = new Uses(this.#needed(targets), targets);
    return scope.keep(this.#walk(x, targets, release));
  }

  /** Releases its weights. */
  release(): void {
    for (const weights of this.#weights.values()) {
      for (const tensor of Object.values(weights)) tensor?.release();
    }
  }

  /** Same as {@linkcode Network.release}. */
  [Symbol.dispose](): void {
    this.release();
  }

  #walk(
    x: Tensor,
    targets: readonly string[],
    uses: Uses | null,
  ): Tensor[] {
    const values = new Map<string, Tensor>();
    for (const node of this.#needed(targets)) {
      const inputs = node.inputs.map((name) => values.get(name)!);
      const value = node.operation.kind === "input"
        ? x
        : compute(node.operation, inputs, this.#weights.get(node.name)!);
      values.set(node.name, value);
      for (const name of uses?.finishedBy(node) ?? []) {
        // Neither the caller's picture nor the network's constants are ours to release.
        const { kind } = this.#byName.get(name)!.operation;
        if (kind !== "input" && kind !== "constant") {
          values.get(name)!.release();
        }
      }
    }
    return targets.map((name) => {
      const value = values.get(name)!;
      return value === x ? x.view(x.shape) : value;
    });
  }

  #resolve(name: string): string {
    const node = this.#graph.outputs.get(name) ?? name;
    if (this.#byName.has(node)) return node;
    throw new PantomimeError(
      `The network has no value ${name}; if it is an inner one, name it in \`maps\` when the network is made.`,
    );
  }

  /** The nodes that `targets` depend on, in order. */
  #needed(targets: readonly string[]): GraphNode[] {
    const wanted = new Set(targets);
    const needed: GraphNode[] = [];
    for (const node of this.#graph.nodes.toReversed()) {
      if (!wanted.has(node.name)) continue;
      for (const input of node.inputs) wanted.add(input);
      needed.push(node);
    }
    return needed.reverse();
  }
}

/** Counts down who still needs a value, so that it is released as early as possible. */
class Uses {
  readonly #left = new Map<string, number>();

  constructor(nodes: readonly GraphNode[], targets: readonly string[]) {
    for (const { inputs } of nodes) for (const name of inputs) this.#add(name);
    for (const name of targets) this.#add(name);
  }

  /** Values that no node after this one needs. */
  finishedBy(node: GraphNode): string[] {
    return [...new Set(node.inputs)].filter((name) => {
      const times = node.inputs.filter((input) => input === name).length;
      const left = this.#left.get(name)! - times;
      this.#left.set(name, left);
      return left === 0;
    });
  }

  #add(name: string): void {
    this.#left.set(name, (this.#left.get(name) ?? 0) + 1);
  }
}
