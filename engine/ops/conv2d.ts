/**
 * Convolution, transposed convolution and their gradients.
 *
 * With x an image, w a weight and g an output, the three operators
 * forward(x, w), dataGradient(g, w) and weightGradient(x, g) are the three
 * partial derivatives of one trilinear form, so each differentiates into the
 * other two and any order of derivative exists.
 *
 * @module
 */
import {
  backwardDataDispatches,
  backwardWeightDispatch,
  type ConvDispatch,
  forwardDispatches,
} from "../../kernels/conv2d/conv2d.ts";
import type { Geometry } from "../../kernels/conv2d/walk.ts";
import {
  backwardDataMethods,
  backwardWeightMethods,
  forwardMethods,
} from "../../kernels/conv2d/methods.ts";
import { commonDtype } from "../dtype.ts";
import { ShapeError } from "../errors.ts";
import { record } from "../tape.ts";
import type { Shape, Tensor } from "../tensor.ts";
import { cast } from "./cast.ts";
import { launchWinograd, launchWinogradWeight } from "./conv2d.winograd.ts";
import { sum } from "./reduce.ts";
import { chosen } from "../autotune.ts";
import { type ConvDirection, tunableConv } from "./tunable.ts";
import { variantOf } from "./variant.ts";

/** Zeros around an image: all sides alike, or [top, bottom, left, right]; negative ones crop. */
export type Padding = number | readonly [number, number, number, number];

/** Options of {@linkcode convTranspose2d}. */
export interface ConvTranspose2dOptions {
  /** Distance of neighbouring inputs in the result; 1 when absent. */
  stride?: number;
  /** Rows and columns cut off the result; 0 when absent. */
  padding?: Padding;
}

/** Options of {@linkcode conv2d}. */
export interface Conv2dOptions {
  /** Step between outputs, in pixels; 1 when absent. */
  stride?: number;
  /** Zeros around the image; 0 when absent. */
  padding?: Padding;
  /** Distance of the weight's taps, in pixels; 1 when absent. */
  dilation?: number;
  /** Groups of channels that do not see each other; 1 when absent. */
  groups?: number;
}

function imageShape(c: Geometry): Shape {
  return [c.n, c.groups * c.cin, c.h, c.w];
}
function outputShape(c: Geometry): Shape {
  return [c.n, c.groups * c.cout, c.oh, c.ow];
}
function weightShape(c: Geometry): Shape {
  return [c.groups * c.cout, c.cin, c.kh, c.kw];
}

/**
 * Convolution (cross-correlation, as in PyTorch) of an image with a weight.
 *
 * x may be f16 with a weight of either type: sums are f32, the result is f16,
 * and so is the gradient by x; that by the weight is summed in f32.
 *
 * @param x (N, Ci, H, W)
 * @param w (Co, Ci / groups, kh, kw)
 * @returns (N, Co, oH, oW) with oH = floor((H + top + bottom - dilation (kh - 1) - 1) / stride) + 1
 * @throws {ShapeError} when channels do not fit, the weight is larger than the
 * padded image, or an option is no whole number
 * @throws {DtypeError} when the weight is f16 and the image is not
 */
export function conv2d(
  x: Tensor,
  w: Tensor,
  options: Conv2dOptions = {},
): Tensor {
  requireTypes("conv2d", x, w);
  return forwardOp(x, w, convGeometry(x.shape, w.shape, options));
}

/**
 * Transposed convolution: the gradient of {@linkcode conv2d} by its image.
 * Element types are as for {@linkcode conv2d}.
 *
 * @param x (N, Ci, H, W)
 * @param w (Ci, Co, kh, kw)
 * @returns (N, Co, oH, oW) with oH = (H - 1) stride - top - bottom + kh
 * @throws {ShapeError} when channels do not fit, padding cuts everything off, or
 * an option is no whole number
 * @throws {DtypeError} when the weight is f16 and the image is not
 */
export function convTranspose2d(
  x: Tensor,
  w: Tensor,
  options: ConvTranspose2dOptions = {},
): Tensor {
  requireTypes("convTranspose2d", x, w);
  return dataGradientOp(x, w, transposeGeometry(x.shape, w.shape, options));
}

function forwardOp(x: Tensor, w: Tensor, c: Geometry): Tensor {
  return record(launch(FORWARD, x, w, c), [x, w], (g, needs) => [
    needs[0] ? dataGradientOp(g, w, c) : null,
    needs[1] ? weightGradientOf(w, x, g, c) : null,
  ]);
}

function dataGradientOp(g: Tensor, w: Tensor, c: Geometry): Tensor {
  return record(launch(BACKWARD_DATA, g, w, c), [g, w], (gx, needs) => [
    needs[0] ? forwardOp(gx, w, c) : null,
    needs[1] ? weightGradientOf(w, gx, g, c) : null,
  ]);
}

/** The gradient by a weight in the type of that, from pictures of any. */
function weightGradientOf(
  w: Tensor,
  x: Tensor,
  g: Tensor,
  c: Geometry,
): Tensor {
  const sums = weightGradientOp(cast(x, "f32"), cast(g, "f32"), c);
  return cast(sums, w.dtype);
}

function weightGradientOp(x: Tensor, g: Tensor, c: Geometry): Tensor {
  return record(launch(BACKWARD_WEIGHT, x, g, c), [x, g], (gw, needs) => [
    needs[0] ? dataGradientOp(g, gw, c) : null,
    needs[1] ? forwardOp(x, gw, c) : null,
  ]);
}

function launchAll(
  tensors: Record<string, Tensor>,
  dispatches: ConvDispatch[],
): void {
  for (const dispatch of dispatches) {
    const { kernel, params, constants, workgroups } = dispatch;
    tensors.y.device.run(kernel, { tensors, params, constants, workgroups });
  }
}

