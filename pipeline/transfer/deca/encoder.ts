/**
 * DECA's encoders: a picture of a face to the parameters of a FLAME head
 * (Feng et al. 2021; method, sections 11.1 and 11.2).
 *
 * @module
 */
import { type Device, slice, type Tensor } from "../../../engine/mod.ts";
import {
  linear,
  type NetworkWeights,
  releaseLayers,
  uploadLayers,
} from "../../networks/layers.ts";
import { resnet50, resnet50Layers } from "../../networks/resnet50.ts";
import {
  NetworkState,
  plainLayer,
  type StateDict,
} from "../../networks/network_state.ts";

/** Side of the pictures that the encoders were trained on, in pixels. */
export const DECA_SIDE = 224;

/** Parts of the coarse code and their lengths, in order. */
export const DECA_CODE = {
  /** Coefficients of FLAME's shape components. */
  shape: 100,
  /** Coefficients of the albedo's components. */
  tex: 50,
  /** Coefficients of FLAME's expression components. */
  exp: 50,
  /** Rotations as axis times angle: of the head (3), of the jaw (3). */
  pose: 6,
  /** Scale and translation (x, y) of the orthographic camera. */
  cam: 3,
  /** Nine spherical harmonics for each of red, green, blue; (9, 3) in memory. */
  light: 27,
} as const;

/** A part of the coarse code. */
export type DecaPart = keyof typeof DECA_CODE;

const PARTS = Object.entries(DECA_CODE) as [DecaPart, number][];

/** Length of the coarse code. */
export const DECA_CODE_LENGTH: number = PARTS.reduce((n, [, k]) => n + k, 0);

/**
 * The parts of coarse codes.
 *
 * @param codes (N, 236)
 * @returns (N, length) for each part
 */
export function decaParts(codes: Tensor): Record<DecaPart, Tensor> {
  let at = 0;
  const parts = PARTS.map(([name, length]): [DecaPart, Tensor] => {
    const part = slice(codes, [0, at], [codes.shape[0], length]);
    at += length;
    return [name, part];
  });
  return Object.fromEntries(parts) as Record<DecaPart, Tensor>;
}

/** An encoder of DECA on a device: `E_flame` (236 numbers) or `E_detail` (128). */
export class DecaEncoder {
  readonly #weights: NetworkWeights;

  /** Use {@linkcode loadDecaEncoder}. */
  constructor(device: Device, state: NetworkState) {
    this.#weights = uploadLayers(device, [
      ...resnet50Layers(state, "encoder."),
      plainLayer(state, "layers.0"),
      plainLayer(state, "layers.2"),
    ]);
  }

  /**
   * What the residual network sees.
   *
   * @param pictures (N, 3, 224, 224) in [0, 1], RGB
   * @returns (N, 2048)
   */
  features(pictures: Tensor): Tensor {
    return resnet50(this.#weights, "encoder.", pictures);
  }

  /**
   * Codes of pictures; differentiable by them.
   *
   * @param pictures (N, 3, 224, 224) in [0, 1], RGB
   * @returns (N, 236), or (N, 128) from the encoder of details
   */
  codes(pictures: Tensor): Tensor {
    return this.codesOf(this.features(pictures));
  }

  /** Codes from {@linkcode DecaEncoder.features}. */
  codesOf(features: Tensor): Tensor {
    const hidden = linear(this.#weights, "layers.0", features, "relu");
    return linear(this.#weights, "layers.2", hidden);
  }

  /** Frees the weights. */
  [Symbol.dispose](): void {
    releaseLayers(this.#weights);
  }
}

/**
 * Uploads an encoder. Its weights belong to the scope that is open, or else to
 * the caller.
 *
 * @param state parameters by the names within `E_flame` or `E_detail` of `deca_model.tar`, such as
 * `encoder.conv1.weight`
 * @param source what to call it in messages
 * @throws {WeightsError} when a parameter is missing
 */
export function loadDecaEncoder(
  device: Device,
  state: StateDict,
  source: string = "the weights of DECA's encoder",
): DecaEncoder {
  return new DecaEncoder(device, new NetworkState(source, state));
}
