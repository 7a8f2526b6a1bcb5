/**
 * The parameters of published PyTorch networks by name, and what is
 * computed from them once, before they go to the device.
 *
 * @module
 */
import { WeightsError, type WeightTensor } from "../../weights/mod.ts";

/** Parameters by name. */
export type Parameters = ReadonlyMap<string, WeightTensor>;

/** A parameter whose numbers are still in its file, such as a `CheckpointTensor`. */
export interface StoredParameter {
  /** Sizes of its axes. */
  readonly shape: readonly number[];
  /** Reads the numbers. */
  toFloat32(): WeightTensor;
}

/** What networks are loaded from: parameters by name, read or still in their file. */
export type StateDict = ReadonlyMap<string, WeightTensor | StoredParameter>;

/** Epsilon of PyTorch's `BatchNorm2d` when a network does not say otherwise. */
export const BATCH_NORM_EPSILON = 1e-5;

/** The parameters of a network, and the file they came from. */
export class NetworkState {
  /** File, or what else to call it in messages. */
  readonly source: string;
  /** Parameters by name. */
  readonly parameters: StateDict;

  /** Names a set of parameters. */
  constructor(source: string, parameters: StateDict) {
    this.source = source;
    this.parameters = parameters;
  }

  /**
   * A parameter by its published name.
   *
   * @param shape what it must be
   * @throws {WeightsError} when it is missing or has another shape
   */
  get(name: string, shape?: readonly number[]): WeightTensor {
    const found = this.parameters.get(name);
    if (!found) {
      throw new WeightsError(
        `${this.source} has no parameter ${name}: it is incomplete or of another network.`,
      );
    }
    if (shape && `${found.shape}` !== `${shape}`) {
      throw new WeightsError(
        `${name} in ${this.source} has the shape [${found.shape}] instead of [${shape}]: it is of another network.`,
      );
    }
    return "data" in found ? found : found.toFloat32();
  }

  /** Whether there is a parameter of this name. */
  has(name: string): boolean {
    return this.parameters.has(name);
  }
}

/**
 * `NAME.weight` and, where there is one, `NAME.bias`.
 *
 * @throws {WeightsError} when the weight is missing
 */
export function plainLayer(state: NetworkState, name: string): Parameters {
  const layer = new Map([[`${name}.weight`, state.get(`${name}.weight`)]]);
  if (state.has(`${name}.bias`)) {
    layer.set(`${name}.bias`, state.get(`${name}.bias`));
  }
  return layer;
}

/**
 * A trained batch normalisation as scale x + shift per channel:
 * scale = weight / sqrt(running_var + eps), shift = bias - running_mean scale.
 * It keeps its name: `NAME.weight` is the scale, `NAME.bias` the shift.
 *
 * @throws {WeightsError} when one of its four parameters is missing
 */
export function batchNorm(
  state: NetworkState,
  name: string,
  eps: number = BATCH_NORM_EPSILON,
): Parameters {
  const { data: variance, shape } = state.get(`${name}.running_var`);
  const mean = state.get(`${name}.running_mean`, shape).data;
  const bias = state.get(`${name}.bias`, shape).data;
  const weight = state.get(`${name}.weight`, shape).data;
  const scale = weight.map((w, c) => w / Math.sqrt(variance[c] + eps));
  const shift = bias.map((b, c) => b - mean[c] * scale[c]);
  return new Map([
    [`${name}.weight`, { shape, data: scale }],
    [`${name}.bias`, { shape, data: shift }],
  ]);
}

/**
 * A layer and the batch normalisation behind it as one layer, under the name
 * of the first.
 *
 * @throws {WeightsError} when a parameter is missing or does not fit
 */
export function foldedLayer(
  state: NetworkState,
  name: string,
  norm: string,
  eps: number = BATCH_NORM_EPSILON,
): Parameters {
  const { shape, data } = state.get(`${name}.weight`), channels = [shape[0]];
  const affine = batchNorm(state, norm, eps);
  state.get(`${norm}.weight`, channels);
  const scale = affine.get(`${norm}.weight`)!.data;
  const shift = affine.get(`${norm}.bias`)!.data;
  const before = state.has(`${name}.bias`)
    ? state.get(`${name}.bias`, channels).data
    : null;
  const each = data.length / shape[0];
  const weight = data.map((w, k) => w * scale[Math.floor(k / each)]);
  const bias = shift.map((s, c) => s + (before ? before[c] * scale[c] : 0));
  return new Map([
    [`${name}.weight`, { shape, data: weight }],
    [`${name}.bias`, { shape: channels, data: bias }],
  ]);
}
