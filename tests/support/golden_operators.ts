/**
 * The operators of golden files of kind `ops`, by the names that the files use,
 * with the attributes that the published functions take. An attribute that is
 * absent or null has the published default.
 *
 * @module
 */
import {
  affine,
  avgPool2d,
  biasAct,
  concat,
  conv2d,
  convTranspose2d,
  importanceDepths,
  interpolate,
  layerNorm,
  matmul,
  maxPool2d,
  mean,
  permute,
  rayMarch,
  reshape,
  sampleTriplane,
  slice,
  softmax,
  type Tensor,
} from "../../engine/mod.ts";
import { fullyConnected } from "../../engine/nn/fully_connected.ts";
import {
  goldenConv2dResample,
  goldenDownsample2d,
  goldenFilter2d,
  goldenModulatedConv2d,
  goldenUpfirdn2d,
  goldenUpsample2d,
  spreadOut,
  thinOut,
} from "./golden_resample.ts";

/** Inputs of a case by name. */
export type Inputs = Record<string, Tensor>;
/** Attributes of a case as the file's metadata has them. */
// deno-lint-ignore no-explicit-any
export type Attributes = Record<string, any>;
/** An operator on a case's inputs. */
export type GoldenOperator = (t: Inputs, a: Attributes) => Tensor;

/** A number for both axes, or [y, x]. */
function rowsAndColumns(
  value: number | [number, number] | null | undefined,
  otherwise: number,
): [number, number] {
  const v = value ?? otherwise;
  return typeof v === "number" ? [v, v] : v;
}

/** PyTorch's padding, one number or [y, x], as [top, bottom, left, right]. */
function aroundOf(
  value: Attributes["padding"],
): [number, number, number, number] {
  if (Array.isArray(value) && value.length === 4) {
    return value as [number, number, number, number];
  }
  const [y, x] = rowsAndColumns(value, 0);
  return [y, y, x, x];
}

function withBias(y: Tensor, bias: Tensor | undefined): Tensor {
  return bias ? biasAct(y, bias) : y;
}

/** Unequal steps are taken one by one: a spread-out weight, and every so many results. */
function convolution(t: Inputs, a: Attributes): Tensor {
  const stride = rowsAndColumns(a.stride, 1);
  const dilation = rowsAndColumns(a.dilation, 1);
  const options = { padding: aroundOf(a.padding), groups: a.groups ?? 1 };
  const even = dilation[0] === dilation[1];
  let w = t.w ?? t.weight;
  if (!even) {
    const [, , kh, kw] = w.shape, [dy, dx] = dilation;
    const size = [...w.shape.slice(0, 2), (kh - 1) * dy + 1, (kw - 1) * dx + 1];
    w = slice(spreadOut(w, [dx, dy]), [0, 0, 0, 0], size);
  }
  const same = stride[0] === stride[1];
  const y = conv2d(t.x, w, {
    ...options,
    dilation: even ? dilation[0] : 1,
    stride: same ? stride[0] : 1,
  });
  const kept = same ? y : thinOut(y, [stride[1], stride[0]]);
  return withBias(kept, t.b ?? t.bias);
}

/** x with `axis` as its last one, through `f`, and back. */
function alongAxis(
  x: Tensor,
  axis: number,
  f: (x: Tensor) => Tensor,
): Tensor {
  const rank = x.shape.length, k = axis < 0 ? axis + rank : axis;
  const order = x.shape.map((_, i) => i).filter((i) => i !== k).concat(k);
  if (k === rank - 1) return f(x);
  return permute(f(permute(x, order)), order.map((_, i) => order.indexOf(i)));
}

/** Tri-planes at points, or one picture (N, C, H, W) at a grid (N, h, w, 2) of [-1, 1]. */
function gridSample(t: Inputs, a: Attributes): Tensor {
  if (t.planes) {
    return sampleTriplane(t.planes, t.points, {
      boxWarp: a.box_warp ?? 1,
      mean: a.mean ?? false,
      axes: a.axes,
    });
  }
  const [n, c, h, w] = t.x.shape, [, gh, gw] = t.grid.shape;
  // the picture as the first of three planes, on which a point is (x, y)
  const planes = concat(
    [0, 1, 2].map(() => reshape(t.x, [n, 1, c, h, w])),
    1,
  );
  const grid = reshape(t.grid, [n, gh * gw, 2]);
  const points = concat([grid, slice(grid, [0, 0, 0], [n, gh * gw, 1])], 2);
  const rows = slice(
    sampleTriplane(planes, points, { boxWarp: 2, mean: false }),
    [0, 0, 0, 0],
    [n, 1, gh * gw, c],
  );
  return permute(reshape(rows, [n, gh, gw, c]), [0, 3, 1, 2]);
}

/** Colours (N, R, S, C) and densities (N, R, S, 1) to (N, R, C), or what `output` names. */
function march(t: Inputs, a: Attributes): Tensor {
  const [n, r, s, c] = t.colors.shape;
  const raw = reshape(concat([t.densities, t.colors], 3), [n * r, s, 1 + c]);
  const y = rayMarch(raw, reshape(t.depths, [n * r, s]), {
    sigmoid: false,
    whiteBack: a.white_back ?? false,
  });
  return reshape(slice(y, [0, 0], [n * r, c]), [n, r, c]);
}

