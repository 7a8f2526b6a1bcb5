/**
 * Operators that only move numbers. Reshape is free; the others are one
 * strided copy.
 *
 * @module
 */
import { stridedCopy } from "../../kernels/elementwise/elementwise.ts";
import { commonDtype } from "../dtype.ts";
import { ShapeError } from "../errors.ts";
import {
  broadcastShapes,
  broadcastStrides,
  padRank,
  resolveAxis,
  sameShape,
  stridesOf,
} from "../shape.ts";
import { record } from "../tape.ts";
import { elementCount, type Shape, type Tensor } from "../tensor.ts";
import { neighbours } from "./neighbours.ts";
import { sumTo } from "./reduce.ts";

interface Walk {
  shape: Shape;
  strides: readonly number[];
  offset: number;
}

function params(walk: Walk): Record<string, number> {
  const d = padRank(walk.shape, 1), s = padRank(walk.strides, 0);
  const values: Record<string, number> = {
    n: elementCount(walk.shape),
    offset: walk.offset,
  };
  for (let k = 0; k < d.length; k++) {
    values[`d${k}`] = d[k];
    values[`s${k}`] = s[k];
  }
  return values;
}

function copy(x: Tensor, y: Tensor, walk: Walk, scatter: 0 | 1): void {
  const values = params(walk);
  const { step, workgroups } = neighbours(x.device, values.n);
  x.device.run(stridedCopy, {
    tensors: { x, y },
    params: values,
    constants: { SCATTER: scatter, STEP: step },
    workgroups,
  });
}

/** y (contiguous) read from x along a walk. */
function gather(x: Tensor, walk: Walk): Tensor {
  const y = x.device.empty(walk.shape, x.dtype);
  copy(x, y, walk, 0);
  return y;
}

/** x (contiguous) written into y along a walk. */
function scatter(x: Tensor, y: Tensor, walk: Walk): void {
  copy(x, y, walk, 1);
}

/**
 * The same numbers under another shape, without a copy. One size may be -1.
 *
 * @throws {ShapeError} when the number of elements differs
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const known = -elementCount(shape);
  const full = shape.map((n) => n === -1 ? x.size / known : n);
  if (!full.every(Number.isInteger)) {
    throw new ShapeError(`[${x.shape}] cannot be viewed as [${shape}].`);
  }
  return record(x.view(full), [x], (g) => [reshape(g, x.shape)]);
}

/**
 * Axes in another order: axis k of the result is axis `order[k]` of x.
 *
 * @throws {ShapeError} when `order` does not name every axis once
 */
export function permute(x: Tensor, order: readonly number[]): Tensor {
  if (
    order.length !== x.shape.length ||
    x.shape.some((_, k) => !order.includes(k))
  ) {
    throw new ShapeError(
      `The order [${order}] does not name each axis of [${x.shape}] once.`,
    );
  }
  const strides = stridesOf(x.shape);
  const y = gather(x, {
    shape: order.map((k) => x.shape[k]),
    strides: order.map((k) => strides[k]),
    offset: 0,
  });
  return record(
    y,
    [x],
    (g) => [permute(g, order.map((_, k) => order.indexOf(k)))],
  );
}

/** Exchanges the last two axes. */
export function transpose(x: Tensor): Tensor {
  const order = x.shape.map((_, k) => k);
  const n = order.length;
  [order[n - 1], order[n - 2]] = [order[n - 2], order[n - 1]];
  return permute(x, order);
}

/**
 * x repeated along its axes of size 1 (and new leading axes) up to `shape`.
 *
 * @throws {ShapeError} when x does not broadcast to it
 */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  if (!sameShape(broadcastShapes(x.shape, shape), shape)) {
    throw new ShapeError(`[${x.shape}] does not broadcast to [${shape}].`);
  }
  const y = gather(x, {
    shape,
    strides: broadcastStrides(x.shape, shape),
    offset: 0,
  });
  return record(y, [x], (g) => [sumTo(g, x.shape)]);
}

