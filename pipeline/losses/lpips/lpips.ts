/**
 * LPIPS 0.1: how far apart two pictures look (Zhang et al. 2018).
 *
 *     d(a, b) = sum_l mean_hw sum_c lin_lc (u_lc(a) - u_lc(b))^2
 *     u_l(x) = f_l(x) / (|f_l(x)| + 1e-10), the length along the channels
 *     f(x) = maps of a pretrained network of (x - shift) / scale
 *
 * @module
 */
import {
  add,
  affine,
  type Device,
  divide,
  mean,
  multiply,
  sqrt,
  square,
  subtract,
  sum,
  type Tensor,
} from "../../../engine/mod.ts";
import { WeightsError } from "../../../weights/mod.ts";
import {
  type NetworkWeights,
  releaseLayers,
  uploadLayers,
} from "../../networks/layers.ts";
import {
  NetworkState,
  plainLayer,
  type StateDict,
} from "../../networks/network_state.ts";
import type { FeatureNetwork } from "../perceptual.ts";
import { alexnet, ALEXNET_CHANNELS, ALEXNET_LAYERS } from "./alexnet.ts";
import {
  squeezenet,
  SQUEEZENET_CHANNELS,
  SQUEEZENET_LAYERS,
} from "./squeezenet.ts";
import { vgg16, VGG16_CHANNELS, VGG16_LAYERS } from "./vgg16.ts";

/** Networks that LPIPS was trained with. */
export type LpipsNet = "alex" | "vgg" | "squeeze";

interface Backbone {
  layers: readonly string[];
  channels: readonly number[];
  maps: (weights: NetworkWeights, x: Tensor) => Tensor[];
}

const BACKBONES: Readonly<Record<LpipsNet, Backbone>> = {
  alex: { layers: ALEXNET_LAYERS, channels: ALEXNET_CHANNELS, maps: alexnet },
  vgg: { layers: VGG16_LAYERS, channels: VGG16_CHANNELS, maps: vgg16 },
  squeeze: {
    layers: SQUEEZENET_LAYERS,
    channels: SQUEEZENET_CHANNELS,
    maps: squeezenet,
  },
};

/** Mean and spread of ImageNet's red, green and blue, for pictures in [-1, 1]. */
const SHIFT = [-0.030, -0.088, -0.188] as const;
const SCALE = [0.458, 0.448, 0.450] as const;

/** Added to the length of a feature vector. */
const EPSILON = 1e-10;
/** Added to its square, so that a vector of zeros has the gradient 0. */
const TINY = 1e-30;

/** LPIPS with its weights on a device; see {@linkcode loadLpips}. */
export class Lpips implements FeatureNetwork {
  /** `lpips-alex`, `lpips-vgg` or `lpips-squeeze`. */
  readonly name: string;
  readonly #maps: Backbone["maps"];
  readonly #weights: NetworkWeights;
  /** (C, 1, 1) for each map. */
  readonly #heads: readonly Tensor[];
  /** Square roots of the heads times the number of maps, made when first asked for. */
  readonly #roots: readonly Tensor[];
  readonly #shift: Tensor;
  readonly #scale: Tensor;

