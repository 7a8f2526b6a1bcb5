/**
 * The launches behind sums and maxima: which kernel reduces a shape, and in
 * how many rounds.
 *
 * @module
 */
import {
  REDUCE,
  reduce,
  reduceColumns,
  reduceRows,
} from "../../kernels/reduce/reduce.ts";
import { type Device, linearWorkgroups } from "../device.ts";
import type { Tensor } from "../tensor.ts";

/** What is reduced by. */
export type ReduceName = keyof typeof REDUCE;

/** A tensor seen as (outer, length, inner), of which the middle is reduced. */
export type Sizes = readonly [outer: number, length: number, inner: number];

/** Invocations that one round should at least have. */
const LANES = 1024;
/** Axes up to this length are reduced in one round: a CPU launches as long as it adds up so many. */
const SHORT = { cpu: 1024, gpu: 64 };
/** Rows from this length on, and inner axes, are read vec4 by vec4. */
const LONG_ROW = 256, WIDE = 32;
/** Invocations of a workgroup, and workgroups that keep a device busy. */
const WIDTH = { cpu: 8, gpu: 64 }, BUSY = { cpu: 64, gpu: 2048 };
/** Fewest vec4 that a lane adds up for a part to be worth its while. */
const FEWEST = 8;

/**
 * Reduces the middle of (outer, length, inner), of x or of products with z,
 * to (outer, 1, inner); two rounds where lanes would idle.
 *
 * @param scale factor on the result
 */
export function reduceMiddle(
  name: ReduceName,
  x: Tensor,
  sizes: Sizes,
  scale: number,
  z: Tensor = x,
): Tensor {
  const [outer, length, inner] = sizes, operands = [x, z] as const;
  const short = length * outer <= SHORT[x.device.profile];
  if (inner === 1 && length % 4 === 0 && length >= LONG_ROW && !short) {
    return again(name, rows(name, operands, sizes), scale);
  }
  if (inner % 4 === 0 && inner >= WIDE) {
    return columns(name, operands, sizes, scale);
  }
  const parts = Math.min(
    Math.ceil(LANES / (outer * inner)),
    Math.ceil(length / 8),
  );
  return length <= SHORT[x.device.profile] || parts <= 1
    ? round(name, operands, sizes, 1, scale)
    : again(name, round(name, operands, sizes, parts, 1), scale);
}

/** Reduces the middle of what a first round left, and frees it. */
function again(name: ReduceName, partial: Tensor, scale: number): Tensor {
  const [outer, parts, inner] = partial.shape;
  const next = name === "maximum" ? name : "sum";
  const y = reduceMiddle(next, partial, [outer, parts, inner], scale);
  partial.release();
  return y;
}

/** (outer, length, inner) -> (outer, parts, inner). */
function round(
  name: ReduceName,
  [x, z]: readonly [Tensor, Tensor],
  [outer, length, inner]: Sizes,
  parts: number,
  scale: number,
): Tensor {
  const runs = inner >= 8, run = Math.ceil(length / parts);
  const count = runs ? Math.ceil(length / run) : parts;
  const y = x.device.empty([outer, count, inner]);
  x.device.run(reduce, {
    tensors: { x, z, y },
    params: {
      n: y.size,
      length,
      inner,
      parts: count,
      begin: runs ? run : 1,
      stride: runs ? 1 : parts,
      span: runs ? run : length,
      scale,
    },
    constants: { OP: REDUCE[name] },
    workgroups: linearWorkgroups(y.size),
  });
  return y;
}

/** Runs of equal length for `groups` workgroups each, enough to keep the device busy. */
function split(
  device: Device,
  length: number,
  groups: number,
  most: number,
): { run: number; parts: number } {
  const wanted = Math.ceil(BUSY[device.profile] / groups);
  const run = Math.ceil(length / Math.max(1, Math.min(wanted, most)));
  return { run, parts: Math.ceil(length / run) };
}

/** (outer, length, 1) -> (outer, parts x lanes, 1). */
function rows(
  name: ReduceName,
  [x, z]: readonly [Tensor, Tensor],
  [outer, length]: Sizes,
): Tensor {
  const device = x.device, width = WIDTH[device.profile], vectors = length / 4;
  const most = Math.floor(vectors / (width * FEWEST));
  const { run, parts } = split(device, vectors, outer, most);
  const y = device.empty([outer, parts * width, 1]);
  device.run(reduceRows, {
    tensors: { x, z, y },
    params: { outer, length: vectors, parts, run },
    constants: { OP: REDUCE[name], WIDTH: width },
    workgroups: linearWorkgroups(outer * parts, 1),
  });
  return y;
}

/** (outer, length, inner) -> (outer, 1, inner). */
function columns(
  name: ReduceName,
  [x, z]: readonly [Tensor, Tensor],
  [outer, length, inner]: Sizes,
  scale: number,
): Tensor {
  const device = x.device, width = WIDTH[device.profile], vectors = inner / 4;
  const block = device.profile === "gpu"
    ? 1
    : [8, 4, 2].find((n) => n * width <= vectors) ?? 1;
  const tiles = Math.ceil(vectors / (width * block));
  const { run, parts } = split(
    device,
    length,
    tiles * outer,
    Math.floor(length / FEWEST),
  );
  const y = device.empty([outer, parts, inner]);
  device.run(reduceColumns, {
    tensors: { x, z, y },
    params: {
      outer,
      length,
      inner: vectors,
      tiles,
      parts,
      run,
      scale: parts === 1 ? scale : 1,
    },
    constants: { OP: REDUCE[name], WIDTH: width, BLOCK: block },
    workgroups: linearWorkgroups(tiles * outer * parts, 1),
  });
  return parts === 1 ? y : again(name, y, scale);
}
