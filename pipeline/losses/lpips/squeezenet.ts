/**
 * The convolutions of SqueezeNet 1.1, after torchvision (Iandola et al. 2016).
 *
 * @module
 */
import { concat, maxPool2d, type Tensor } from "../../../engine/mod.ts";
import { convolution, type NetworkWeights } from "../../networks/layers.ts";

const FIRES = [3, 4, 6, 7, 9, 10, 11, 12] as const;
const PARTS = ["squeeze", "expand1x1", "expand3x3"] as const;

/** Names of the layers with weights. */
export const SQUEEZENET_LAYERS: readonly string[] = [
  "features.0",
  ...FIRES.flatMap((fire) => PARTS.map((part) => `features.${fire}.${part}`)),
];

/** Channels of {@linkcode squeezenet}'s maps. */
export const SQUEEZENET_CHANNELS = [64, 128, 256, 384, 384, 512, 512] as const;

/**
 * The first ReLU, the ends of the two blocks before halvings, and each of the
 * last four fire modules.
 *
 * @param x (N, 3, H, W), normalised
 */
export function squeezenet(weights: NetworkWeights, x: Tensor): Tensor[] {
  const pass = (map: Tensor, ...fires: typeof FIRES[number][]) =>
    fires.reduce((flow, k) => fire(weights, `features.${k}`, flow), map);
  const stem = { stride: 2, act: "relu" } as const;
  const relu1 = convolution(weights, "features.0", x, stem);
  const fire4 = pass(halve(relu1), 3, 4);
  const fire7 = pass(halve(fire4), 6, 7);
  const fire9 = pass(halve(fire7), 9);
  const fire10 = pass(fire9, 10);
  const fire11 = pass(fire10, 11);
  const fire12 = pass(fire11, 12);
  return [relu1, fire4, fire7, fire9, fire10, fire11, fire12];
}

/** Few channels by 1x1, then many by 1x1 and as many by 3x3, side by side. */
function fire(weights: NetworkWeights, name: string, x: Tensor): Tensor {
  const layer = (part: typeof PARTS[number], map: Tensor, padding = 0) =>
    convolution(weights, `${name}.${part}`, map, { padding, act: "relu" });
  const few = layer("squeeze", x);
  return concat([layer("expand1x1", few), layer("expand3x3", few, 1)], 1);
}

/** Largest of 3x3 windows at every other pixel; the last window may hang over (`ceil_mode`). */
function halve(x: Tensor): Tensor {
  const over = (length: number) => Math.abs((length - 3) % 2);
  const [, , height, width] = x.shape;
  const padding = [0, over(height), 0, over(width)] as const;
  return maxPool2d(x, { kernel: 3, stride: 2, padding });
}