  /** Use {@linkcode loadLpips}. */
  constructor(device: Device, net: LpipsNet, state: NetworkState) {
    const { layers, channels, maps } = BACKBONES[net];
    const heads = channels.map((c, k) => headOf(state, k, c));
    this.name = `lpips-${net}`;
    this.#maps = maps;
    this.#weights = uploadLayers(
      device,
      layers.map((name) => plainLayer(state, name)),
    );
    const upload = (data: ArrayLike<number>) =>
      device.tensor(data, [data.length, 1, 1]);
    this.#heads = heads.map(upload);
    this.#roots = heads.map((head) =>
      upload(head.map((w) => Math.sqrt(w * heads.length)))
    );
    this.#shift = upload(SHIFT);
    this.#scale = upload(SCALE);
  }

  /**
   * Feature maps f_l.
   *
   * @param pictures (B, 3, H, W) in [-1, 1], RGB
   */
  features(pictures: Tensor): Tensor[] {
    const x = divide(subtract(pictures, this.#shift), this.#scale);
    return this.#maps(this.#weights, x);
  }

  /**
   * Feature maps of unit length u_l. Those of a fixed picture can be kept and
   * given to {@linkcode Lpips.distance} again and again.
   *
   * @param pictures (B, 3, H, W) in [-1, 1], RGB
   */
  unit(pictures: Tensor): Tensor[] {
    return this.features(pictures).map((map) => {
      const energy = sum(square(map), { axes: [1], keep: true });
      return divide(map, affine(sqrt(affine(energy, 1, TINY)), 1, EPSILON));
    });
  }

  /**
   * u_l scaled so that `perceptualDistance` of two such lists is the mean of
   * {@linkcode Lpips.distance} over the batch.
   */
  unitFeatures(pictures: Tensor): Tensor[] {
    return this.unit(pictures).map((map, l) => multiply(map, this.#roots[l]));
  }

  /**
   * d(a, b) of each pair of pictures.
   *
   * @param a (B, 3, H, W) in [-1, 1], RGB, or {@linkcode Lpips.unit} of it
   * @param b the same; one picture may stand against many
   * @returns (B)
   */
  distance(
    a: Tensor | readonly Tensor[],
    b: Tensor | readonly Tensor[],
  ): Tensor {
    const left = this.#unitOf(a), right = this.#unitOf(b);
    return left.map((map, l) => {
      const apart = square(subtract(map, right[l]));
      const perChannel = mean(apart, { axes: [2, 3], keep: true });
      const weighted = multiply(perChannel, this.#heads[l]);
      return sum(weighted, { axes: [1, 2, 3] });
    }).reduce(add);
  }

  #unitOf(pictures: Tensor | readonly Tensor[]): readonly Tensor[] {
    return "device" in pictures ? this.unit(pictures) : pictures;
  }

  /** Frees the weights. */
  [Symbol.dispose](): void {
    releaseLayers(this.#weights);
    const own = [...this.#heads, ...this.#roots, this.#shift, this.#scale];
    for (const tensor of own) tensor.release();
  }
}

/**
 * Uploads LPIPS. Its weights belong to the scope that is open, or else to the
 * caller.
 *
 * Names may be those of torchvision's networks (`features.0.weight`; alexnet,
 * vgg16, squeezenet1_1), of the lpips package's copies of them
 * (`slice1.0.weight`, `net.slice1.0.weight`), and for the learned heads
 * `lin0.model.1.weight`, `lins.0.model.1.weight` or `lin0`; or those of
 * NVIDIA's `vgg16.pt` of StyleGAN2-ADA (`layers.conv1.weight`, `lpips0`), which
 * computes the same distance of pictures in [0, 255].
 *
 * @param state the network's parameters and the heads, from one file or two
 * @param source what to call it in messages
 * @throws {WeightsError} when a parameter is missing or a head does not fit
 */
export function loadLpips(
  device: Device,
  net: LpipsNet,
  state: StateDict,
  source: string = `the weights of LPIPS (${net})`,
): Lpips {
  const parameters = new Map(
    [...state].map(([name, tensor]) => [publishedName(name), tensor]),
  );
  return new Lpips(device, net, new NetworkState(source, parameters));
}

/** A name of any accepted form as torchvision's or the lpips package's. */
function publishedName(name: string): string {
  const head = /^(?:lin(?:s\.)?|lpips)(\d+)(?:\.model\.\d+\.weight)?$/.exec(
    name,
  );
  if (head) return `lin${head[1]}.model.1.weight`;
  const counted = /^layers\.conv(\d+)(\.\w+)$/.exec(name);
  if (counted) return VGG16_LAYERS[Number(counted[1]) - 1] + counted[2];
  return name.replace(/^(?:net\.)?(?:slice\d+|features)\./, "features.");
}

function headOf(
  state: NetworkState,
  map: number,
  channels: number,
): Float32Array {
  const name = `lin${map}.model.1.weight`;
  const { data, shape } = state.get(name);
  if (data.length !== channels) {
    throw new WeightsError(
      `${name} in ${state.source} has the shape [${shape}] instead of [1,${channels},1,1]: it is of another network.`,
    );
  }
  if (data.every((w) => w >= 0)) return data;
  throw new WeightsError(
    `${name} in ${state.source} has negative weights, which LPIPS never has: the heads are not the published ones.`,
  );
}
