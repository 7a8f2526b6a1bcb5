/**
 * StyleGAN's resampling operators with every attribute that the published code
 * takes, put together from the engine's own.
 *
 * @module
 */
import {
  biasAct,
  conv2d,
  type FirFilter,
  flip,
  matmul,
  multiply,
  pad,
  type Padding2d,
  reshape,
  rsqrt,
  slice,
  square,
  sum,
  type Tensor,
  upfirdn2d,
} from "../../engine/mod.ts";
import {
  modulatedConv2d,
  RESAMPLE_FILTER,
} from "../../engine/nn/modulated_conv2d.ts";
import type { Attributes, Inputs } from "./golden_operators.ts";

type Pair = readonly [x: number, y: number];

/** A number for both axes, or [x, y]. */
function pairOf(value: number | Pair | undefined, otherwise = 1): Pair {
  if (value === undefined || value === null) return [otherwise, otherwise];
  return typeof value === "number" ? [value, value] : value;
}

/** One number, [x, y], or [x0, x1, y0, y1]. */
function paddingOf(value: number | readonly number[] | undefined): Padding2d {
  if (value === undefined || value === null) return [0, 0, 0, 0];
  if (typeof value === "number") return [value, value, value, value];
  if (value.length === 2) return [value[0], value[0], value[1], value[1]];
  const [x0, x1, y0, y1] = value;
  return [x0, x1, y0, y1];
}

/** Zeros behind each number, so that neighbours are `factors` apart. */
export function spreadOut(x: Tensor, [fx, fy]: Pair): Tensor {
  const [n, c, h, w] = x.shape;
  const none = [0, 0] as const;
  const apart = pad(reshape(x, [n * c, h, 1, w, 1]), [
    none,
    none,
    [0, fy - 1],
    none,
    [0, fx - 1],
  ]);
  return reshape(apart, [n, c, h * fy, w * fx]);
}

/** The first of every `factors` numbers along each axis. */
export function thinOut(x: Tensor, [fx, fy]: Pair): Tensor {
  const [n, c, h, w] = x.shape;
  const oh = Math.ceil(h / fy), ow = Math.ceil(w / fx);
  const whole = pad(x, [[0, 0], [0, 0], [0, oh * fy - h], [0, ow * fx - w]]);
  const parts = reshape(whole, [n * c, oh, fy, ow, fx]);
  const kept = slice(parts, [0, 0, 0, 0, 0], [n * c, oh, 1, ow, 1]);
  return reshape(kept, [n, c, oh, ow]);
}

/** No filter is the number 1. */
function filterOf(filter: FirFilter | null | undefined): FirFilter {
  return filter ?? [1];
}

/** `upfirdn2d(x, f, up, down, padding, flip_filter, gain)`. */
export function goldenUpfirdn2d(x: Tensor, a: Attributes): Tensor {
  const up = pairOf(a.up), down = pairOf(a.down);
  const filter = filterOf(a.filter);
  const rest = {
    padding: paddingOf(a.padding),
    gain: a.gain ?? 1,
    flipFilter: a.flip_filter ?? false,
    normalize: a.normalize ?? true,
  };
  if (up[0] === up[1] && down[0] === down[1]) {
    return upfirdn2d(x, filter, { ...rest, up: up[0], down: down[0] });
  }
  return thinOut(upfirdn2d(spreadOut(x, up), filter, rest), down);
}

/** Height and width of a filter. */
function sizeOf(filter: FirFilter): { fw: number; fh: number } {
  const first = filter[0];
  return typeof first === "number"
    ? { fw: filter.length, fh: filter.length }
    : { fw: first.length, fh: filter.length };
}

/** `filter2d`: the picture keeps its size. */
export function goldenFilter2d(x: Tensor, a: Attributes): Tensor {
  const { fw, fh } = sizeOf(filterOf(a.filter));
  const [x0, x1, y0, y1] = paddingOf(a.padding);
  return goldenUpfirdn2d(x, {
    ...a,
    padding: [
      x0 + Math.floor(fw / 2),
      x1 + Math.floor((fw - 1) / 2),
      y0 + Math.floor(fh / 2),
      y1 + Math.floor((fh - 1) / 2),
    ],
  });
}

