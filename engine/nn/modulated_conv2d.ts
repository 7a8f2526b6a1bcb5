/**
 * StyleGAN2's modulated convolution.
 *
 * @module
 */
import { ShapeError } from "../errors.ts";
import { type Activation, biasAct } from "../ops/bias_act.ts";
import { conv2d, convTranspose2d } from "../ops/conv2d.ts";
import { multiply, rsqrt, square } from "../ops/elementwise.ts";
import { matmul } from "../ops/matmul.ts";
import { permute, reshape } from "../ops/movement.ts";
import { sumOfSquares } from "../ops/reduce.ts";
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
 * @param x (N, Ci, H, W)
 * @param weight (Co, Ci, k, k), k odd
 * @param styles (N, Ci)
 * @returns (N, Co, up H, up W)
 * @throws {ShapeError} when the styles do not fit the channels
 */
export function modulatedConv2d(
  x: Tensor,
  weight: Tensor,
  styles: Tensor,
  options: ModulatedConv2dOptions = {},
): Tensor {
  const [n, ci] = x.shape;
  if (
    styles.shape[0] !== n || styles.shape[1] !== ci || weight.shape[1] !== ci
  ) {
    throw new ShapeError(
      `Modulated convolution of [${x.shape}] with a weight of [${weight.shape}] takes styles of [${n}, ${ci}], not [${styles.shape}].`,
    );
  }
  const { up = 1, demodulate = true, noise, bias, act, gain, clamp } = options;
  const scaled = multiply(x, reshape(styles, [n, ci, 1, 1]));
  const y = up === 2 ? upConv2d(scaled, weight) : conv2d(scaled, weight, {
    padding: (weight.shape[2] - 1) / 2,
  });
  const scale = demodulate ? demodulation(weight, styles) : null;
  const plain = !scale && !noise && !bias && (act ?? "linear") === "linear" &&
    (gain ?? 1) === 1 && (clamp ?? null) === null;
  return plain
    ? y
    : biasAct(y, bias ?? null, { scale, noise, act, gain, clamp });
}

/** (N, Co): 1 / norm of the modulated weights of each output channel. */
function demodulation(weight: Tensor, styles: Tensor): Tensor {
  const energy = sumOfSquares(weight, 2);
  return rsqrt(matmul(square(styles), energy, { transposeB: true }), 1e-8);
}

function upConv2d(x: Tensor, weight: Tensor): Tensor {
  const pad = (weight.shape[2] - 1) / 2;
  const wide = convTranspose2d(x, permute(weight, [1, 0, 2, 3]), { stride: 2 });
  // (2H + k - 2) pixels; the filter has four taps, so 2H remain
  return upfirdn2d(wide, RESAMPLE_FILTER, {
    padding: [2 - pad, 2 - pad, 2 - pad, 2 - pad],
    gain: 4,
  });
}
