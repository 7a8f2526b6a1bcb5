/**
 * Runs convolutions by Winograd's method.
 *
 * @module
 */
import {
  type Winograd,
  winogradInput,
  winogradOutput,
  winogradParams,
  winogradProducts,
  winogradWeight,
} from "../../kernels/conv2d/winograd.ts";
import type { Tensor } from "../tensor.ts";
import { variantOf } from "./variant.ts";

/**
 * Writes the convolution of x with the weight into y; see `winograd` for what
 * the plan holds.
 */
export function launchWinograd(
  plan: Winograd,
  x: Tensor,
  weight: Tensor,
  y: Tensor,
): void {
  const device = x.device;
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
    launchChunk(plan, first, x, u, y);
  }
  u.release();
}

function launchChunk(
  plan: Winograd,
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
  const product = winogradProducts(plan, count, variantOf(device));
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