/** `upsample2d`: the picture stays centred. */
export function goldenUpsample2d(x: Tensor, a: Attributes): Tensor {
  const { fw, fh } = sizeOf(filterOf(a.filter)), [ux, uy] = pairOf(a.up, 2);
  const [x0, x1, y0, y1] = paddingOf(a.padding);
  return goldenUpfirdn2d(x, {
    ...a,
    up: [ux, uy],
    down: 1,
    gain: (a.gain ?? 1) * ux * uy,
    padding: [
      x0 + Math.floor((fw + ux - 1) / 2),
      x1 + Math.floor((fw - ux) / 2),
      y0 + Math.floor((fh + uy - 1) / 2),
      y1 + Math.floor((fh - uy) / 2),
    ],
  });
}

/** `downsample2d`: the picture stays centred. */
export function goldenDownsample2d(x: Tensor, a: Attributes): Tensor {
  const { fw, fh } = sizeOf(filterOf(a.filter)), [dx, dy] = pairOf(a.down, 2);
  const [x0, x1, y0, y1] = paddingOf(a.padding);
  return goldenUpfirdn2d(x, {
    ...a,
    up: 1,
    down: [dx, dy],
    padding: [
      x0 + Math.floor((fw - dx + 1) / 2),
      x1 + Math.floor((fw - dx) / 2),
      y0 + Math.floor((fh - dy + 1) / 2),
      y1 + Math.floor((fh - dy) / 2),
    ],
  });
}

/**
 * `conv2d_resample(x, w, f, up, down, padding, groups, flip_weight,
 * flip_filter)` from its definition: up-sample and filter, convolve, filter and
 * down-sample. `flip_weight` means to correlate, as `conv2d` does.
 */
export function goldenConv2dResample(
  x: Tensor,
  w: Tensor,
  a: Attributes,
): Tensor {
  const up: number = a.up ?? 1, down: number = a.down ?? 1;
  const filter = filterOf(a.filter ?? a.resample_filter ?? RESAMPLE_FILTER);
  const { fw, fh } = sizeOf(filter);
  let [x0, x1, y0, y1] = paddingOf(a.padding ?? Math.floor(w.shape[3] / 2));
  if (up > 1) {
    x0 += Math.floor((fw + up - 1) / 2);
    x1 += Math.floor((fw - up) / 2);
    y0 += Math.floor((fh + up - 1) / 2);
    y1 += Math.floor((fh - up) / 2);
  }
  if (down > 1) {
    x0 += Math.floor((fw - down + 1) / 2);
    x1 += Math.floor((fw - down) / 2);
    y0 += Math.floor((fh - down + 1) / 2);
    y1 += Math.floor((fh - down) / 2);
  }
  const weight = a.flip_weight ?? true ? w : flip(w, [2, 3]);
  const groups: number = a.groups ?? 1, flipFilter = a.flip_filter ?? false;
  const padding: Padding2d = [x0, x1, y0, y1];
  if (up === 1 && down > 1) {
    return w.shape[2] === 1 && w.shape[3] === 1
      ? conv2d(upfirdn2d(x, filter, { down, padding, flipFilter }), weight, {
        groups,
      })
      : conv2d(upfirdn2d(x, filter, { padding, flipFilter }), weight, {
        groups,
        stride: down,
      });
  }
  const wide = upfirdn2d(x, up > 1 ? filter : [1], {
    up,
    padding,
    gain: up ** 2,
    flipFilter,
  });
  const y = conv2d(wide, weight, { groups });
  return down > 1 ? upfirdn2d(y, filter, { down, flipFilter }) : y;
}

/** `modulated_conv2d`; the engine's own where it has the case. */
export function goldenModulatedConv2d(t: Inputs, a: Attributes): Tensor {
  const { x, weight, styles, noise } = t, [, , kh, kw] = weight.shape;
  const up: number = a.up ?? 1, demodulate: boolean = a.demodulate ?? true;
  const centred = kh === kw && kh % 2 === 1 &&
    (a.padding ?? Math.floor(kw / 2)) === Math.floor(kw / 2);
  const own = (up === 1 || up === 2) && (a.down ?? 1) === 1 && centred &&
    (a.flip_weight ?? true) === (up === 1) && !a.filter && !a.resample_filter &&
    !a.flip_filter;
  if (own) return modulatedConv2d(x, weight, styles, { up, demodulate, noise });
  const [n, ci] = styles.shape;
  const y = goldenConv2dResample(
    multiply(x, reshape(styles, [n, ci, 1, 1])),
    weight,
    a,
  );
  const energy = sum(square(weight), { axes: [2, 3] });
  const scale = demodulate
    ? rsqrt(matmul(square(styles), energy, { transposeB: true }), 1e-8)
    : null;
  return biasAct(y, null, { scale, noise });
}
