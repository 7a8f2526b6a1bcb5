/**
 * Conformance cases of the convolutions.
 *
 * @module
 */
import type { CaseInput, OperatorCase } from "./conformance.ts";
import {
  conv2d,
  type Conv2dOptions,
  convTranspose2d,
  type ConvTranspose2dOptions,
} from "./conv2d.ts";
import {
  conv2dReference,
  convTranspose2dReference,
} from "./conv2d.reference.ts";

/**
 * Fast kernels multiply the weight by the zeros around a picture, and Winograd's
 * method adds and subtracts neighbours of a pixel.
 */
function inputs(
  name: string,
  x: number[],
  w: number[],
): Record<string, CaseInput> {
  return {
    x: {
      shape: x,
      nonFinite: name.includes("Winograd") ? "spreads" : "exact",
    },
    w: { shape: w, nonFinite: "spreads" },
  };
}

function forwardCase(
  name: string,
  x: number[],
  w: number[],
  options: Conv2dOptions = {},
): OperatorCase {
  return {
    operator: "conv2d",
    name,
    inputs: inputs(name, x, w),
    run: (t) => conv2d(t.x, t.w, options),
    reference: (a) => conv2dReference(a.x, a.w, options),
    linear: ["x", "w"],
  };
}

function transposeCase(
  name: string,
  x: number[],
  w: number[],
  options: ConvTranspose2dOptions = {},
): OperatorCase {
  return {
    operator: "convTranspose2d",
    name,
    inputs: inputs(name, x, w),
    run: (t) => convTranspose2d(t.x, t.w, options),
    reference: (a) => convTranspose2dReference(a.x, a.w, options),
    linear: ["x", "w"],
  };
}

