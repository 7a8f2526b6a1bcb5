/**
 * The convolutions of VGG16, after torchvision (Simonyan and Zisserman 2014).
 *
 * @module
 */
import { maxPool2d, type Tensor } from "../../../engine/mod.ts";
import { convolution, type NetworkWeights } from "../../networks/layers.ts";

/** Names of the layers with weights, by block; a block ends in halving. */
const BLOCKS = [
  [0, 2],
  [5, 7],
  [10, 12, 14],
  [17, 19, 21],
  [24, 26, 28],
] as const;

/** Names of the layers with weights. */
export const VGG16_LAYERS: readonly string[] = BLOCKS.flat().map((k) =>
  `features.${k}`
);

/** Channels of {@linkcode vgg16}'s maps. */
export const VGG16_CHANNELS = [64, 128, 256, 512, 512] as const;

/**
 * What follows the last ReLU of each block: relu1_2, relu2_2, relu3_3,
 * relu4_3, relu5_3.
 *
 * @param x (N, 3, H, W), normalised
 */
export function vgg16(weights: NetworkWeights, x: Tensor): Tensor[] {
  const maps: Tensor[] = [];
  for (const block of BLOCKS) {
    let map = maps.length ? maxPool2d(maps.at(-1)!, { kernel: 2 }) : x;
    for (const k of block) {
      map = convolution(weights, `features.${k}`, map, {
        padding: 1,
        act: "relu",
      });
    }
    maps.push(map);
  }
  return maps;
}
