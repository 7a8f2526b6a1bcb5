/**
 * `interpolate` in plain TypeScript and float64, from each mode's definition.
 *
 * @module
 */
import type { NumberArray } from "./conformance.ts";
import type { InterpolateOptions } from "./interpolate.ts";
import { build, reader } from "./reference.ts";

/** Weight of input pixel i in output pixel o along one axis. */
type Weight = (i: number, o: number, from: number, to: number) => number;

const WEIGHTS: Record<string, Weight> = {
  nearest: (i, o, from, to) => i === Math.floor(o * from / to) ? 1 : 0,
  bilinear: (i, o, from, to) => {
    const at = (o + 0.5) * from / to - 0.5;
    const inside = Math.min(Math.max(at, 0), from - 1);
    return Math.max(0, 1 - Math.abs(i - inside));
  },
  asymmetric: (i, o, from, to) => {
    const inside = Math.min(o * from / to, from - 1);
    return Math.max(0, 1 - Math.abs(i - inside));
  },
  area: (i, o, from, to) => {
    const first = Math.floor(o * from / to);
    const end = Math.ceil((o + 1) * from / to);
    return i >= first && i < end ? 1 : 0;
  },
  antialias: (i, o, from, to) => {
    const reach = Math.max(from / to, 1);
    return Math.max(0, 1 - Math.abs(i + 0.5 - (o + 0.5) * from / to) / reach);
  },
};

/** Weights of every input pixel in every output pixel, each line of sum 1. */
function matrix(weight: Weight, from: number, to: number): number[][] {
  return Array.from({ length: to }, (_, o) => {
    const line = Array.from({ length: from }, (_, i) => weight(i, o, from, to));
    const total = line.reduce((a, b) => a + b, 0);
    return line.map((w) => w / total);
  });
}

/** Resizes each plane of x (N, C, H, W). */
export function interpolateReference(
  x: NumberArray,
  size: readonly [number, number],
  { mode = "bilinear", antialias = false }: InterpolateOptions = {},
): NumberArray {
  const [n, c, h, w] = x.shape, [oh, ow] = size;
  const weight = WEIGHTS[antialias && mode === "bilinear" ? "antialias" : mode];
  const rows = matrix(weight, h, oh), columns = matrix(weight, w, ow);
  const at = reader(x);
  const across = build(
    [n, c, h, ow],
    ([p, q, i, o]) =>
      columns[o].reduce((sum, v, j) => v ? sum + v * at(p, q, i, j) : sum, 0),
  );
  const down = reader(across);
  return build(
    [n, c, oh, ow],
    ([p, q, o, j]) =>
      rows[o].reduce((sum, v, i) => v ? sum + v * down(p, q, i, j) : sum, 0),
  );
}