const FORWARD: ConvDirection = {
  operator: "conv2d.forward",
  shapes: (c) => [imageShape(c), weightShape(c)],
  methods: forwardMethods,
  run(x, w, c, method) {
    const y = x.device.empty(outputShape(c), x.dtype);
    if (method.kernels === "winograd") launchWinograd(c, "forward", x, w, y);
    else launchAll({ x, weight: w, y }, forwardDispatches(c, method));
    return y;
  },
};

const BACKWARD_DATA: ConvDirection = {
  operator: "conv2d.backward_data",
  shapes: (c) => [outputShape(c), weightShape(c)],
  methods: backwardDataMethods,
  run(g, w, c, method) {
    const y = g.device.empty(imageShape(c), g.dtype);
    const tensors = { x: g, g, weight: w, y };
    if (method.kernels === "winograd") launchWinograd(c, "data", g, w, y);
    // the fast kernels call what they read x, the always-right one g
    else launchAll(tensors, backwardDataDispatches(c, method));
    return y;
  },
};

const BACKWARD_WEIGHT: ConvDirection = {
  operator: "conv2d.backward_weight",
  shapes: (c) => [imageShape(c), outputShape(c)],
  methods: backwardWeightMethods,
  run(x, g, c, method) {
    const device = x.device, shape = weightShape(c);
    if (method.kernels === "winograd") {
      return device.withoutTape(() => launchWinogradWeight(c, x, g));
    }
    const { parts, dispatch } = backwardWeightDispatch(c, method);
    const y = device.empty(parts === 1 ? shape : [parts, ...shape]);
    launchAll({ x, g, y }, [dispatch]);
    if (parts === 1) return y;
    const total = device.withoutTape(() => sum(y, { axes: [0] }));
    y.release();
    return total;
  },
};

/** Runs one direction by the method for its shape. */
function launch(
  direction: ConvDirection,
  a: Tensor,
  b: Tensor,
  c: Geometry,
): Tensor {
  const device = a.device;
  const method = chosen(
    device,
    direction.methods(c, variantOf(device), device.maxTensorBytes),
    () => tunableConv(direction, c, [a.dtype, b.dtype], device),
  );
  return direction.run(a, b, c, method);
}

function sides(padding: Padding = 0): readonly number[] {
  const four = typeof padding === "number"
    ? [padding, padding, padding, padding]
    : padding;
  if (four.length === 4 && four.every(Number.isInteger)) return four;
  throw new ShapeError(
    `The padding of a convolution is a whole number or four of them, not [${four}].`,
  );
}

/** A weight is small: it may stay f32 beside an f16 image. */
function requireTypes(operator: string, x: Tensor, w: Tensor): void {
  if (w.dtype !== "f32") commonDtype(operator, [x, w]);
}

function requireRank4(x: Shape, w: Shape): void {
  if (x.length !== 4 || w.length !== 4) {
    throw new ShapeError(
      `A convolution takes an image of 4 axes and a weight of 4 axes, not [${x}] and [${w}].`,
    );
  }
}

function requireWhole(options: Record<string, number>): void {
  for (const [name, value] of Object.entries(options)) {
    if (!Number.isInteger(value) || value < 1) {
      throw new ShapeError(
        `The ${name} of a convolution is a whole number of at least 1, not ${value}.`,
      );
    }
  }
}

function convGeometry(x: Shape, w: Shape, options: Conv2dOptions): Geometry {
  const { stride = 1, dilation = 1, groups = 1 } = options;
  requireRank4(x, w);
  requireWhole({ stride, dilation, groups });
  const [top, bottom, left, right] = sides(options.padding);
  const [n, channels, h, width] = x, [outputs, cin, kh, kw] = w;
  if (channels !== groups * cin || outputs % groups !== 0) {
    throw new ShapeError(
      `A convolution of [${x}] in ${groups} groups needs a weight of [multiple of ${groups}, ${
        channels / groups
      }, kh, kw], not [${w}].`,
    );
  }
  const oh = Math.floor((h + top + bottom - dilation * (kh - 1) - 1) / stride) +
    1;
  const ow =
    Math.floor((width + left + right - dilation * (kw - 1) - 1) / stride) + 1;
  if (oh < 1 || ow < 1) {
    throw new ShapeError(
      `A weight of [${w}] with dilation ${dilation} is larger than the padded image [${x}].`,
    );
  }
  const cout = outputs / groups;
  return {
    n,
    groups,
    cin,
    cout,
    h,
    w: width,
    oh,
    ow,
    kh,
    kw,
    stride,
    dilation,
    top,
    left,
  };
}

function transposeGeometry(
  x: Shape,
  w: Shape,
  options: ConvTranspose2dOptions,
): Geometry {
  const { stride = 1 } = options;
  requireRank4(x, w);
  requireWhole({ stride });
  const [top, bottom, left, right] = sides(options.padding);
  const [n, cout, oh, ow] = x, [inputs, cin, kh, kw] = w;
  if (inputs !== cout) {
    throw new ShapeError(
      `A transposed convolution of [${x}] needs a weight of [${cout}, Co, kh, kw], not [${w}].`,
    );
  }
  const h = (oh - 1) * stride - top - bottom + kh;
  const width = (ow - 1) * stride - left - right + kw;
  if (h < 1 || width < 1) {
    throw new ShapeError(
      `Padding [${top},${bottom},${left},${right}] leaves nothing of the transposed convolution of [${x}] with [${w}].`,
    );
  }
  return {
    n,
    groups: 1,
    cin,
    cout,
    h,
    w: width,
    oh,
    ow,
    kh,
    kw,
    stride,
    dilation: 1,
    top,
    left,
  };
}
