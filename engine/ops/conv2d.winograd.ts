/**
 * Runs convolutions by Winograd's method.
 *
 * @module
 */
import type { Geometry } from "../../kernels/conv2d/walk.ts";
import {
  type Winograd,
  winograd,
  winogradGradient,
  winogradInput,
  winogradOutput,
  winogradParams,
  winogradPitch,
  winogradProducts,
  winogradSums,
  winogradWeight,
  winogradWeightGradient,
} from "../../kernels/conv2d/winograd.ts";
import type { Variant } from "../../kernels/matmul/matmul.ts";
import type { Tensor } from "../tensor.ts";
import { add } from "./elementwise.ts";
import { variantOf } from "./variant.ts";

/**
 * Writes the convolution of x with the weight, or its gradient by the image
 * from that of the result, into y.
 */
export function launchWinograd(
  c: Geometry,
  direction: "forward" | "data",
  x: Tensor,
  weight: Tensor,
  y: Tensor,
): void {
  const device = x.device, variant = variantOf(device);
  const plan = winograd(c, variant, direction);
  const u = device.empty([16, plan.rows, plan.depth]);
  device.run(winogradWeight, {
    tensors: { weight, u },
    params: {
      rows: plan.rows,
      depth: plan.depth,
      w_row: plan.wRow,
      w_depth: plan.wDepth,
    },
    constants: { FLIP: plan.flip ? 1 : 0 },
    workgroups: [Math.ceil(plan.depth / 64), plan.rows],
  });
  for (let first = 0; first < plan.allTiles; first += plan.chunk) {
    launchChunk(plan, variant, first, x, u, y);
  }
  u.release();
}

function launchChunk(
  plan: Winograd,
  variant: Variant,
  first: number,
  x: Tensor,
  u: Tensor,
  y: Tensor,
): void {
  const device = x.device;
  const count = Math.min(plan.chunk, plan.allTiles - first);
  const params = winogradParams(plan, first, count);
  const v = device.empty([16, plan.depth, count]);
  const m = device.empty([16, plan.rows, count]);
  device.run(winogradInput, {
    tensors: { x, v },
    params,
    workgroups: [Math.ceil(count / 64), plan.depth],
  });
  const product = winogradProducts(plan, count, variant);
  device.run(product.kernel, {
    tensors: product.swapped ? { a: v, b: u, y: m } : { a: u, b: v, y: m },
    params: product.params,
    constants: product.constants,
    workgroups: product.workgroups,
  });
  device.run(winogradOutput, {
    tensors: { m, y },
    params,
    workgroups: [Math.ceil(count / 64), plan.rows],
  });
  v.release();
  m.release();
}

/**
 * The gradient by the weight (Co, Ci, 3, 3).
 *
 * @param x image
 * @param g gradient of the convolution's result
 */
export function launchWinogradWeight(
  c: Geometry,
  x: Tensor,
  g: Tensor,
): Tensor {
  const plan = winograd(c, variantOf(x.device), "weight");
  let total: Tensor | null = null;
  for (let first = 0; first < plan.allTiles; first += plan.chunk) {
    const part: Tensor = sumChunk(plan, first, x, g);
    const before: Tensor | null = total;
    total = before ? add(before, part) : part;
    if (before) { for (const t of [before, part]) t.release(); }
  }
  return total!;
}

function sumChunk(
  plan: Winograd,
  first: number,
  x: Tensor,
  g: Tensor,
): Tensor {
  const device = x.device, { rows, depth } = plan;
  const count = Math.min(plan.chunk, plan.allTiles - first);
  const pitch = winogradPitch(count), groups = Math.ceil(count / 64);
  const params = winogradParams(plan, first, count, pitch);
  const v = device.empty([16, depth, pitch]),
    u = device.empty([16, rows, pitch]);
  device.run(winogradInput, {
    tensors: { x, v },
    params,
    workgroups: [groups, depth],
  });
  device.run(winogradGradient, {
    tensors: { g, u },
    params,
    workgroups: [groups, rows],
  });
  const m = device.empty([16, rows, depth]);
  const sums = winogradSums(plan, count, pitch, variantOf(device));
  device.run(sums.kernel, {
    tensors: sums.swapped ? { a: v, b: u, y: m } : { a: u, b: v, y: m },
    params: sums.params,
    constants: sums.constants,
    workgroups: sums.workgroups,
  });
  v.release();
  u.release();
  const y = device.empty([rows, depth, 3, 3]);
  device.run(winogradWeightGradient, {
    tensors: { m, y },
    params: { rows, depth },
    workgroups: [Math.ceil(depth / 64), rows],
  });
  m.release();
  return y;
}
