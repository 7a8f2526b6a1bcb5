/**
 * StyleGAN2's modulated convolution.
 *
 * @module
 */
import { byteLength } from "../dtype.ts";
import { DtypeError, ShapeError } from "../errors.ts";
import { type Activation, biasAct } from "../ops/bias_act.ts";
import { cast } from "../ops/cast.ts";
import { conv2d, convTranspose2d } from "../ops/conv2d.ts";
import {
  abs,
  affine,
  divide,
  maximum,
  multiply,
  rsqrt,
  square,
} from "../ops/elementwise.ts";
import { matmul } from "../ops/matmul.ts";
import { concat, permute, reshape, slice } from "../ops/movement.ts";
import { maxAlong, sumOfSquares } from "../ops/reduce.ts";
import { upfirdn2d } from "../ops/upfirdn2d.ts";
import type { Tensor } from "../tensor.ts";

export { upsample2d } from "../ops/upfirdn2d.ts";

/** The resampling filter of StyleGAN2, before normalisation. */
export const RESAMPLE_FILTER = [1, 3, 3, 1] as const;

/** Options of {@linkcode modulatedConv2d}. */
export interface ModulatedConv2dOptions {
  /** 2 doubles the size of the picture; 1 when absent. */
  up?: 1 | 2;
  /** Normalise the modulated weights per output channel; true when absent. */
  demodulate?: boolean;
  /** (1 or N, 1, H, W) added after demodulation. */
  noise?: Tensor | null;
  /** (Co) added after the noise. */
  bias?: Tensor | null;
  /** Activation after the bias; linear when absent. */
  act?: Activation;
  /** Factor after the activation; the activation's published default when absent. */
  gain?: number | null;
  /** Limit of the result; none when absent. */
  clamp?: number | null;
}

/**
 * act(gain, clamp of conv(x s, W) d + noise + bias):
 * styles scale the input channels, d_o = 1 / sqrt(sum_i,k (W_oik s_i)^2 + 1e-8)
 * the output channels (Karras et al. 2020, section 2.2). Scaling activations
 * rather than weights keeps one weight for the whole batch and gives the
 * gradient of the styles without that of the weights.
 *
 * For `up: 2` the kernel is applied as a transposed convolution with stride 2
 * followed by the FIR filter [1, 3, 3, 1], as in `conv2d_resample`.
 *
 * x may be f16, beside a weight, styles, noise and bias of f32; the result and
 * the gradient by x then are f16. Where it is demodulated, weights and styles are
 * first scaled so that no sum leaves the range of f16 (EG3D,
 * `modulated_conv2d`); demodulation takes the factors out again.
 *
 * @param x (N, Ci, H, W)
 * @param weight (Co, Ci, k, k), k odd
 * @param styles (N, Ci)
 * @returns (N, Co, up H, up W)
 * @throws {ShapeError} when the styles do not fit the channels
 * @throws {DtypeError} when the weight or the styles are f16
 */
export function modulatedConv2d(
  x: Tensor,
  weight: Tensor,
  styles: Tensor,
  options: ModulatedConv2dOptions = {},
): Tensor {
  const [n, ci] = x.shape;
  const [, , kh, kw] = weight.shape;
  if (kh !== kw || kh % 2 === 0) {
    throw new ShapeError(
      `Modulated convolution takes square weights of odd size, not [${weight.shape}].`,
    );
  }
  if (
    styles.shape[0] !== n || styles.shape[1] !== ci || weight.shape[1] !== ci
  ) {
    throw new ShapeError(
      `Modulated convolution of [${x.shape}] with a weight of [${weight.shape}] takes styles of [${n}, ${ci}], not [${styles.shape}].`,
    );
  }
  if (weight.dtype !== "f32" || styles.dtype !== "f32") {
    throw new DtypeError(
      `Modulated convolution takes a weight and styles of f32, not ${weight.dtype} and ${styles.dtype}: only x may be f16.`,
    );
  }
  const { up = 1, demodulate = true, noise, bias, act, gain, clamp } = options;
  const small = x.dtype === "f16" && demodulate;
  const w = small ? normalisedWeight(weight) : weight;
  const s = small ? normalisedStyles(styles) : styles;
  const [input, kernel] = styled(x, w, s);
  const y = up === 2 ? upConv2d(input, kernel) : conv2d(input, kernel, {
    padding: (weight.shape[2] - 1) / 2,
  });
  const scale = demodulate ? demodulation(w, s) : null;
  const plain = !scale && !noise && !bias && (act ?? "linear") === "linear" &&
    (gain ?? 1) === 1 && (clamp ?? null) === null;
  return plain
    ? y
    : biasAct(y, bias ?? null, { scale, noise, act, gain, clamp });
}

