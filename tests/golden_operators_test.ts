/** Golden files of kind `ops` with other sizes, attributes and names than the ones at hand. */
import { assertEquals } from "@std/assert";
import { openDevice } from "../engine/mod.ts";
import { biasActReference } from "../engine/ops/bias_act.reference.ts";
import type { NumberArray } from "../engine/ops/conformance.ts";
import {
  conv2dReference,
  convTranspose2dReference,
} from "../engine/ops/conv2d.reference.ts";
import { interpolateReference } from "../engine/ops/interpolate.reference.ts";
import { matmulReference } from "../engine/ops/matmul.cases.ts";
import {
  layerNormReference,
  softmaxReference,
} from "../engine/ops/norm.reference.ts";
import { maxPool2dReference } from "../engine/ops/pool.reference.ts";
import { rayMarchReference } from "../engine/ops/raymarch.reference.ts";
import { build, map, reader } from "../engine/ops/reference.ts";
import { sampleTriplaneReference } from "../engine/ops/triplane.reference.ts";
import { formula } from "../engine/ops/formula.ts";
import { ACTIVATIONS } from "../kernels/bias_act/bias_act.ts";
import { runGolden } from "./support/goldens.ts";
import { scratch } from "./support/media.ts";
import {
  writeOperatorGoldens,
  type WrittenCase,
} from "./support/write_goldens.ts";

const PREFIX = "elsewhere/";

/** Fails unless every case of a file made of these agrees with the engine. */
async function holds(cases: readonly WrittenCase[]): Promise<void> {
  await using folder = scratch();
  const path = folder.file("other.safetensors");
  await writeOperatorGoldens(path, PREFIX, cases);
  using device = await openDevice({ poison: true });
  const failed = (await runGolden(device, path))
    .filter(({ failure }) => failure !== null)
    .map(({ name, failure }) => `${name}: ${failure}`);
  assertEquals(failed, []);
}

interface Resampling {
  up?: [number, number];
  down?: [number, number];
  padding?: [number, number, number, number];
  flip?: boolean;
  gain?: number;
}

/** Zeros between, zeros around, a true convolution (or not, with `flip`), every so many: by definition. */
function resampled(
  x: NumberArray,
  rows: number[][],
  { up = [1, 1], down = [1, 1], padding = [0, 0, 0, 0], flip, gain = 1 }:
    Resampling,
): NumberArray {
  const [n, c, h, w] = x.shape, at = reader(x);
  const [ux, uy] = up, [dx, dy] = down, [x0, x1, y0, y1] = padding;
  const fh = rows.length, fw = rows[0].length;
  const total = rows.flat().reduce((a, b) => a + b, 0);
  const shape = [
    n,
    c,
    Math.ceil((h * uy + y0 + y1 - fh + 1) / dy),
    Math.ceil((w * ux + x0 + x1 - fw + 1) / dx),
  ];
  return build(shape, ([p, q, oy, ox]) => {
    let sum = 0;
    for (let a = 0; a < fh; a++) {
      for (let b = 0; b < fw; b++) {
        const tap = flip ? rows[a][b] : rows[fh - 1 - a][fw - 1 - b];
        const y = oy * dy + a - y0, z = ox * dx + b - x0;
        if (y % uy !== 0 || z % ux !== 0) continue;
        sum += tap / total * at(p, q, y / uy, z / ux);
      }
    }
    return sum * gain;
  });
}

const outer = (taps: number[]) => taps.map((v) => taps.map((w) => v * w));
const SMOOTH = outer([1, 3, 3, 1]);

