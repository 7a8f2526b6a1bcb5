/**
 * Resizing of pictures with PyTorch's meaning of each mode.
 *
 * Source: `torch.nn.functional.interpolate` with align_corners false.
 *
 * @module
 */
import { ShapeError } from "../errors.ts";
import type { Tensor } from "../tensor.ts";
import { applyMaps, type AxisMap, axisMap, type Taps } from "./taps.ts";

/**
 * How {@linkcode interpolate} makes new pixels. `"asymmetric"` is bilinear with
 * the corners of first pixels, not of pictures, on each other, as TensorFlow 1
 * resizes: result o lies at o from / to.
 */
export type InterpolateMode = "bilinear" | "asymmetric" | "area" | "nearest";

/** Options of {@linkcode interpolate}. */
export interface InterpolateOptions {
  /** `"bilinear"` when absent. */
  mode?: InterpolateMode;
  /** Widen the bilinear triangle when reducing; false when absent. */
  antialias?: boolean;
}

/**
 * Resizes each plane of x.
 *
 * @param x (N, C, H, W)
 * @param size [height, width] of the result
 * @throws {ShapeError} when x has not four axes or a size is no whole number from 1 on
 */
export function interpolate(
  x: Tensor,
  size: readonly [number, number],
  options: InterpolateOptions = {},
): Tensor {
  const whole = size.every((n) => Number.isInteger(n) && n >= 1);
  if (x.shape.length !== 4 || !whole) {
    throw new ShapeError(
      `[${x.shape}] cannot be resized to [${size}]: interpolate takes (N, C, H, W) and whole sizes from 1 on.`,
    );
  }
  const { mode = "bilinear", antialias = false } = options;
  const kind = mode === "bilinear" && antialias ? "antialias" : mode;
  return applyMaps(
    x,
    resizeMap(kind, x.shape[2], size[0]),
    resizeMap(kind, x.shape[3], size[1]),
  );
}

const TAPS = { bilinear, asymmetric, antialias: triangle, area, nearest };

/** The map of one axis from `from` to `to` pixels. */
function resizeMap(
  kind: keyof typeof TAPS,
  from: number,
  to: number,
): AxisMap {
  return axisMap(
    `${kind} ${from}>${to}`,
    from,
    () => Array.from({ length: to }, (_, o) => TAPS[kind](o, from, to)),
  );
}

function nearest(o: number, from: number, to: number): Taps {
  return { start: Math.min(Math.floor(o * from / to), from - 1), weights: [1] };
}

function bilinear(o: number, from: number, to: number): Taps {
  return between(Math.max((o + 0.5) * from / to - 0.5, 0), from);
}

function asymmetric(o: number, from: number, to: number): Taps {
  return between(o * from / to, from);
}

/** The two pixels around a position, of which the last one goes on for ever. */
function between(at: number, from: number): Taps {
  const start = Math.min(Math.floor(at), from - 1), part = at - start;
  return start === from - 1
    ? { start, weights: [1] }
    : { start, weights: [1 - part, part] };
}

function area(o: number, from: number, to: number): Taps {
  const start = Math.floor(o * from / to);
  const count = Math.ceil((o + 1) * from / to) - start;
  return { start, weights: new Array<number>(count).fill(1 / count) };
}

/** The bilinear triangle, as wide as the step between results. */
function triangle(o: number, from: number, to: number): Taps {
  const scale = from / to, reach = Math.max(scale, 1);
  const centre = scale * (o + 0.5);
  const start = Math.max(Math.floor(centre - reach + 0.5), 0);
  const end = Math.min(Math.floor(centre + reach + 0.5), from);
  const weights = Array.from(
    { length: end - start },
    (_, k) => Math.max(0, 1 - Math.abs((start + k - centre + 0.5) / reach)),
  );
  const total = weights.reduce((a, b) => a + b, 0);
  return { start, weights: weights.map((w) => w / total) };
}
