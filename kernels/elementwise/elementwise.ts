/**
 * Kernels that treat every element alike.
 *
 * @module
 */
import { defineKernel, type Kernel } from "../kernel.ts";
import unarySource from "./unary.wgsl" with { type: "text" };
import binarySource from "./binary.wgsl" with { type: "text" };
import binaryFunctions from "./binary_functions.wgsl" with { type: "text" };
import binarySameSource from "./binary_same.wgsl" with { type: "text" };
import stridedCopySource from "./strided_copy.wgsl" with { type: "text" };
import castSource from "./cast.wgsl" with { type: "text" };
import fillSource from "./fill.wgsl" with { type: "text" };

/** y = f(x) and its derivative. */
export const unary: Kernel = defineKernel("elementwise.unary", unarySource);
/** y = f(a, b) with broadcasting, and its derivatives. */
export const binary: Kernel = defineKernel(
  "elementwise.binary",
  `${binarySource}\n${binaryFunctions}`,
);
/** y = f(a, b) for operands of one shape, and its derivatives. */
export const binarySame: Kernel = defineKernel(
  "elementwise.binary_same",
  `${binarySameSource}\n${binaryFunctions}`,
);
/** Permute, broadcast, slice, flip, pad, concat. */
export const stridedCopy: Kernel = defineKernel(
  "elementwise.strided_copy",
  stridedCopySource,
);
/** y = x in another element type. */
export const cast: Kernel = defineKernel("elementwise.cast", castSource);
/** y = constant. */
export const fill: Kernel = defineKernel("elementwise.fill", fillSource);

/** Values of the unary kernel's OP. */
export const UNARY = {
  affine: 0,
  exp: 1,
  log: 2,
  sqrt: 3,
  rsqrt: 4,
  square: 5,
  abs: 6,
  relu: 7,
  leakyRelu: 8,
  sigmoid: 9,
  tanh: 10,
  softplus: 11,
  clamp: 12,
  reciprocal: 13,
  sin: 14,
  cos: 15,
  finite: 16,
} as const;

/** Values of the binary kernel's OP. */
export const BINARY = {
  add: 0,
  subtract: 1,
  multiply: 2,
  divide: 3,
  maximum: 4,
  minimum: 5,
  prelu: 6,
} as const;