/**
 * Picture and weight, one of them scaled by the styles: the picture, so that
 * one weight serves a batch and the styles' gradient needs none of the
 * weight's; or where nothing is differentiated, whichever is smaller.
 */
function styled(x: Tensor, weight: Tensor, styles: Tensor): [Tensor, Tensor] {
  const [n, ci] = styles.shape;
  const tracked = x.device.recording &&
    [x, weight, styles].some((t) => t.tracked);
  if (n === 1 && !tracked && x.dtype === "f32" && weight.size < x.size) {
    return [x, multiply(weight, reshape(styles, [1, ci, 1, 1]))];
  }
  return [multiply(x, cast(reshape(styles, [n, ci, 1, 1]), x.dtype)), weight];
}

/** (N, Co): 1 / norm of the modulated weights of each output channel. */
function demodulation(weight: Tensor, styles: Tensor): Tensor {
  const energy = sumOfSquares(weight, 2);
  return rsqrt(matmul(square(styles), energy, { transposeB: true }), 1e-8);
}

/** Keeps the division by a channel's largest number defined where all are 0. */
const SMALLEST = 1e-20;

/** Each output channel scaled to the largest number 1 / sqrt(Ci k k). */
function normalisedWeight(weight: Tensor): Tensor {
  const [co, ci, kh, kw] = weight.shape, taps = ci * kh * kw;
  const largest = reshape(largestOfRow(weight), [co, 1, 1, 1]);
  return divide(weight, affine(largest, Math.sqrt(taps)));
}

/** Each sample scaled to the largest style 1. */
function normalisedStyles(styles: Tensor): Tensor {
  return divide(styles, largestOfRow(styles));
}

/** (rows, 1): the largest magnitude within each entry of the first axis. */
function largestOfRow(x: Tensor): Tensor {
  const rows = reshape(abs(x), [x.shape[0], -1]);
  return maximum(maxAlong(rows, 1), x.device.full([1], SMALLEST));
}

/**
 * The picture between transposed convolution and filter has a border more than
 * the result; where it is too large for the adapter, output channels are taken
 * in parts.
 */
function upConv2d(x: Tensor, weight: Tensor): Tensor {
  const [n, , h, w] = x.shape, [co, ci, k] = weight.shape;
  const pixels = n * (2 * h + k - 2) * (2 * w + k - 2);
  const bytes = byteLength(pixels, x.dtype);
  const most = Math.max(1, Math.floor(x.device.maxTensorBytes / bytes));
  if (co <= most) return upFiltered(x, weight);
  const parts = Math.ceil(co / most), size = Math.ceil(co / parts);
  const starts = Array.from({ length: parts }, (_, part) => part * size);
  return concat(
    starts.map((start) => {
      const count = Math.min(size, co - start);
      return upFiltered(
        x,
        slice(weight, [start, 0, 0, 0], [count, ci, k, k]),
      );
    }),
    1,
  );
}

function upFiltered(x: Tensor, weight: Tensor): Tensor {
  const pad = (weight.shape[2] - 1) / 2;
  const wide = convTranspose2d(x, permute(weight, [1, 0, 2, 3]), { stride: 2 });
  // (2H + k - 2) pixels; the filter has four taps, so 2H remain
  return upfirdn2d(wide, RESAMPLE_FILTER, {
    padding: [2 - pad, 2 - pad, 2 - pad, 2 - pad],
    gain: 4,
  });
}
