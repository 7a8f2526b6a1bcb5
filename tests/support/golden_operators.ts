/**
 * The operators of golden files of kind `ops`, by the names that the files use.
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
  interpolate,
  layerNorm,
  matmul,
  maxPool2d,
  permute,
  rayMarch,
  reshape,
  sampleTriplane,
  slice,
  softmax,
  type Tensor,
  upfirdn2d,
  type UpfirdnOptions,
} from "../../engine/mod.ts";
import { modulatedConv2d } from "../../engine/nn/modulated_conv2d.ts";

/** Inputs of a case by name. */
export type Inputs = Record<string, Tensor>;
/** Attributes of a case as the file's metadata has them. */
// deno-lint-ignore no-explicit-any
export type Attributes = Record<string, any>;

const FILTER = [1, 3, 3, 1];

/** Convolution with up- or down-sampling by StyleGAN's filter (`conv2d_resample`). */
function conv2dResample(x: Tensor, w: Tensor, a: Attributes): Tensor {
  const { up, down, kernel: k, flip_weight: asStored } = a;
  const half = Math.floor(k / 2);
  if (up === 2) {
    // a transposed convolution applies the weight as a true convolution
    if (asStored) {
      throw new Error("up 2 with flip_weight is not a case of StyleGAN");
    }
    const wide = convTranspose2d(x, permute(w, [1, 0, 2, 3]), { stride: 2 });
    const pad = 2 - half;
    return upfirdn2d(wide, FILTER, { padding: [pad, pad, pad, pad], gain: 4 });
  }
  if (down === 2) {
    const smooth: UpfirdnOptions = {
      padding: [half + 1, half + 1, half + 1, half + 1],
    };
    return k === 1
      ? conv2d(upfirdn2d(x, FILTER, { ...smooth, down: 2 }), w)
      : conv2d(upfirdn2d(x, FILTER, smooth), w, { stride: 2 });
  }
  return conv2d(x, w, { padding: half });
}

/** Colours (N, R, S, C) and densities (N, R, S, 1) to (N, R, C). */
function march(t: Inputs, a: Attributes): Tensor {
  const [n, r, s, c] = t.colors.shape;
  const densities = affine(t.densities, a.densities_scale ?? 1);
  const raw = reshape(concat([densities, t.colors], 3), [n * r, s, 1 + c]);
  const y = rayMarch(raw, reshape(t.depths, [n * r, s]), { sigmoid: false });
  return reshape(slice(y, [0, 0], [n * r, c]), [n, r, c]);
}

/** Operators by the part of a case's name before the dot. */
export const GOLDEN_OPERATORS: Record<
  string,
  (t: Inputs, a: Attributes) => Tensor
> = {
  upfirdn2d: (t, a) =>
    upfirdn2d(t.x, a.filter, {
      up: a.up,
      down: a.down,
      padding: a.padding,
      gain: a.gain,
      flipFilter: a.flip_filter,
    }),
  bias_act: (t, a) =>
    biasAct(t.x, t.b ?? null, {
      act: a.act,
      alpha: a.alpha,
      gain: a.gain,
      clamp: a.clamp,
    }),
  modulated_conv2d: (t, a) =>
    modulatedConv2d(t.x, t.weight, t.styles, {
      up: a.up,
      demodulate: a.demodulate,
      noise: t.noise,
    }),
  conv2d_resample: (t, a) => conv2dResample(t.x, t.w, a),
  conv2d: (t, a) =>
    conv2d(t.x, t.w, {
      stride: a.stride,
      padding: a.padding,
      dilation: a.dilation,
      groups: a.groups,
    }),
  grid_sample: (t, a) =>
    sampleTriplane(t.planes, affine(t.points, a.points_scale ?? 1), {
      boxWarp: a.box_warp,
      mean: false,
    }),
  ray_march: march,
  interpolate: (t, a) =>
    interpolate(t.x, a.size, { mode: a.mode, antialias: a.antialias }),
  layer_norm: (t, a) => layerNorm(t.x, t.w, t.b, a.eps),
  softmax: (t, a) => softmax(affine(t.x, a.scale ?? 1)),
  matmul: (t) => matmul(t.a, t.b),
  max_pool2d: (t, a) =>
    maxPool2d(t.x, { kernel: a.kernel, stride: a.stride, padding: a.padding }),
  avg_pool2d: (t, a) =>
    avgPool2d(t.x, {
      kernel: a.kernel,
      stride: a.stride,
      padding: a.padding,
      countPadding: true,
    }),
};