/** Coarse depths and those drawn from the densities, ascending: (N, R, S + F, 1). */
function importance(t: Inputs): Tensor {
  const [n, r, s] = t.depths.shape, fine = t.u.size / (n * r);
  const y = importanceDepths(
    reshape(t.depths, [n * r, s]),
    reshape(t.densities, [n * r, s, 1]),
    reshape(t.u, [n * r, fine]),
  );
  return reshape(y, [n, r, s + fine, 1]);
}

function resize({ x }: Inputs, a: Attributes): Tensor {
  if (a.align_corners) {
    throw new Error("interpolate with align_corners is not known here");
  }
  const [, , h, w] = x.shape;
  const [fy, fx] = rowsAndColumns(a.scale_factor, 1);
  const size = a.size
    ? rowsAndColumns(a.size, 1)
    : [Math.floor(h * fy), Math.floor(w * fx)] as [number, number];
  return interpolate(x, size, {
    mode: a.mode ?? "nearest",
    antialias: a.antialias ?? false,
  });
}

/** Windows of PyTorch's pooling; `ceil_mode` adds windows that reach over the end. */
function windows({ x }: Inputs, a: Attributes) {
  const kernel = rowsAndColumns(a.kernel ?? a.kernel_size, 2);
  const stride = a.stride ? rowsAndColumns(a.stride, 1) : kernel;
  const [top, bottom, left, right] = aroundOf(a.padding);
  const over = (axis: 0 | 1, before: number, after: number) => {
    if (!a.ceil_mode) return after;
    const n = x.shape[2 + axis], k = kernel[axis], s = stride[axis];
    let count = Math.ceil((n + before + after - k) / s) + 1;
    if ((count - 1) * s >= n + before) count--;
    return Math.max(after, (count - 1) * s + k - n - before);
  };
  return {
    kernel,
    stride,
    padding: [
      top,
      over(0, top, bottom),
      left,
      over(1, left, right),
    ] as const,
  };
}

/** Operators by the part of a case's name before the dot. */
export const GOLDEN_OPERATORS: Readonly<Record<string, GoldenOperator>> = {
  upfirdn2d: (t, a) => goldenUpfirdn2d(t.x, a),
  filter2d: (t, a) => goldenFilter2d(t.x, a),
  upsample2d: (t, a) => goldenUpsample2d(t.x, a),
  downsample2d: (t, a) => goldenDownsample2d(t.x, a),
  bias_act: (t, a) =>
    biasAct(t.x, t.b ?? null, {
      axis: a.dim ?? 1,
      act: a.act ?? "linear",
      alpha: a.alpha ?? undefined,
      gain: a.gain,
      clamp: a.clamp,
    }),
  modulated_conv2d: goldenModulatedConv2d,
  conv2d_resample: (t, a) => goldenConv2dResample(t.x, t.w ?? t.weight, a),
  conv2d: convolution,
  conv_transpose2d: (t, a) =>
    withBias(
      convTranspose2d(t.x, t.w ?? t.weight, {
        stride: a.stride ?? 1,
        padding: aroundOf(a.padding),
      }),
      t.b ?? t.bias,
    ),
  fully_connected: (t, a) =>
    fullyConnected(t.x, {
      weight: t.weight ?? t.w,
      bias: t.bias ?? t.b ?? null,
    }, {
      act: a.activation ?? a.act ?? "linear",
      lrMul: a.lr_multiplier ?? a.lr_mul ?? 1,
    }),
  linear: (t) =>
    withBias(
      matmul(t.x, t.w ?? t.weight, { transposeB: true }),
      t.b ?? t.bias,
    ),
  grid_sample: gridSample,
  triplane: (t, a) => {
    const y = gridSample(t, { ...a, mean: false });
    return a.mean ?? true ? mean(y, { axes: [1] }) : y;
  },
  ray_march: march,
  importance_sampling: importance,
  sample_importance: importance,
  interpolate: resize,
  layer_norm: (t, a) => {
    const columns = t.w.size, rows = t.x.size / columns;
    const y = layerNorm(reshape(t.x, [rows, columns]), t.w, t.b, a.eps ?? 1e-5);
    return reshape(y, t.x.shape);
  },
  softmax: (t, a) =>
    alongAxis(t.x, a.dim ?? -1, (x) => softmax(affine(x, a.scale ?? 1))),
  matmul: (t, a) => {
    const { transpose_a: transposeA, transpose_b: transposeB } = a;
    return matmul(t.a, t.b, { transposeA, transposeB });
  },
  max_pool2d: (t, a) => maxPool2d(t.x, windows(t, a)),
  avg_pool2d: (t, a) =>
    avgPool2d(t.x, {
      ...windows(t, a),
      countPadding: a.count_include_pad ?? true,
    }),
};
