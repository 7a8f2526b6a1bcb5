/**
 * Matrix products.
 *
 * @module
 */
import {
  matmulDispatch,
  matmulMethods,
  type Side,
} from "../../kernels/matmul/matmul.ts";
import { type Method, methodName, SIMPLE } from "../../kernels/method.ts";
import { chosen, type Tunable } from "../autotune.ts";
import type { Device } from "../device.ts";
import { ShapeError } from "../errors.ts";
import { record } from "../tape.ts";
import type { Shape, Tensor } from "../tensor.ts";
import { sum, sumTo } from "./reduce.ts";
import { variantOf } from "./variant.ts";

/** Options of {@linkcode matmul}. */
export interface MatmulOptions {
  /** Read `a` with its last two axes exchanged. */
  transposeA?: boolean;
  /** Read `b` with its last two axes exchanged. */
  transposeB?: boolean;
}

function side(t: Shape, transposed: boolean, isLeft: boolean): Side {
  const rank = t.length, height = t[rank - 2], width = t[rank - 1];
  const outerFirst = isLeft !== transposed;
  return {
    batch: rank === 3 ? t[0] : 1,
    size: outerFirst ? height : width,
    depth: outerFirst ? width : height,
    batchStride: rank === 3 && t[0] > 1 ? height * width : 0,
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
  return record(launch(a, b, options), [a, b], (g, needs) => [
    needs[0]
      ? sumTo(leftGradient(g, b, transposeA, transposeB), a.shape)
      : null,
    needs[1]
      ? sumTo(rightGradient(g, a, transposeA, transposeB), b.shape)
      : null,
  ]);
}

interface Product {
  readonly left: Side;
  readonly right: Side;
  /** Of the result. */
  readonly shape: Shape;
}

function launch(a: Tensor, b: Tensor, options: MatmulOptions): Tensor {
  const product = check(a.shape, b.shape, options), { left, right } = product;
  const method = chosen(
    a.device,
    matmulMethods(left, right, variantOf(a.device)),
    () => tunable(a.shape, b.shape, options, a.device),
  );
  return run(a, b, product, method);
}

function run(
  a: Tensor,
  b: Tensor,
  { left, right, shape }: Product,
  method: Method,
): Tensor {
  const device = a.device;
  const { kernel, swapped, parts, params, constants, workgroups } =
    matmulDispatch(left, right, method);
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

/** Sizes of a reduced product: more than one tile of every kernel, and of its depth. */
const REDUCED = 72, REDUCED_BATCH = 2;

function tunable(
  a: Shape,
  b: Shape,
  options: MatmulOptions,
  device: Device,
): Tunable<Method> {
  const product = check(a, b, options), { left, right } = product;
  const batch = Math.max(left.batch, right.batch);
  const small = (shape: Shape) =>
    shape.map((n, k) =>
      Math.min(n, k < shape.length - 2 ? REDUCED_BATCH : REDUCED)
    );
  const { transposeA = false, transposeB = false } = options;
  return {
    key: `matmul, [${a}]${transposeA ? "'" : ""} [${b}]${
      transposeB ? "'" : ""
    }`,
    methods: matmulMethods(left, right, variantOf(device)),
    reference: SIMPLE,
    name: methodName,
    inputs: [a, b].map((shape) => ({ shape, dtype: "f32" })),
    run: ([a, b], method) => run(a, b, product, method),
    operations: 2 * batch * left.size * left.depth * right.size,
    reduced: () => tunable(small(a), small(b), options, device),
  };
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

/** The two sides of a product of tensors of these shapes. */
function check(
  a: Shape,
  b: Shape,
  { transposeA = false, transposeB = false }: MatmulOptions,
): Product {
  for (const t of [a, b]) {
    if (t.length !== 2 && t.length !== 3) {
      throw new ShapeError(
        `A matrix product takes matrices or batches of them, not a tensor of shape [${t}].`,
      );
    }
  }
  const left = side(a, transposeA, true), right = side(b, transposeB, false);
  if (left.depth !== right.depth) {
    throw new ShapeError(
      `The product of [${a}]${transposeA ? " transposed" : ""} and [${b}]${
        transposeB ? " transposed" : ""
      } has inner sizes ${left.depth} and ${right.depth}, which must be equal.`,
    );
  }
  const batch = Math.max(left.batch, right.batch);
  if ([left.batch, right.batch].some((n) => n !== batch && n !== 1)) {
    throw new ShapeError(
      `The product of [${a}] and [${b}] has batches of ${left.batch} and ${right.batch}, which must be equal or 1.`,
    );
  }
  const matrix = [left.size, right.size];
  const flat = a.length === 2 && b.length === 2;
  return { left, right, shape: flat ? matrix : [batch, ...matrix] };
}
