/**
 * The convolutions of AlexNet, after torchvision (Krizhevsky 2014).
 *
 * @module
 */
import { maxPool2d, type Tensor } from "../../../engine/mod.ts";
import { convolution, type NetworkWeights } from "../../networks/layers.ts";

/** Names of the layers with weights. */
export const ALEXNET_LAYERS: readonly string[] = [0, 3, 6, 8, 10].map((k) =>
  `features.${k}`
);

/** Channels of {@linkcode alexnet}'s maps. */
export const ALEXNET_CHANNELS = [64, 192, 384, 256, 256] as const;

/**
 * What follows each ReLU.
 *
 * @param x (N, 3, H, W), normalised
 */
export function alexnet(weights: NetworkWeights, x: Tensor): Tensor[] {
  const halve = (map: Tensor) => maxPool2d(map, { kernel: 3, stride: 2 });
  const layer = (k: number, map: Tensor, padding: number, stride = 1) =>
    convolution(weights, `features.${k}`, map, {
      padding,
      stride,
      act: "relu",
    });
  const relu1 = layer(0, x, 2, 4);
  const relu2 = layer(3, halve(relu1), 2);
  const relu3 = layer(6, halve(relu2), 1);
  const relu4 = layer(8, relu3, 1);
  const relu5 = layer(10, relu4, 1);
  return [relu1, relu2, relu3, relu4, relu5];
}
