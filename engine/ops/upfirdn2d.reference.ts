/**
 * `upfirdn2d` in plain TypeScript and float64, step by step as it is named.
 *
 * @module
 */
import type { NumberArray } from "./conformance.ts";
import { build, reader } from "./reference.ts";
import type { FirFilter, UpfirdnOptions } from "./upfirdn2d.ts";

/** The filter as rows of a plane, scaled to the sum 1 unless told otherwise. */
function rowsOf(filter: FirFilter, normalize: boolean): number[][] {
  const separable = typeof filter[0] === "number";
  const taps = filter as readonly number[];
  const rows = separable
    ? taps.map((v) => taps.map((w) => v * w))
    : (filter as readonly (readonly number[])[]).map((row) => [...row]);
  const total = normalize ? rows.flat().reduce((a, b) => a + b, 0) : 1;
  return rows.map((row) => row.map((v) => v / total));
}

/** Inserts zeros, pads or crops, convolves, keeps every `down`-th number. */
export function upfirdn2dReference(
  x: NumberArray,
  filter: FirFilter,
  options: UpfirdnOptions = {},
): NumberArray {
  const { up = 1, down = 1, padding: [x0, x1, y0, y1] = [0, 0, 0, 0] } =
    options;
  const rows = rowsOf(filter, options.normalize ?? true);
  const fh = rows.length, fw = rows[0].length;
  const [n, c, h, w] = x.shape, at = reader(x);
  const upsampled = (p: number, q: number, i: number, j: number) =>
    i % up === 0 && j % up === 0 ? at(p, q, i / up, j / up) : 0;
  const shape = [
    n,
    c,
    Math.floor((h * up + y0 + y1 - fh) / down) + 1,
    Math.floor((w * up + x0 + x1 - fw) / down) + 1,
  ];
  return build(shape, ([p, q, oy, ox]) => {
    let sum = 0;
    for (let a = 0; a < fh; a++) {
      for (let b = 0; b < fw; b++) {
        const tap = options.flipFilter
          ? rows[a][b]
          : rows[fh - 1 - a][fw - 1 - b];
        sum += tap * upsampled(p, q, oy * down + a - y0, ox * down + b - x0);
      }
    }
    return sum * (options.gain ?? 1);
  });
}