Deno.test("golden upfirdn2d takes any filter, both axes apart, cropping and flips", async () => {
  const rows = [[1, 2], [3, 4], [5, 7]], taps = [1, 2, 4, 3, 1];
  await holds([
    {
      name: "upfirdn2d.both axes apart",
      inputs: { x: [1, 2, 5, 7] },
      attrs: {
        up: [2, 3],
        down: [3, 2],
        padding: [1, -1, 2, 0],
        filter: rows,
        flip_filter: true,
        gain: 3,
      },
      reference: ({ x }) =>
        resampled(x, rows, {
          up: [2, 3],
          down: [3, 2],
          padding: [1, -1, 2, 0],
          flip: true,
          gain: 3,
        }),
    },
    {
      name: "upfirdn2d.one padding",
      inputs: { x: [3, 1, 6, 4] },
      attrs: { up: 4, down: 3, padding: 2, filter: taps },
      reference: ({ x }) =>
        resampled(x, outer(taps), {
          up: [4, 4],
          down: [3, 3],
          padding: [2, 2, 2, 2],
        }),
    },
    {
      name: "upfirdn2d.nothing but padding",
      inputs: { x: [1, 1, 3, 4] },
      attrs: { padding: [1, 2], filter: null, gain: null },
      reference: ({ x }) => resampled(x, [[1]], { padding: [1, 1, 2, 2] }),
    },
    {
      name: "upsample2d.by 3",
      inputs: { x: [1, 2, 4, 3] },
      attrs: { up: 3, filter: [1, 3, 3, 1] },
      reference: ({ x }) =>
        resampled(x, SMOOTH, {
          up: [3, 3],
          padding: [3, 0, 3, 0],
          gain: 9,
        }),
    },
    {
      name: "downsample2d.by 2",
      inputs: { x: [1, 2, 6, 8] },
      attrs: { filter: [1, 3, 3, 1] },
      reference: ({ x }) =>
        resampled(x, SMOOTH, { down: [2, 2], padding: [1, 1, 1, 1] }),
    },
    {
      name: "filter2d.five taps",
      inputs: { x: [1, 2, 6, 5] },
      attrs: { filter: taps },
      reference: ({ x }) =>
        resampled(x, outer(taps), { padding: [2, 2, 2, 2] }),
    },
  ]);
});

Deno.test("golden bias_act takes every activation, alpha, gain, clamp and axis", async () => {
  const acts = Object.keys(ACTIVATIONS) as (keyof typeof ACTIVATIONS)[];
  await holds([
    ...acts.map((act): WrittenCase => ({
      name: `bias_act.${act}`,
      inputs: { x: [3, 4, 5], b: [4] },
      attrs: { act, alpha: null, gain: 1.3, clamp: 0.8, dim: 1 },
      reference: ({ x, b }) =>
        biasActReference({ x, b }, { act, gain: 1.3, clamp: 0.8 }),
    })),
    {
      name: "bias_act.slope and last axis",
      inputs: { x: [2, 3, 5], b: [5] },
      attrs: { act: "lrelu", alpha: 0.3, dim: 2 },
      reference: ({ x, b }) =>
        biasActReference({ x, b }, { act: "lrelu", alpha: 0.3, axis: 2 }),
    },
    {
      name: "bias_act.no bias, nothing else",
      inputs: { x: [2, 3] },
      reference: ({ x }) => biasActReference({ x }, {}),
    },
  ]);
});

/** The weight as it is correlated. */
function turned(w: NumberArray): NumberArray {
  const at = reader(w), [, , kh, kw] = w.shape;
  return build(
    w.shape,
    ([o, i, y, x]) => at(o, i, kh - 1 - y, kw - 1 - x),
  );
}

interface ResampledConvolution {
  up?: number;
  down?: number;
  padding: number;
  correlate?: boolean;
  groups?: number;
}

/** Up-sampling, convolution, down-sampling, each by definition, the picture centred. */
function resampledConvolution(
  x: NumberArray,
  w: NumberArray,
  { up = 1, down = 1, padding, correlate = true, groups = 1 }:
    ResampledConvolution,
): NumberArray {
  const before = padding + (up > 1 ? Math.floor((4 + up - 1) / 2) : 0) +
    (down > 1 ? Math.floor((4 - down + 1) / 2) : 0);
  const after = padding + (up > 1 ? Math.floor((4 - up) / 2) : 0) +
    (down > 1 ? Math.floor((4 - down) / 2) : 0);
  const weight = correlate ? w : turned(w);
  const around: Resampling["padding"] = [before, after, before, after];
  const filter = up > 1 || down > 1 ? SMOOTH : [[1]];
  if (up === 1) {
    // filtering, convolving and thinning out commute with one another
    const smooth = resampled(x, filter, { padding: around });
    return resampled(conv2dReference(smooth, weight, { groups }), [[1]], {
      down: [down, down],
    });
  }
  const wide = resampled(x, filter, {
    up: [up, up],
    padding: around,
    gain: up ** 2,
  });
  const y = conv2dReference(wide, weight, { groups });
  return down > 1 ? resampled(y, filter, { down: [down, down] }) : y;
}

