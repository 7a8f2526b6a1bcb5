/**
 * Softmax and layer normalisation along the last axis.
 *
 * @module
 */
import {
  layerNormBackward,
  layerNormBackwardAffine,
  layerNormForward,
  softmaxBackward,
  softmaxBackwardLanes,
  softmaxForward,
  softmaxLanes,
} from "../../kernels/norm/norm.ts";
import { linearWorkgroups } from "../device.ts";
import { ShapeError } from "../errors.ts";
import { firstDerivative, record } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { divide, exp, multiply, subtract } from "./elementwise.ts";
import { reshape } from "./movement.ts";
import { maxAlong, sum } from "./reduce.ts";
import { variantOf } from "./variant.ts";

/** With fewer rows than this, long rows are split among invocations. */
const FEW_ROWS = 256;
/** Rows up to this length are short. */
const SHORT_ROW = 512;
/** Rows from this length on are worth a subgroup each. */
const SUBGROUP_ROW = 64;

function rowsOf(x: Tensor): { rows: number; columns: number } {
  const columns = x.shape.at(-1) ?? 1;
  return { rows: x.size / columns, columns };
}

/** Softmax along the last axis. */
export function softmax(x: Tensor): Tensor {
  const { rows, columns } = rowsOf(x), device = x.device;
  const lanes = variantOf(device) === "lanes" && columns % 4 === 0 &&
    columns >= SUBGROUP_ROW;
  if (!lanes && rows < FEW_ROWS && columns > SHORT_ROW) {
    return softmaxOfLongRows(x);
  }
  const launch = lanes
    ? { params: { rows, columns: columns / 4 }, workgroups: oneEach(rows) }
    : { params: { rows, columns }, workgroups: linearWorkgroups(rows) };
  const y = device.empty(x.shape);
  device.run(lanes ? softmaxLanes : softmaxForward, {
    tensors: { x, y },
    ...launch,
  });
  return record(y, [x], (g) => {
    const dx = device.empty(x.shape);
    device.run(lanes ? softmaxBackwardLanes : softmaxBackward, {
      tensors: { y, g, dx },
      ...launch,
    });
    return [firstDerivative(dx, [x, g], "softmax")];
  });
}

/** A workgroup for each row. */
const oneEach = (rows: number) => linearWorkgroups(rows, 1);

function softmaxOfLongRows(x: Tensor): Tensor {
  const device = x.device, last = { axes: [-1], keep: true };
  const y = device.withoutTape(() => {
    using scope = device.scope();
    const e = exp(subtract(x, maxAlong(x, -1)));
    return scope.keep(divide(e, sum(e, last)));
  });
  return record(
    y,
    [x],
    (g) => [multiply(y, subtract(g, sum(multiply(y, g), last)))],
  );
}

/**
 * (x - mean) / sqrt(variance + eps) along the last axis, times w, plus b.
 *
 * @param w (C), the length of the last axis
 * @param b (C)
 * @throws {ShapeError} when w or b does not have the length of the last axis
 */
export function layerNorm(
  x: Tensor,
  w: Tensor,
  b: Tensor,
  eps = 1e-5,
): Tensor {
  const { rows, columns } = rowsOf(x), device = x.device;
  if (w.size !== columns || b.size !== columns) {
    throw new ShapeError(
      `Weight [${w.shape}] and bias [${b.shape}] do not fit the last axis of [${x.shape}].`,
    );
  }
  const y = device.empty(x.shape), stats = device.empty([rows, 2]);
  device.run(layerNormForward, {
    tensors: { x, w, b, y, stats },
    params: { rows, columns, eps },
    workgroups: linearWorkgroups(rows),
  });
  record(y, [x, w, b], (g, needs) => {
    const affine = needs[1] || needs[2]
      ? affineGradients(x, stats, g).map((t) => reshape(t, w.shape))
      : [null, null];
    const input = needs[0] ? inputGradient(x, w, stats, g) : null;
    return [input, ...affine].map((t) =>
      t && firstDerivative(t, [x, w, g], "layerNorm")
    );
  });
  if (!y.node) stats.release();
  return y;
}

function inputGradient(
  x: Tensor,
  w: Tensor,
  stats: Tensor,
  g: Tensor,
): Tensor {
  const { rows, columns } = rowsOf(x);
  const dx = x.device.empty(x.shape);
  x.device.run(layerNormBackward, {
    tensors: { x, w, stats, g, dx },
    params: { rows, columns },
    workgroups: linearWorkgroups(rows),
  });
  return dx;
}

function affineGradients(x: Tensor, stats: Tensor, g: Tensor): Tensor[] {
  const { rows, columns } = rowsOf(x);
  const parts = Math.max(
    1,
    Math.min(Math.ceil(1024 / columns), Math.ceil(rows / 8)),
  );
  const dw = x.device.empty([parts, columns]);
  const db = x.device.empty([parts, columns]);
  x.device.run(layerNormBackwardAffine, {
    tensors: { x, stats, g, dw, db },
    params: { n: dw.size, rows, columns, parts },
    workgroups: linearWorkgroups(dw.size),
  });
  return [sum(dw, { axes: [0] }), sum(db, { axes: [0] })];
}
