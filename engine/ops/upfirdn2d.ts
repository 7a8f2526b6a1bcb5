/**
 * Up-sampling by zeros, padding or cropping, FIR filtering and down-sampling
 * in one step; its derivative is the same operator with other numbers.
 *
 * Source: StyleGAN2/EG3D `upfirdn2d`.
 *
 * @module
 */
import {
  upfirdn2dFir4,
  upfirdn2dGeneral,
  upfirdn2dUp2,
} from "../../kernels/upfirdn2d/upfirdn2d.ts";
import { linearWorkgroups } from "../device.ts";
import { ShapeError } from "../errors.ts";
import { record } from "../tape.ts";
import type { Tensor } from "../tensor.ts";

/** A filter: taps of both axes of a separable one, or rows of any other. */
export type FirFilter = readonly number[] | readonly (readonly number[])[];

/** Columns left and right, rows above and below; negative ones crop. */
export type Padding2d = readonly [number, number, number, number];

/** Options of {@linkcode upfirdn2d}. */
export interface UpfirdnOptions {
  /** Factor by which zeros are inserted; 1 when absent. */
  up?: number;
  /** Of this many results one is kept; 1 when absent. */
  down?: number;
  /** [x0, x1, y0, y1] around the up-sampled picture; zeros when absent. */
  padding?: Padding2d;
  /** Factor on the result; 1 when absent. */
  gain?: number;
  /** Correlate instead of convolve; false when absent. */
  flipFilter?: boolean;
  /** Scale the filter to the sum 1; true when absent. */
  normalize?: boolean;
}

/** A call in the form that the kernels take: taps as correlated, gain inside. */
interface Call {
  /** Taps along y and x of a separable filter. */
  separable: readonly [readonly number[], readonly number[]] | null;
  /** The filter as rows. */
  rows: readonly (readonly number[])[];
  up: number;
  down: number;
  padding: Padding2d;
}

/**
 * Up-samples, pads, filters and down-samples each plane of x.
 *
 * @param x (N, C, H, W)
 * @param filter 1-D taps (applied along both axes) or 2-D rows
 * @returns (N, C, (H up + y0 + y1 - taps) / down + 1, same for W), rounded down
 * @throws {ShapeError} when nothing is left of the picture
 */
export function upfirdn2d(
  x: Tensor,
  filter: FirFilter,
  options: UpfirdnOptions = {},
): Tensor {
  const { up = 1, down = 1, padding = [0, 0, 0, 0] } = options;
  const whole = [up, down].every((n) => Number.isInteger(n) && n > 0);
  if (!whole || filter.length === 0) {
    throw new ShapeError(
      `upfirdn2d takes whole factors from 1 on and at least one tap, not up ${up}, down ${down} and ${filter.length} taps.`,
    );
  }
  return apply(x, { ...correlated(filter, options), up, down, padding });
}

/** Options of {@linkcode upsample2d} and {@linkcode downsample2d}. */
export type ResampleOptions = Pick<UpfirdnOptions, "gain" | "flipFilter">;

/** x enlarged by `up` with the filter; the picture stays centred (StyleGAN). */
export function upsample2d(
  x: Tensor,
  filter: readonly number[] = [1, 3, 3, 1],
  up = 2,
  options: ResampleOptions = {},
): Tensor {
  const before = Math.floor((filter.length + up - 1) / 2);
  const after = Math.floor((filter.length - up) / 2);
  return upfirdn2d(x, filter, {
    up,
    padding: [before, after, before, after],
    ...options,
    gain: (options.gain ?? 1) * up * up,
  });
}

/** x reduced by `down` with the filter; the picture stays centred (StyleGAN). */
export function downsample2d(
  x: Tensor,
  filter: readonly number[] = [1, 3, 3, 1],
  down = 2,
  options: ResampleOptions = {},
): Tensor {
  const before = Math.floor((filter.length - down + 1) / 2);
  const after = Math.floor((filter.length - down) / 2);
  return upfirdn2d(x, filter, {
    down,
    padding: [before, after, before, after],
    ...options,
  });
}

function isRows(filter: FirFilter): filter is readonly (readonly number[])[] {
  return Array.isArray(filter[0]);
}

/** The filter normalised, with its gain, in the order in which it is correlated. */
function correlated(
  filter: FirFilter,
  options: UpfirdnOptions,
): Pick<Call, "rows" | "separable"> {
  const { gain = 1, flipFilter = false, normalize = true } = options;
  const turn = <T>(a: readonly T[]) => flipFilter ? [...a] : [...a].reverse();
  if (isRows(filter)) {
    const total = normalize ? filter.flat().reduce((a, b) => a + b, 0) : 1;
    const rows = turn(filter).map((r) => turn(r).map((t) => t * gain / total));
    return { rows, separable: null };
  }
  const total = normalize ? filter.reduce((a, b) => a + b, 0) : 1;
  const taps = turn(filter).map((t) => t / total);
  const scaled = taps.map((t) => t * gain);
  return {
    rows: scaled.map((v) => taps.map((w) => v * w)),
    separable: [scaled, taps],
  };
}

