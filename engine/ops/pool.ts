/**
 * Pooling over windows.
 *
 * @module
 */
import { maxPool, maxPoolBackward } from "../../kernels/pool/pool.ts";
import { linearWorkgroups } from "../device.ts";
import { ShapeError } from "../errors.ts";
import { firstDerivative, record } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { applyMaps, type AxisMap, axisMap } from "./taps.ts";

/** Options of the pooling operators. */
export interface PoolOptions {
  /** Size of a window, one number or [height, width]. */
  kernel: number | readonly [number, number];
  /** Steps between windows; the kernel's size when absent. */
  stride?: number | readonly [number, number];
  /** Numbers around the picture: one for all sides or [top, bottom, left, right]. */
  padding?: number | readonly [number, number, number, number];
}

/** Options of {@linkcode avgPool2d}. */
export interface AveragePoolOptions extends PoolOptions {
  /**
   * Whether padding counts as zeros (PyTorch's default) or not at all
   * (TensorFlow, and the default here).
   */
  countPadding?: boolean;
}

interface Window {
  kernel: readonly [number, number];
  stride: readonly [number, number];
  /** Top and left padding. */
  before: readonly [number, number];
  /** Windows down and across. */
  count: readonly [number, number];
}

function windowOf(x: Tensor, options: PoolOptions): Window {
  const pair = (v: number | readonly [number, number]) =>
    typeof v === "number" ? [v, v] as const : v;
  const kernel = pair(options.kernel);
  const stride = pair(options.stride ?? kernel);
  const p = options.padding ?? 0;
  const [t, b, l, r] = typeof p === "number" ? [p, p, p, p] : p;
  const along = (k: 0 | 1, pad: number) =>
    Math.floor((x.shape[2 + k] + pad - kernel[k]) / stride[k]) + 1;
  const count = [along(0, t + b), along(1, l + r)] as const;
  const empty = Math.max(t, b) >= kernel[0] || Math.max(l, r) >= kernel[1];
  const whole = [t, b, l, r].every(Number.isInteger) &&
    [...kernel, ...stride].every((n) => Number.isInteger(n) && n > 0);
  const some = count[0] >= 1 && count[1] >= 1;
  if (x.shape.length !== 4 || !whole || !some || empty) {
    throw new ShapeError(
      `Windows of [${kernel}] at steps of [${stride}] with padding [${[
        t,
        b,
        l,
        r,
      ]}] do not fit [${x.shape}]: pooling takes (N, C, H, W), whole numbers and padding smaller than the window.`,
    );
  }
  return { kernel, stride, before: [t, l], count };
}

/**
 * Largest number of each window; padding does not count. Of equal numbers the
 * first gets the gradient.
 *
 * @param x (N, C, H, W)
 * @throws {ShapeError} when the windows do not fit
 */
export function maxPool2d(x: Tensor, options: PoolOptions): Tensor {
  const w = windowOf(x, options), [n, c] = x.shape;
  const y = x.device.empty([n, c, ...w.count]);
  const place = x.device.empty(y.shape);
  const params = {
    h: x.shape[2],
    w: x.shape[3],
    oh: w.count[0],
    ow: w.count[1],
    kh: w.kernel[0],
    kw: w.kernel[1],
    sy: w.stride[0],
    sx: w.stride[1],
    py: w.before[0],
    px: w.before[1],
  };
  x.device.run(maxPool, {
    tensors: { x, y, place },
    params: { ...params, n: y.size },
    workgroups: linearWorkgroups(y.size),
  });
  record(y, [x], (g) => {
    const dx = x.device.empty(x.shape);
    x.device.run(maxPoolBackward, {
      tensors: { g, place, dx },
      params: { ...params, n: dx.size },
      workgroups: linearWorkgroups(dx.size),
    });
    return [firstDerivative(dx, [g], "maxPool2d")];
  });
  if (!y.node) place.release();
  return y;
}

/**
 * Mean of each window.
 *
 * @param x (N, C, H, W)
 * @throws {ShapeError} when the windows do not fit
 */
export function avgPool2d(x: Tensor, options: AveragePoolOptions): Tensor {
  const w = windowOf(x, options), whole = options.countPadding ?? false;
  return applyMaps(
    x,
    meanMap(
      x.shape[2],
      w.kernel[0],
      w.stride[0],
      w.before[0],
      w.count[0],
      whole,
    ),
    meanMap(
      x.shape[3],
      w.kernel[1],
      w.stride[1],
      w.before[1],
      w.count[1],
      whole,
    ),
  );
}

function meanMap(
  length: number,
  kernel: number,
  stride: number,
  before: number,
  count: number,
  whole: boolean,
): AxisMap {
  const key = `mean ${[length, kernel, stride, before, count, whole]}`;
  return axisMap(key, length, () =>
    Array.from({ length: count }, (_, o) => {
      const from = o * stride - before;
      const start = Math.max(from, 0);
      const n = Math.min(from + kernel, length) - start;
      const weight = 1 / (whole ? kernel : n);
      return { start, weights: new Array<number>(n).fill(weight) };
    }));
}