/**
 * Part of x: `start[k] <= index k < start[k] + size[k]`.
 *
 * @throws {ShapeError} when the part reaches outside x
 */
export function slice(
  x: Tensor,
  start: readonly number[],
  size: Shape,
): Tensor {
  const fits = x.shape.length === size.length &&
    start.length === size.length && start.every(Number.isInteger) &&
    size.every((n, k) => n > 0 && start[k] >= 0 && start[k] + n <= x.shape[k]);
  if (!fits) {
    throw new ShapeError(
      `Slice at [${start}] of size [${size}] reaches outside [${x.shape}].`,
    );
  }
  const strides = stridesOf(x.shape);
  const offset = start.reduce((sum, s, k) => sum + s * strides[k], 0);
  return record(gather(x, { shape: size, strides, offset }), [x], (g) => [
    pad(g, start.map((s, k) => [s, x.shape[k] - s - size[k]] as const)),
  ]);
}

/**
 * x with zeros around it: `widths[k]` = how many before and after on axis k.
 *
 * @throws {ShapeError} when there is no pair of whole numbers for each axis
 */
export function pad(
  x: Tensor,
  widths: readonly (readonly [number, number])[],
): Tensor {
  const fits = widths.length === x.shape.length &&
    widths.flat().every((n) => Number.isInteger(n) && n >= 0);
  if (!fits) {
    throw new ShapeError(
      `Padding of [${x.shape}] takes two whole numbers from 0 on for each axis, not ${
        JSON.stringify(widths)
      }.`,
    );
  }
  const shape = x.shape.map((n, k) => n + widths[k][0] + widths[k][1]);
  const y = x.device.zeros(shape, x.dtype), strides = stridesOf(shape);
  const start = widths.map((w) => w[0]);
  const offset = start.reduce((sum, s, k) => sum + s * strides[k], 0);
  scatter(x, y, { shape: x.shape, strides, offset });
  return record(y, [x], (g) => [slice(g, start, x.shape)]);
}

/**
 * Tensors one after another along `axis`.
 *
 * @throws {ShapeError} when the other axes differ, or there are no tensors
 * @throws {DtypeError} when the element types differ
 */
export function concat(parts: readonly Tensor[], axis: number): Tensor {
  if (parts.length === 0) {
    throw new ShapeError("There are no tensors to join: concat takes some.");
  }
  const first = parts[0], k = resolveAxis(axis, first.shape.length);
  const total = parts.reduce((sum, p) => sum + p.shape[k], 0);
  const shape = first.shape.map((n, i) => i === k ? total : n);
  const y = first.device.empty(shape, commonDtype("concat", parts));
  const strides = stridesOf(shape);
  let at = 0;
  const starts = parts.map((part) => {
    if (
      part.shape.length !== shape.length ||
      part.shape.some((n, i) => i !== k && n !== shape[i])
    ) {
      throw new ShapeError(
        `[${part.shape}] does not join [${first.shape}] along axis ${axis}.`,
      );
    }
    scatter(part, y, { shape: part.shape, strides, offset: at * strides[k] });
    const start = shape.map((_, i) => i === k ? at : 0);
    at += part.shape[k];
    return start;
  });
  return record(
    y,
    parts,
    (g, needs) =>
      parts.map((p, i) => needs[i] ? slice(g, starts[i], p.shape) : null),
  );
}

/**
 * x with the given axes reversed; negative ones count from the back.
 *
 * @throws {ShapeError} when there is no such axis
 */
export function flip(x: Tensor, axes: readonly number[]): Tensor {
  const strides = stridesOf(x.shape);
  const turned = axes.map((axis) => resolveAxis(axis, x.shape.length));
  let offset = 0;
  const signed = strides.map((s, k) => {
    if (!turned.includes(k)) return s;
    offset += s * (x.shape[k] - 1);
    return -s;
  });
  const y = gather(x, { shape: x.shape, strides: signed, offset });
  return record(y, [x], (g) => [flip(g, axes)]);
}