function apply(x: Tensor, call: Call): Tensor {
  const [n, c, h, w] = x.shape;
  const { up, down, padding: [x0, x1, y0, y1], rows } = call;
  const oh = Math.floor((h * up + y0 + y1 - rows.length) / down) + 1;
  const ow = Math.floor((w * up + x0 + x1 - rows[0].length) / down) + 1;
  if (x.shape.length !== 4 || oh < 1 || ow < 1) {
    throw new ShapeError(
      `upfirdn2d leaves nothing of [${x.shape}]: it needs (N, C, H, W) with at least the filter's ${rows.length} x ${
        rows[0].length
      } numbers after padding.`,
    );
  }
  const y = x.device.empty([n, c, oh, ow], x.dtype);
  launch(x, y, call);
  return record(y, [x], (g) => [apply(g, adjoint(call, [h, w], [oh, ow]))]);
}

/** The call that carries a gradient of the result back to x. */
function adjoint(
  call: Call,
  [h, w]: readonly [number, number],
  [oh, ow]: readonly [number, number],
): Call {
  const { up, down, padding: [x0, , y0], rows, separable } = call;
  const fh = rows.length, fw = rows[0].length;
  const flip = <T>(a: readonly T[]) => [...a].reverse();
  return {
    separable: separable && [flip(separable[0]), flip(separable[1])],
    rows: flip(rows).map(flip),
    up: down,
    down: up,
    padding: [
      fw - x0 - 1,
      w * up - ow * down + x0 - up + 1,
      fh - y0 - 1,
      h * up - oh * down + y0 - up + 1,
    ],
  };
}

function launch(x: Tensor, y: Tensor, call: Call): void {
  const { separable, up, down } = call;
  const short = separable && separable.every((taps) => taps.length <= 4);
  if (short && up === 2 && down === 1) launchUp2(x, y, call, separable);
  else if (short && up === 1 && down <= 2) launchFir4(x, y, call, separable);
  else launchGeneral(x, y, call);
}

/** Sizes that all three kernels want. */
function sizes(x: Tensor, y: Tensor): Record<string, number> {
  return { h: x.shape[2], w: x.shape[3], oh: y.shape[2], ow: y.shape[3] };
}

function launchGeneral(x: Tensor, y: Tensor, call: Call): void {
  const fh = call.rows.length, fw = call.rows[0].length;
  const f = x.device.tensor(call.rows.flat(), [fh, fw]);
  x.device.run(upfirdn2dGeneral, {
    tensors: { x, f, y },
    params: {
      ...sizes(x, y),
      n: y.size,
      fh,
      fw,
      up: call.up,
      down: call.down,
      px: call.padding[0],
      py: call.padding[2],
    },
    workgroups: linearWorkgroups(y.size),
  });
  f.release();
}

function launchFir4(
  x: Tensor,
  y: Tensor,
  call: Call,
  [v, w]: readonly [readonly number[], readonly number[]],
): void {
  const [n, c, oh, ow] = y.shape;
  const runs = Math.ceil(ow * call.down / 4), count = n * c * oh * runs;
  const params: Record<string, number> = {
    ...sizes(x, y),
    n: count,
    width: x.shape[3],
    runs,
    px: call.padding[0],
    py: call.padding[2],
  };
  for (let k = 0; k < 4; k++) {
    params[`v${k}`] = v[k] ?? 0;
    params[`w${k}`] = w[k] ?? 0;
  }
  x.device.run(upfirdn2dFir4, {
    tensors: { x, y },
    params,
    constants: { DOWN: call.down },
    workgroups: linearWorkgroups(count),
  });
}

function launchUp2(
  x: Tensor,
  y: Tensor,
  call: Call,
  [v, w]: readonly [readonly number[], readonly number[]],
): void {
  const [n, c, oh, ow] = y.shape;
  const bh = Math.ceil(oh / 2), bw = Math.ceil(ow / 2);
  const vertical = phases(v, call.padding[2]);
  const horizontal = phases(w, call.padding[0]);
  const params: Record<string, number> = {
    ...sizes(x, y),
    n: n * c * bh * bw,
    bh,
    bw,
    ty: vertical.before,
    tx: horizontal.before,
  };
  for (let k = 0; k < 3; k++) {
    params[`ve${k}`] = vertical.even[k];
    params[`vo${k}`] = vertical.odd[k];
    params[`we${k}`] = horizontal.even[k];
    params[`wo${k}`] = horizontal.odd[k];
  }
  x.device.run(upfirdn2dUp2, {
    tensors: { x, y },
    params,
    workgroups: linearWorkgroups(n * c * bh * bw),
  });
}

/**
 * Of the four taps, half meet inserted zeros. Result 2 j uses the taps of the
 * padding's parity, result 2 j + 1 the others; both read x from j - before on.
 */
function phases(
  taps: readonly number[],
  pad: number,
): { before: number; even: number[]; odd: number[] } {
  const [t0 = 0, t1 = 0, t2 = 0, t3 = 0] = taps;
  const before = Math.floor(pad / 2);
  return pad % 2 === 0
    ? { before, even: [t0, t2, 0], odd: [0, t1, t3] }
    : { before, even: [t1, t3, 0], odd: [t0, t2, 0] };
}
