/**
 * DECA's decoder of details: wrinkles as a displacement map (Feng et al. 2021;
 * method, section 11.2).
 *
 * @module
 */
import {
  affine,
  type Device,
  interpolate,
  reshape,
  type Tensor,
} from "../../../engine/mod.ts";
import {
  channelAffine,
  convolution,
  linear,
  type NetworkWeights,
  releaseLayers,
  uploadLayers,
} from "../../networks/layers.ts";
import {
  batchNorm,
  foldedLayer,
  NetworkState,
  plainLayer,
  type StateDict,
} from "../../networks/network_state.ts";

/** Length of the input: jaw 3, expression 50, detail 128, in this order. */
export const DETAIL_LATENT = 181;

/** Side of the first map; 128 channels in the published decoder. */
const START_SIDE = 8;

/** Index of the convolution of each doubling within `conv_blocks`; its normalisation is the next. */
const DOUBLINGS = [2, 6, 10, 14, 18] as const;

/** Index of the last convolution. */
const LAST = 21;

/**
 * The decoder was built with 0.8 where batch normalisation takes its epsilon,
 * and trained so.
 */
const EPSILON = 0.8;

/** Largest displacement, in metres. */
const DEPTH = 0.01;

/** The decoder of details on a device; see {@linkcode loadDetailDecoder}. */
export class DetailDecoder {
  readonly #weights: NetworkWeights;

  /** Use {@linkcode loadDetailDecoder}. */
  constructor(device: Device, state: NetworkState) {
    const block = (k: number) => `conv_blocks.${k}`;
    this.#weights = uploadLayers(device, [
      plainLayer(state, "l1.0"),
      batchNorm(state, block(0)),
      ...DOUBLINGS.map((k) =>
        foldedLayer(state, block(k), block(k + 1), EPSILON)
      ),
      plainLayer(state, block(LAST)),
    ]);
  }

  /**
   * Displacement along the normals over FLAME's texture map, in metres.
   *
   * @param latent (N, 181): jaw, expression, detail
   * @returns (N, 1, 256, 256) in [-0.01, 0.01]
   */
  displacement(latent: Tensor): Tensor {
    const weights = this.#weights, batch = latent.shape[0];
    const start = linear(weights, "l1.0", latent);
    const square = [batch, -1, START_SIDE, START_SIDE];
    let x = channelAffine(weights, "conv_blocks.0", reshape(start, square));
    for (const k of DOUBLINGS) {
      const [, , height, width] = x.shape;
      x = convolution(
        weights,
        `conv_blocks.${k}`,
        interpolate(x, [2 * height, 2 * width]),
        { padding: 1, act: "lrelu", slope: 0.2 },
      );
    }
    const last = { padding: 1, act: "tanh" } as const;
    return affine(convolution(weights, `conv_blocks.${LAST}`, x, last), DEPTH);
  }

  /** Frees the weights. */
  [Symbol.dispose](): void {
    releaseLayers(this.#weights);
  }
}

/**
 * Uploads the decoder. Its weights belong to the scope that is open, or else
 * to the caller.
 *
 * @param state parameters by the names within `D_detail` of `deca_model.tar`, such as
 * `conv_blocks.2.weight`
 * @param source what to call it in messages
 * @throws {WeightsError} when a parameter is missing
 */
export function loadDetailDecoder(
  device: Device,
  state: StateDict,
  source: string = "the weights of DECA's decoder of details",
): DetailDecoder {
  return new DetailDecoder(device, new NetworkState(source, state));
}