/** Conformance cases of {@linkcode conv2d} and {@linkcode convTranspose2d}. */
export const conv2dCases: OperatorCase[] = [
  forwardCase("one pixel, one channel", [1, 1, 1, 1], [1, 1, 1, 1]),
  forwardCase("1x1", [1, 5, 7, 9], [3, 5, 1, 1]),
  forwardCase("1x1 batch 3, across tiles", [3, 17, 9, 11], [35, 17, 1, 1]),
  forwardCase("1x1 wide", [1, 32, 32, 32], [48, 32, 1, 1]),
  forwardCase("1x1 stride 2", [2, 6, 7, 9], [5, 6, 1, 1], { stride: 2 }),
  forwardCase("3x3 odd", [1, 3, 7, 5], [5, 3, 3, 3], { padding: 1 }),
  forwardCase("3x3 valid", [1, 4, 9, 13], [6, 4, 3, 3]),
  forwardCase("3x3 batch 3", [3, 6, 9, 10], [9, 6, 3, 3], { padding: 1 }),
  forwardCase("3x3 at 4", [1, 32, 4, 4], [32, 32, 3, 3], { padding: 1 }),
  forwardCase("3x3 at 8", [2, 16, 8, 8], [16, 16, 3, 3], { padding: 1 }),
  forwardCase("3x3 at 16", [1, 16, 16, 16], [24, 16, 3, 3], { padding: 1 }),
  forwardCase("3x3 at 33", [1, 8, 33, 33], [12, 8, 3, 3], { padding: 1 }),
  forwardCase("3x3 at 65", [1, 3, 65, 65], [5, 3, 3, 3], { padding: 1 }),
  forwardCase("3x3 Winograd", [1, 48, 18, 16], [49, 48, 3, 3], { padding: 1 }),
  forwardCase("3x3 Winograd, odd, batch 3", [3, 50, 13, 11], [48, 50, 3, 3], {
    padding: [0, 2, 1, 3],
  }),
  forwardCase("3x3 Winograd in several chunks", [1, 32, 130, 66], [
    ...[33, 32],
    ...[3, 3],
  ], { padding: 1 }),
  forwardCase("one more than a tile", [1, 65, 5, 13], [65, 65, 1, 1]),
  forwardCase("one less than a tile", [1, 63, 7, 9], [63, 63, 1, 1]),
  forwardCase("3x3 across tiles, stride 2", [2, 9, 17, 19], [66, 9, 3, 3], {
    stride: 2,
    padding: [0, 1, 2, 1],
  }),
  forwardCase("3x3 across tiles, dilation 2", [1, 10, 12, 11], [17, 10, 3, 3], {
    dilation: 2,
    padding: 2,
  }),
  forwardCase("3x3 across tiles, two groups", [2, 18, 9, 10], [34, 9, 3, 3], {
    groups: 2,
    padding: 1,
  }),
  forwardCase("3x3 wide padding", [1, 3, 5, 6], [4, 3, 3, 3], { padding: 4 }),
  forwardCase("3x3 asymmetric padding", [1, 3, 6, 7], [4, 3, 3, 3], {
    padding: [0, 1, 2, 3],
  }),
  forwardCase("3x3 cropped", [1, 3, 9, 10], [4, 3, 3, 3], {
    padding: [-1, 0, 1, -2],
  }),
  forwardCase("3x3 stride 2", [2, 5, 9, 12], [7, 5, 3, 3], {
    stride: 2,
    padding: 1,
  }),
  forwardCase("3x3 stride 2, TensorFlow's same", [1, 4, 8, 8], [6, 4, 3, 3], {
    stride: 2,
    padding: [0, 1, 0, 1],
  }),
  forwardCase("3x3 stride 3, rest", [1, 2, 12, 13], [3, 2, 3, 3], {
    stride: 3,
  }),
  forwardCase("3x3 dilation 2", [1, 3, 9, 10], [4, 3, 3, 3], {
    dilation: 2,
    padding: 2,
  }),
  forwardCase("3x3 stride 2 dilation 2", [1, 3, 11, 10], [2, 3, 3, 3], {
    stride: 2,
    dilation: 2,
    padding: 1,
  }),
  forwardCase("3x3 two groups", [2, 6, 7, 8], [10, 3, 3, 3], {
    groups: 2,
    padding: 1,
  }),
  forwardCase("3x3 depthwise", [2, 7, 9, 10], [7, 1, 3, 3], {
    groups: 7,
    padding: 1,
  }),
  forwardCase("3x3 depthwise across tiles", [2, 3, 19, 38], [3, 1, 3, 3], {
    groups: 3,
    padding: [0, 2, 1, 0],
  }),
  forwardCase("3x3 depthwise stride 2", [1, 6, 9, 10], [6, 1, 3, 3], {
    groups: 6,
    stride: 2,
    padding: [0, 1, 0, 1],
  }),
  forwardCase("3x3 depthwise, two outputs each", [1, 4, 6, 7], [8, 1, 3, 3], {
    groups: 4,
    padding: 1,
  }),
  forwardCase("5x5 depthwise", [1, 5, 11, 13], [5, 1, 5, 5], {
    groups: 5,
    padding: 2,
  }),
  forwardCase("2x2", [1, 3, 6, 5], [4, 3, 2, 2]),
  forwardCase("5x3", [1, 3, 9, 8], [4, 3, 5, 3], { padding: [2, 2, 1, 1] }),
  forwardCase("7x7 stride 4", [1, 3, 23, 21], [4, 3, 7, 7], {
    stride: 4,
    padding: 3,
  }),
  forwardCase("1x3", [1, 3, 5, 12], [4, 3, 1, 3], { padding: [0, 0, 1, 1] }),
  transposeCase("one pixel", [1, 1, 1, 1], [1, 1, 3, 3]),
  transposeCase("stride 1", [1, 3, 5, 6], [3, 4, 3, 3], { padding: 1 }),
  transposeCase("stride 2", [1, 5, 4, 6], [5, 7, 3, 3], { stride: 2 }),
  transposeCase("stride 2 batch 3", [3, 6, 7, 5], [6, 9, 3, 3], { stride: 2 }),
  transposeCase("stride 2 across tiles", [1, 67, 9, 8], [67, 65, 3, 3], {
    stride: 2,
    padding: [0, 1, 1, 0],
  }),
  transposeCase("stride 2 to 33", [1, 16, 16, 16], [16, 8, 3, 3], {
    stride: 2,
  }),
  transposeCase("stride 2 padded", [1, 4, 5, 6], [4, 3, 3, 3], {
    stride: 2,
    padding: [1, 0, 0, 1],
  }),
  transposeCase("stride 2, 4x4", [1, 4, 5, 7], [4, 5, 4, 4], {
    stride: 2,
    padding: 1,
  }),
  transposeCase("stride 3, 2x2 with holes", [1, 2, 4, 5], [2, 3, 2, 2], {
    stride: 3,
  }),
  transposeCase("1x1", [1, 6, 5, 7], [6, 3, 1, 1]),
];
