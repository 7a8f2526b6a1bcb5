/**
 * ResNet-50 up to the mean of its last maps, after torchvision (He et al.
 * 2016): each halving is done by a 3x3 convolution.
 *
 * @module
 */
import { add, maxPool2d, mean, relu, type Tensor } from "../../engine/mod.ts";
import { convolution, type NetworkWeights } from "./layers.ts";
import {
  foldedLayer,
  type NetworkState,
  type Parameters,
} from "./network_state.ts";

/** Bottlenecks of each stage. */
const STAGES = [3, 4, 6, 3] as const;

/** Bottlenecks by name; the first of a stage changes the number of channels, and from the second stage on the size. */
const BOTTLENECKS = STAGES.flatMap((count, stage) =>
  Array.from({ length: count }, (_, k) => ({
    name: `layer${stage + 1}.${k}`,
    first: k === 0,
    stride: stage > 0 && k === 0 ? 2 : 1,
  }))
);

/**
 * Layers of the network, each normalisation folded into its convolution.
 *
 * @param prefix what stands before `conv1.weight`, for instance `encoder.`
 * @throws {WeightsError} when a parameter is missing
 */
export function resnet50Layers(
  state: NetworkState,
  prefix: string,
): Parameters[] {
  const layer = (conv: string, norm: string) =>
    foldedLayer(state, prefix + conv, prefix + norm);
  return [
    layer("conv1", "bn1"),
    ...BOTTLENECKS.flatMap(({ name, first }) => [
      ...[1, 2, 3].map((k) => layer(`${name}.conv${k}`, `${name}.bn${k}`)),
      ...(first ? [layer(`${name}.downsample.0`, `${name}.downsample.1`)] : []),
    ]),
  ];
}

/**
 * Means over pixels of the last maps.
 *
 * @param x (N, 3, H, W); 224 x 224 is what such networks are trained on
 * @returns (N, 2048)
 */
export function resnet50(
  weights: NetworkWeights,
  prefix: string,
  x: Tensor,
): Tensor {
  const stem = { stride: 2, padding: 3, act: "relu" } as const;
  let y = convolution(weights, `${prefix}conv1`, x, stem);
  y = maxPool2d(y, { kernel: 3, stride: 2, padding: 1 });
  for (const { name, first, stride } of BOTTLENECKS) {
    const at = prefix + name, flow = y;
    y = convolution(weights, `${at}.conv1`, flow, { act: "relu" });
    y = convolution(weights, `${at}.conv2`, y, {
      stride,
      padding: 1,
      act: "relu",
    });
    y = convolution(weights, `${at}.conv3`, y);
    const shortcut = first
      ? convolution(weights, `${at}.downsample.0`, flow, { stride })
      : flow;
    y = relu(add(y, shortcut));
  }
  return mean(y, { axes: [2, 3] });
}
