/**
 * A generator on the device: its configuration and its parameters under their
 * published names.
 *
 * @module
 */
import type { Device, Tensor } from "../../engine/mod.ts";
import type { FullyConnectedWeights } from "../../engine/nn/fully_connected.ts";
import {
  type GeneratorConfig,
  type GeneratorWeights,
  WeightsError,
} from "../../weights/mod.ts";

/** A tri-plane generator. */
export interface Generator {
  /** Every size. */
  readonly config: GeneratorConfig;
  /** Parameters and buffers by state name, for instance `backbone.synthesis.b8.conv0.weight`. */
  readonly state: ReadonlyMap<string, Tensor>;
  /** Names of the synthesis layers whose noise counts: all of them, or where `config.noise` is off those with a strength. */
  readonly noisy: ReadonlySet<string>;
}

/** Uploads a generator. Its tensors live until {@linkcode releaseGenerator}. */
export function loadGenerator(
  device: Device,
  weights: GeneratorWeights,
): Generator {
  const state = new Map<string, Tensor>();
  const noisy = new Set<string>();
  for (const [name, tensor] of weights.tensors) {
    if (name.endsWith("resample_filter")) continue;
    state.set(name, device.tensor(tensor.data, tensor.shape));
    if (!name.endsWith(".noise_strength")) continue;
    if (weights.config.noise || tensor.data.some((v) => v !== 0)) {
      noisy.add(name.slice(0, -".noise_strength".length));
    }
  }
  return { config: weights.config, state, noisy };
}

/** A copy with its own parameters, to be tuned without touching the original. */
export function copyGenerator(device: Device, generator: Generator): Generator {
  const state = new Map<string, Tensor>();
  for (const [name, tensor] of generator.state) {
    const copy = device.empty(tensor.shape);
    device.copy(tensor, copy);
    state.set(name, copy);
  }
  return { ...generator, state };
}

/** Frees the parameters. */
export function releaseGenerator(generator: Generator): void {
  for (const tensor of generator.state.values()) tensor.release();
}

/**
 * A parameter by its published name.
 *
 * @throws {WeightsError} when the checkpoint has no such parameter
 */
export function parameter(generator: Generator, name: string): Tensor {
  const tensor = generator.state.get(name);
  if (!tensor) {
    throw new WeightsError(
      `The generator has no parameter ${name}: the checkpoint is incomplete or of another network.`,
    );
  }
  return tensor;
}

/** `NAME.weight` and `NAME.bias`. */
export function fullyConnectedWeights(
  generator: Generator,
  name: string,
): FullyConnectedWeights {
  return {
    weight: parameter(generator, `${name}.weight`),
    bias: parameter(generator, `${name}.bias`),
  };
}

/** Parameters that stage D tunes: all but the mapping network, which is not run there, and buffers. */
export function tunable(generator: Generator): Map<string, Tensor> {
  const chosen = [...generator.state].filter(([name]) => {
    if (name.startsWith("backbone.mapping.")) return false;
    if (name.endsWith(".noise_const")) return false;
    return !name.endsWith(".noise_strength") ||
      generator.noisy.has(name.slice(0, -".noise_strength".length));
  });
  return new Map(chosen);
}
