/**
 * 3 x 3 convolutions of stride 1 in which every channel is a group of its own:
 * nine multiplications per pixel, so that reading pixels is what costs.
 *
 * @module
 */
import { defineKernel, type Kernel } from "../kernel.ts";
import type { ConvDispatch } from "./conv2d.ts";
import type { Geometry } from "./walk.ts";
import depthwiseSource from "./depthwise.wgsl" with { type: "text" };
import backwardWeightSource from "./depthwise_backward_weight.wgsl" with {
  type: "text",
};
import line from "./depthwise_line.wgsl" with { type: "text" };

/** y = x * w, and its gradient by the image. */
export const depthwise: Kernel = defineKernel(
  "conv2d.depthwise",
  depthwiseSource + line,
);
/** Gradient by the weight, in parts that are then summed. */
export const depthwiseBackwardWeight: Kernel = defineKernel(
  "conv2d.depthwise_backward_weight",
  backwardWeightSource + line,
);

/** Rows that an invocation walks down. */
const RUN = 16;
const MAX_GROUPS = 65535;

/** Whether these kernels compute the convolution. */
export function isDepthwise(c: Geometry): boolean {
  return c.cin === 1 && c.cout === 1 && c.groups > 1 && c.kh === 3 &&
    c.kw === 3 && c.stride === 1 && c.dilation === 1 &&
    c.n * c.groups <= MAX_GROUPS;
}

/** Workgroups of 8 x 4 invocations of 4 columns and `RUN` rows. */
function workgroups(
  c: Geometry,
  height: number,
  width: number,
): [number, number, number] {
  const rows = Math.ceil(height / RUN), columns = Math.ceil(width / 4);
  return [Math.ceil(columns / 8), Math.ceil(rows / 4), c.n * c.groups];
}

/** The convolution, or its gradient by the image. */
export function depthwiseDispatch(
  c: Geometry,
  direction: "forward" | "data",
): ConvDispatch {
  const flip = direction === "data";
  const [h, w, oh, ow] = flip ? [c.oh, c.ow, c.h, c.w] : [c.h, c.w, c.oh, c.ow];
  return {
    kernel: depthwise,
    params: {
      channels: c.groups,
      h,
      w,
      oh,
      ow,
      sy: flip ? c.top - 2 : -c.top,
      sx: flip ? c.left - 2 : -c.left,
      run: RUN,
    },
    constants: { FLIP: flip ? 1 : 0 },
    workgroups: workgroups(c, oh, ow),
  };
}

/** The gradient by the weight, in `parts` that have to be summed. */
export function depthwiseWeightDispatch(
  c: Geometry,
): { parts: number; dispatch: ConvDispatch } {
  const runs = Math.ceil(c.oh / RUN), blocks = Math.ceil(c.ow / 4);
  return {
    parts: c.n * runs * blocks,
    dispatch: {
      kernel: depthwiseBackwardWeight,
      params: {
        channels: c.groups,
        h: c.h,
        w: c.w,
        oh: c.oh,
        ow: c.ow,
        top: c.top,
        left: c.left,
        run: RUN,
        runs,
        blocks,
      },
      constants: {},
      workgroups: workgroups(c, c.oh, c.ow),
    },
  };
}
