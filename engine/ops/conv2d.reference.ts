/**
 * Convolution in plain TypeScript and float64: what the kernels are held to.
 *
 * @module
 */
import type { NumberArray } from "./conformance.ts";
import type {
  Conv2dOptions,
  ConvTranspose2dOptions,
  Padding,
} from "./conv2d.ts";

function sides(padding: Padding = 0): readonly number[] {
  return typeof padding === "number"
    ? [padding, padding, padding, padding]
    : padding;
}

/**
 * Convolution of x (N, Ci, H, W) with w (Co, Ci / groups, kh, kw), straight
 * from its definition.
 */
export function conv2dReference(
  x: NumberArray,
  w: NumberArray,
  options: Conv2dOptions = {},
): NumberArray {
  const { stride = 1, dilation = 1, groups = 1 } = options;
  const [top, bottom, left, right] = sides(options.padding);
  const [n, ci, h, width] = x.shape, [co, cin, kh, kw] = w.shape;
  const cout = co / groups;
  const oh = Math.floor((h + top + bottom - dilation * (kh - 1) - 1) / stride) +
    1;
  const ow =
    Math.floor((width + left + right - dilation * (kw - 1) - 1) / stride) + 1;
  const y = new Float64Array(n * co * oh * ow);
  let k = 0;
  for (let b = 0; b < n; b++) {
    for (let o = 0; o < co; o++) {
      const base = Math.floor(o / cout) * cin;
      for (let p = 0; p < oh; p++) {
        for (let q = 0; q < ow; q++) {
          // padding is nothing, also where the weight is not finite
          let sum = 0;
          for (let c = 0; c < cin; c++) {
            const plane = (b * ci + base + c) * h, taps = (o * cin + c) * kh;
            for (let i = 0; i < kh; i++) {
              const r = p * stride + i * dilation - top;
              if (r < 0 || r >= h) continue;
              for (let j = 0; j < kw; j++) {
                const s = q * stride + j * dilation - left;
                if (s < 0 || s >= width) continue;
                sum += w.data[(taps + i) * kw + j] *
                  x.data[(plane + r) * width + s];
              }
            }
          }
          y[k++] = sum;
        }
      }
    }
  }
  return { data: y, shape: [n, co, oh, ow] };
}

/**
 * Transposed convolution of x (N, Ci, H, W) with w (Ci, Co, kh, kw): every
 * pixel of x adds its multiple of the weight to the result.
 */
export function convTranspose2dReference(
  x: NumberArray,
  w: NumberArray,
  options: ConvTranspose2dOptions = {},
): NumberArray {
  const { stride = 1 } = options;
  const [top, bottom, left, right] = sides(options.padding);
  const [n, ci, h, width] = x.shape, [, co, kh, kw] = w.shape;
  const oh = (h - 1) * stride - top - bottom + kh;
  const ow = (width - 1) * stride - left - right + kw;
  const y = new Float64Array(n * co * oh * ow);
  let k = 0;
  for (let b = 0; b < n; b++) {
    for (let c = 0; c < ci; c++) {
      for (let p = 0; p < h; p++) {
        for (let q = 0; q < width; q++) {
          const v = x.data[k++];
          for (let o = 0; o < co; o++) {
            for (let i = 0; i < kh; i++) {
              const r = p * stride + i - top;
              if (r < 0 || r >= oh) continue;
              for (let j = 0; j < kw; j++) {
                const s = q * stride + j - left;
                if (s < 0 || s >= ow) continue;
                y[((b * co + o) * oh + r) * ow + s] += v *
                  w.data[((c * co + o) * kh + i) * kw + j];
              }
            }
          }
        }
      }
    }
  }
  return { data: y, shape: [n, co, oh, ow] };
}