function resampleCase(
  name: string,
  x: number[],
  w: number[],
  attrs: Record<string, unknown>,
): WrittenCase {
  const { up, down, groups, flip_weight: correlate } = attrs as Record<
    string,
    // deno-lint-ignore no-explicit-any
    any
  >;
  const padding = (attrs.padding ?? Math.floor(w[2] / 2)) as number;
  return {
    name: `conv2d_resample.${name}`,
    inputs: { x, w },
    attrs,
    reference: (a) =>
      resampledConvolution(a.x, a.w, { up, down, padding, groups, correlate }),
  };
}

Deno.test("golden conv2d_resample takes up, down, groups, any kernel and both ways to read it", async () => {
  await holds([
    resampleCase("up, flip", [1, 2, 3, 4], [3, 2, 3, 3], {
      up: 2,
      down: 1,
      flip_weight: true,
    }),
    resampleCase("up, 1x1", [1, 2, 3, 4], [3, 2, 1, 1], { up: 2 }),
    resampleCase("up 4", [1, 2, 3, 3], [1, 2, 3, 3], {
      up: 4,
      flip_weight: false,
    }),
    resampleCase("up and down", [1, 1, 4, 5], [2, 1, 3, 3], {
      up: 2,
      down: 2,
      flip_weight: false,
    }),
    resampleCase("down, not flipped", [2, 2, 6, 8], [2, 2, 3, 3], {
      down: 2,
      flip_weight: false,
    }),
    resampleCase("5x5, padding", [1, 2, 6, 7], [2, 2, 5, 5], { padding: 1 }),
    resampleCase("groups", [1, 4, 4, 5], [6, 2, 3, 3], {
      groups: 2,
      flip_weight: false,
    }),
  ]);
});

/** Weights times styles, over their norm; the convolution of each sample with its own. */
function modulated(
  { x, weight, styles, noise }: Record<string, NumberArray>,
  demodulate: boolean,
  options: ResampledConvolution,
): NumberArray {
  const [n, ci] = styles.shape, [co] = weight.shape, at = reader(weight);
  const parts = Array.from({ length: n }, (_, b) => {
    const own = build(
      weight.shape,
      ([o, i, y, z]) => at(o, i, y, z) * styles.data[b * ci + i],
    );
    const taps = own.data.length / co;
    for (let o = 0; demodulate && o < co; o++) {
      const row = own.data.subarray(o * taps, (o + 1) * taps);
      const norm = Math.sqrt(row.reduce((s, v) => s + v * v, 1e-8));
      row.forEach((v, k) => row[k] = v / norm);
    }
    const size = x.data.length / n;
    const picture = x.data.slice(b * size, (b + 1) * size);
    return resampledConvolution(
      { data: picture, shape: [1, ...x.shape.slice(1)] },
      own,
      options,
    );
  });
  const [, , h, w] = parts[0].shape;
  return build([n, co, h, w], ([b, , y, z], k) => {
    const drift = noise
      ? noise.data[(noise.shape[0] > 1 ? b : 0) * h * w + y * w + z]
      : 0;
    return parts[b].data[k - b * co * h * w] + drift;
  });
}

function modulatedCase(
  name: string,
  [n, ci, co, k, h, w]: number[],
  attrs: Record<string, unknown>,
  noise?: number[],
): WrittenCase {
  const { up, down, padding = Math.floor(k / 2), flip_weight: correlate } =
    // deno-lint-ignore no-explicit-any
    attrs as Record<string, any>;
  const inputs: Record<string, number[]> = {
    x: [n, ci, h, w],
    weight: [co, ci, k, k],
    styles: [n, ci],
  };
  if (noise) inputs.noise = noise;
  return {
    name: `modulated_conv2d.${name}`,
    inputs,
    attrs: { styles_shift: 1.5, ...attrs },
    reference: (a) =>
      modulated(
        { ...a, styles: map(a.styles, (v) => v + 1.5) },
        (attrs.demodulate ?? true) as boolean,
        { up, down, padding, correlate },
      ),
  };
}

