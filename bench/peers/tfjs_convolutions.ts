/**
 * Convolutions in TensorFlow.js.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { ConvProblem, Numbers } from "../problem.ts";
import {
  channelsFirst,
  channelsLast,
  type Named,
  type Plan,
  tensor,
  weight,
  weightBack,
} from "./tfjs_layout.ts";

/** tfjs' own gradient kernels, without the forward pass that `tf.grad` repeats. */
function kernel(name: string, inputs: Named, attributes: object): tf.Tensor {
  return tf.engine().runKernel(
    name,
    inputs,
    attributes as Parameters<ReturnType<typeof tf.engine>["runKernel"]>[2],
  ) as tf.Tensor;
}

/** Stride 1, zeros around the picture. */
export function convolution(
  { wanted, inputs }: ConvProblem,
  { x, w, g }: Record<string, Numbers>,
): Plan {
  const [, ci, h, width] = inputs.x, [co, , k] = inputs.w;
  const shared = {
    strides: [1, 1],
    pad: "same",
    dataFormat: "NHWC",
    dimRoundingMode: undefined,
  };
  switch (wanted) {
    case "output":
      return {
        inputs: { x: channelsLast(x), w: weight(w) },
        compute: ({ x, w }) =>
          tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same"),
        back: channelsFirst,
      };
    case "input":
      return {
        inputs: { dy: channelsLast(g), filter: weight(w) },
        compute: (inputs) =>
          kernel("Conv2DBackpropInput", inputs, {
            ...shared,
            inputShape: [1, h, width, ci],
          }),
        back: channelsFirst,
      };
    case "weight":
      return {
        inputs: { x: channelsLast(x), dy: channelsLast(g) },
        compute: (inputs) =>
          kernel("Conv2DBackpropFilter", inputs, {
            ...shared,
            filterShape: [k, k, ci, co],
          }),
        back: weightBack,
      };
  }
}

/** The same with every channel a group of its own. */
export function depthwise(
  { wanted, inputs }: ConvProblem,
  { x, w, g }: Record<string, Numbers>,
): Plan | null {
  const [channels, , k] = inputs.w, [, , h, width] = inputs.x;
  // (C, 1, k, k) to (k, k, C, 1)
  const filter = () => tf.tidy(() => tf.transpose(tensor(w), [2, 3, 0, 1]));
  const shared = { strides: [1, 1], pad: "same", dilations: [1, 1] };
  switch (wanted) {
    case "output":
      return {
        inputs: { x: channelsLast(x), w: filter() },
        compute: ({ x, w }) =>
          tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same"),
        back: channelsFirst,
      };
    case "input":
      return {
        inputs: { dy: channelsLast(g), filter: filter() },
        compute: (inputs) =>
          kernel("DepthwiseConv2dNativeBackpropInput", inputs, {
            ...shared,
            inputShape: [1, h, width, channels],
          }),
        back: channelsFirst,
      };
    case "weight":
      return {
        inputs: { x: channelsLast(x), dy: channelsLast(g) },
        compute: (inputs) =>
          kernel("DepthwiseConv2dNativeBackpropFilter", inputs, {
            ...shared,
            filterShape: [k, k, channels, 1],
          }),
        back: (t) => tf.transpose(t, [2, 3, 0, 1]),
      };
  }
}

/** Stride 2, no padding: the gradient of a convolution by its picture, and that one's gradients. */
export function transposed(
  { wanted, inputs }: ConvProblem,
  { x, w, g }: Record<string, Numbers>,
): Plan {
  const [, ci] = inputs.x, [, co, k] = inputs.w, [, , oh, ow] = inputs.g;
  switch (wanted) {
    case "output":
      return {
        inputs: { x: channelsLast(x), w: weight(w) },
        compute: ({ x, w }) =>
          tf.conv2dTranspose(
            x as tf.Tensor4D,
            w as tf.Tensor4D,
            [1, oh, ow, co],
            2,
            "valid",
          ),
        back: channelsFirst,
      };
    case "input":
      return {
        inputs: { g: channelsLast(g), w: weight(w) },
        compute: ({ g, w }) =>
          tf.conv2d(g as tf.Tensor4D, w as tf.Tensor4D, 2, "valid"),
        back: channelsFirst,
      };
    case "weight":
      return {
        inputs: { x: channelsLast(g), dy: channelsLast(x) },
        compute: (inputs) =>
          kernel("Conv2DBackpropFilter", inputs, {
            strides: [2, 2],
            pad: "valid",
            dataFormat: "NHWC",
            filterShape: [k, k, co, ci],
          }),
        back: weightBack,
      };
  }
}

/** Modulated and demodulated, stride 1. */
export function modulated({ x, w, s }: Named): tf.Tensor {
  const energy = tf.sum(tf.square(w), [0, 1]);
  const scale = tf.rsqrt(tf.add(tf.matMul(tf.square(s), energy), 1e-8));
  const y = tf.conv2d(tf.mul(x, s) as tf.Tensor4D, w as tf.Tensor4D, 1, "same");
  return tf.mul(y, scale);
}

/** Channels as pictures of one channel each, which one transposed convolution enlarges. */
export function upsample({ data, shape: [, c, h, w] }: Numbers): Plan {
  const taps = [1, 3, 3, 1].flatMap((u) => [1, 3, 3, 1].map((v) => u * v / 16));
  return {
    inputs: {
      x: tf.tensor4d(data, [c, h, w, 1]),
      f: tf.tensor4d(taps, [4, 4, 1, 1]),
    },
    compute: ({ x, f }) =>
      tf.conv2dTranspose(
        x as tf.Tensor4D,
        f as tf.Tensor4D,
        [c, 2 * h, 2 * w, 1],
        2,
        "same",
      ),
  };
}
