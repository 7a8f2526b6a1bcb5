/**
 * Pooling in plain TypeScript and float64.
 *
 * @module
 */
import type { NumberArray } from "./conformance.ts";
import type { AveragePoolOptions, PoolOptions } from "./pool.ts";
import { build } from "./reference.ts";

/** The numbers of each window that lie inside x, put through `finish`. */
function windows(
  x: NumberArray,
  options: PoolOptions,
  finish: (numbers: number[], area: number) => number,
): NumberArray {
  const pair = (v: number | readonly [number, number]) =>
    typeof v === "number" ? [v, v] : v;
  const [kh, kw] = pair(options.kernel);
  const [sh, sw] = pair(options.stride ?? options.kernel);
  const p = options.padding ?? 0;
  const [t, b, l, r] = typeof p === "number" ? [p, p, p, p] : p;
  const [n, c, h, w] = x.shape;
  const shape = [
    n,
    c,
    Math.floor((h + t + b - kh) / sh) + 1,
    Math.floor((w + l + r - kw) / sw) + 1,
  ];
  return build(shape, ([i, j, oy, ox]) => {
    const numbers: number[] = [];
    for (let a = oy * sh - t; a < oy * sh - t + kh; a++) {
      for (let d = ox * sw - l; d < ox * sw - l + kw; d++) {
        if (a < 0 || a >= h || d < 0 || d >= w) continue;
        numbers.push(x.data[((i * c + j) * h + a) * w + d]);
      }
    }
    return finish(numbers, kh * kw);
  });
}

/** Largest number of each window. */
export function maxPool2dReference(
  x: NumberArray,
  options: PoolOptions,
): NumberArray {
  return windows(x, options, (numbers) => Math.max(...numbers));
}

/** Mean of each window. */
export function avgPool2dReference(
  x: NumberArray,
  options: AveragePoolOptions,
): NumberArray {
  return windows(
    x,
    options,
    (numbers, area) =>
      numbers.reduce((sum, v) => sum + v, 0) /
      (options.countPadding ? area : numbers.length),
  );
}