Deno.test("golden modulated_conv2d takes up, down, any kernel, with noise or without", async () => {
  await holds([
    modulatedCase("plain", [3, 2, 3, 3, 4, 3], { kernel: 3 }),
    modulatedCase("5x5, noise each", [2, 2, 2, 5, 4, 4], {
      fused_modconv: false,
    }, [2, 1, 4, 4]),
    modulatedCase("up, read the other way", [1, 2, 2, 3, 3, 3], {
      up: 2,
      flip_weight: true,
    }),
    modulatedCase("up as published", [1, 2, 2, 3, 3, 3], {
      up: 2,
      flip_weight: false,
      demodulate: false,
    }, [1, 1, 6, 6]),
    modulatedCase("down", [2, 2, 2, 3, 6, 4], { down: 2 }, [1, 1, 3, 2]),
    modulatedCase("no padding", [1, 2, 2, 3, 5, 4], { padding: 0 }),
  ]);
});

Deno.test("golden convolutions take unequal steps, biases and even kernels", async () => {
  const thin = (y: NumberArray, dy: number, dx: number) =>
    resampled(y, [[1]], { down: [dx, dy] });
  await holds([
    {
      name: "conv2d.unequal steps",
      inputs: { x: [2, 2, 7, 8], w: [3, 2, 2, 3], bias: [3] },
      attrs: { stride: [2, 1], padding: [1, 2] },
      reference: ({ x, w, bias }) => {
        const y = conv2dReference(x, w, { padding: [1, 1, 2, 2] });
        return biasActReference({ x: thin(y, 2, 1), b: bias });
      },
    },
    {
      name: "conv2d.unequal dilation",
      inputs: { x: [1, 4, 7, 8], w: [4, 2, 3, 2] },
      attrs: { dilation: [1, 2], groups: 2 },
      reference: ({ x, w }) => {
        const at = reader(w);
        const wide = build(
          [4, 2, 3, 3],
          ([o, i, y, z]) => z === 1 ? 0 : at(o, i, y, z / 2),
        );
        return conv2dReference(x, wide, { groups: 2 });
      },
    },
    {
      name: "conv_transpose2d.stride 3",
      inputs: { x: [2, 2, 3, 4], w: [2, 3, 4, 4], b: [3] },
      attrs: { stride: 3, padding: 1 },
      reference: ({ x, w, b }) =>
        biasActReference({
          x: convTranspose2dReference(x, w, { stride: 3, padding: 1 }),
          b,
        }),
    },
    {
      name: "fully_connected.slow weights",
      inputs: { x: [3, 5], weight: [4, 5], bias: [4] },
      attrs: { activation: "lrelu", lr_multiplier: 0.01 },
      reference: ({ x, weight, bias }) =>
        biasActReference({
          x: matmulReference(
            x,
            map(weight, (v) => v * 0.01 / Math.sqrt(5)),
            { transposeB: true },
          ),
          b: map(bias, (v) => v * 0.01),
        }, { act: "lrelu" }),
    },
    {
      name: "linear.with bias",
      inputs: { x: [2, 5], w: [3, 5], b: [3] },
      reference: ({ x, w, b }) =>
        biasActReference({ x: matmulReference(x, w, { transposeB: true }), b }),
    },
  ]);
});

