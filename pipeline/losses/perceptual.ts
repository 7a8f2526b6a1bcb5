/**
 * Perceptual distance: how far apart two pictures are for a pretrained
 * network. Any network that returns feature maps fits.
 *
 * @module
 */
import {
  add,
  affine,
  mean,
  multiply,
  rsqrt,
  square,
  subtract,
  sum,
  type Tensor,
} from "../../engine/mod.ts";

/** A pretrained network, seen as a stack of feature maps. */
export interface FeatureNetwork {
  /** Name for reports. */
  readonly name: string;
  /**
   * Feature maps of pictures, differentiably.
   *
   * @param pictures (B, 3, H, W) in [-1, 1], RGB
   * @returns maps (B, C, h, w), fine to coarse
   */
  features(pictures: Tensor): Tensor[];
  /**
   * Maps whose {@linkcode perceptualDistance} is the network's own distance
   * (LPIPS, with its learned weights); feature maps of unit length when absent.
   */
  unitFeatures?(pictures: Tensor): Tensor[];
}

/**
 * Feature maps with unit length per pixel, as LPIPS compares them (Zhang et
 * al. 2018, section 3).
 */
export function unitFeatures(
  network: FeatureNetwork,
  pictures: Tensor,
): Tensor[] {
  if (network.unitFeatures) return network.unitFeatures(pictures);
  return network.features(pictures).map((map) => {
    const energy = sum(square(map), { axes: [1], keep: true });
    return multiply(map, rsqrt(affine(energy, 1, 1e-8)));
  });
}

/**
 * Mean over maps of the mean over pixels of the squared distance between unit
 * features: 0 for equal pictures, at most 4.
 *
 * @param a {@linkcode unitFeatures} of one picture
 * @param b the same of the other
 */
export function perceptualDistance(
  a: readonly Tensor[],
  b: readonly Tensor[],
): Tensor {
  const parts = a.map((map, k) => {
    const [batch, , height, width] = map.shape;
    const total = sum(square(subtract(map, b[k])));
    return affine(total, 1 / (batch * height * width * a.length));
  });
  return parts.reduce(add);
}

/** Mean squared difference, weighted per pixel when a mask (B or 1, 1, H, W) is given. */
export function meanSquaredError(a: Tensor, b: Tensor, mask?: Tensor): Tensor {
  const difference = subtract(a, b);
  return mean(square(mask ? multiply(difference, mask) : difference));
}
