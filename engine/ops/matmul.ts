/**
 * Matrix products.
 *
 * @module
 */
import { matmulDispatch, type Side } from "../../kernels/matmul/matmul.ts";
import { ShapeError } from "../errors.ts";
import { record } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { sum, sumTo } from "./reduce.ts";
import { variantOf } from "./variant.ts";

/** Options of {@linkcode matmul}. */
export interface MatmulOptions {
  /** Read `a` with its last two axes exchanged. */
  transposeA?: boolean;
  /** Read `b` with its last two axes exchanged. */
  transposeB?: boolean;
}

function side(t: Tensor, transposed: boolean, isLeft: boolean): Side {
  const rank = t.shape.length;
  const height = t.shape[rank - 2], width = t.shape[rank - 1];
  const outerFirst = isLeft !== transposed;
  return {
    batch: rank === 3 ? t.shape[0] : 1,
    size: outerFirst ? height : width,
    depth: outerFirst ? width : height,
    batchStride: rank === 3 && t.shape[0] > 1 ? height * width : 0,
    stride: outerFirst ? width : 1,
    depthStride: outerFirst ? 1 : width,
  };
}

/**
 * Matrix product a b of (M, K) by (K, N), or of batches of them: (B, M, K) by
 * (B, K, N). A side without a batch axis, or with one of size 1, is shared by
 * the whole batch.
 *
 * @returns (M, N), or (B, M, N) when a side has a batch axis
 * @throws {ShapeError} when the inner sizes or the batch sizes differ
 */
export function matmul(
  a: Tensor,
  b: Tensor,
  options: MatmulOptions = {},
): Tensor {
  const { transposeA = false, transposeB = false } = options;
  const { left, right } = check(a, b, transposeA, transposeB);
  const y = launch(a, b, left, right);
  return record(y, [a, b], (g, needs) => [
    needs[0]
      ? sumTo(leftGradient(g, b, transposeA, transposeB), a.shape)
      : null,
    needs[1]
      ? sumTo(rightGradient(g, a, transposeA, transposeB), b.shape)
      : null,
  ]);
}

function launch(a: Tensor, b: Tensor, left: Side, right: Side): Tensor {
  const device = a.device, batch = Math.max(left.batch, right.batch);
  const matrix = [left.size, right.size];
  const shape = a.shape.length === 2 && b.shape.length === 2
    ? matrix
    : [batch, ...matrix];
  const { kernel, swapped, parts, params, constants, workgroups } =
    matmulDispatch(left, right, variantOf(device));
  const y = device.empty(parts === 1 ? shape : [parts, ...shape]);
  device.run(kernel, {
    tensors: swapped ? { a: b, b: a, y } : { a, b, y },
    params,
    constants,
    workgroups,
  });
  if (parts === 1) return y;
  const total = device.withoutTape(() => sum(y, { axes: [0] }));
  y.release();
  return total;
}

/** g B', read back through the transposition of a. */
function leftGradient(g: Tensor, b: Tensor, ta: boolean, tb: boolean): Tensor {
  return ta
    ? matmul(b, g, { transposeA: tb, transposeB: true })
    : matmul(g, b, { transposeB: !tb });
}

/** A' g, read back through the transposition of b. */
function rightGradient(g: Tensor, a: Tensor, ta: boolean, tb: boolean): Tensor {
  return tb
    ? matmul(g, a, { transposeA: true, transposeB: ta })
    : matmul(a, g, { transposeA: !ta });
}

function check(
  a: Tensor,
  b: Tensor,
  transposeA: boolean,
  transposeB: boolean,
): { left: Side; right: Side } {
  for (const t of [a, b]) {
    if (t.shape.length !== 2 && t.shape.length !== 3) {
      throw new ShapeError(
        `A matrix product takes matrices or batches of them, not a tensor of shape [${t.shape}].`,
      );
    }
  }
  const left = side(a, transposeA, true), right = side(b, transposeB, false);
  if (left.depth !== right.depth) {
    throw new ShapeError(
      `The product of [${a.shape}]${
        transposeA ? " transposed" : ""
      } and [${b.shape}]${
        transposeB ? " transposed" : ""
      } has inner sizes ${left.depth} and ${right.depth}, which must be equal.`,
    );
  }
  const batch = Math.max(left.batch, right.batch);
  if ([left.batch, right.batch].some((n) => n !== batch && n !== 1)) {
    throw new ShapeError(
      `The product of [${a.shape}] and [${b.shape}] has batches of ${left.batch} and ${right.batch}, which must be equal or 1.`,
    );
  }
  return { left, right };
}