Deno.test("golden renderer cases take other cameras, depths and backgrounds", async () => {
  await holds([
    {
      name: "grid_sample.planes",
      inputs: { planes: [1, 3, 3, 4, 6], points: [1, 7, 3] },
      attrs: { box_warp: 2, points_scale: 0.9 },
      reference: ({ planes, points }) =>
        sampleTriplaneReference(planes, map(points, (v) => v * 0.9), {
          boxWarp: 2,
          mean: false,
        }),
    },
    {
      name: "triplane.mean",
      inputs: { planes: [2, 3, 4, 5, 3], points: [2, 5, 3] },
      attrs: { box_warp: 1.5, points_scale: 0.7 },
      reference: ({ planes, points }) =>
        sampleTriplaneReference(planes, map(points, (v) => v * 0.7), {
          boxWarp: 1.5,
        }),
    },
    {
      name: "grid_sample.one picture",
      inputs: { x: [1, 2, 4, 3], grid: [1, 3, 2, 2] },
      reference: ({ x, grid }) => {
        const at = reader(x);
        return build([1, 2, 3, 2], ([, c, i, j]) => {
          const [u, v] = [0, 1].map((k) => grid.data[(i * 2 + j) * 2 + k]);
          const px = ((u + 1) * 3 - 1) / 2, py = ((v + 1) * 4 - 1) / 2;
          let sum = 0;
          for (const y of [Math.floor(py), Math.floor(py) + 1]) {
            for (const z of [Math.floor(px), Math.floor(px) + 1]) {
              sum += at(0, c, y, z) * (1 - Math.abs(py - y)) *
                (1 - Math.abs(px - z));
            }
          }
          return sum;
        });
      },
    },
    {
      name: "ray_march.white",
      inputs: { colors: [1, 3, 5, 2], densities: [1, 3, 5, 1] },
      attrs: {
        white_back: true,
        densities_scale: 2,
        depths: "sorted formula('way',(1,3,5,1),.4,2.5)",
      },
      reference: ({ colors, densities }) => {
        const t = formula(`${PREFIX}way`, [3, 5], 0.4, 2.5);
        for (let k = 0; k < 15; k += 5) t.subarray(k, k + 5).sort();
        const raw = build(
          [3, 5, 3],
          ([r, s, c]) =>
            c === 0
              ? 2 * densities.data[r * 5 + s]
              : colors.data[(r * 5 + s) * 2 + c - 1],
        );
        const y = reader(rayMarchReference(
          raw,
          { data: Float64Array.from(t), shape: [3, 5] },
          { sigmoid: false, whiteBack: true },
        ));
        return build([1, 3, 2], ([, r, c]) => y(r, c));
      },
    },
  ]);
});

Deno.test("golden cases of rows, pictures and windows take other axes and sizes", async () => {
  await holds([
    {
      name: "softmax.middle",
      inputs: { x: [2, 5, 3] },
      attrs: { dim: 1, scale: 3 },
      reference: ({ x }) => {
        const at = reader(x);
        const rows = build([2, 3, 5], ([a, b, c]) => 3 * at(a, c, b));
        const y = reader(softmaxReference(rows));
        return build([2, 5, 3], ([a, b, c]) => y(a, c, b));
      },
    },
    {
      name: "layer_norm.two axes",
      inputs: { x: [3, 2, 4], w: [2, 4], b: [2, 4] },
      attrs: { eps: 1e-3 },
      reference: ({ x, w, b }) => ({
        data: layerNormReference({ data: x.data, shape: [3, 8] }, w, b, 1e-3)
          .data,
        shape: [3, 2, 4],
      }),
    },
    {
      name: "matmul.transposed",
      inputs: { a: [7, 5], b: [3, 7] },
      attrs: { transpose_a: true, transpose_b: true },
      reference: ({ a, b }) =>
        matmulReference(a, b, { transposeA: true, transposeB: true }),
    },
    ...(["nearest", "bilinear", "area"] as const).map((mode): WrittenCase => ({
      name: `interpolate.${mode}`,
      inputs: { x: [1, 2, 5, 7] },
      attrs: { mode, size: [8, 3] },
      reference: ({ x }) => interpolateReference(x, [8, 3], { mode }),
    })),
    {
      name: "interpolate.by a factor",
      inputs: { x: [1, 1, 6, 4] },
      attrs: { mode: "bilinear", antialias: true, scale_factor: 0.5 },
      reference: ({ x }) =>
        interpolateReference(x, [3, 2], { antialias: true }),
    },
    {
      name: "max_pool2d.rounded up",
      inputs: { x: [1, 2, 6, 8] },
      attrs: { kernel: 3, stride: 2, ceil_mode: true },
      reference: ({ x }) =>
        maxPool2dReference(x, {
          kernel: 3,
          stride: 2,
          padding: [0, 1, 0, 1],
        }),
    },
  ]);
});
