/**
 * Reductions, products and layers of random graphs.
 *
 * @module
 */
import * as ops from "../../engine/mod.ts";
import { modulatedConv2d } from "../../engine/nn/modulated_conv2d.ts";
import { modulatedConv2dReference } from "../../engine/nn/modulated_conv2d.cases.ts";
import { biasActReference } from "../../engine/ops/bias_act.reference.ts";
import type { NumberArray } from "../../engine/ops/conformance.ts";
import {
  conv2dReference,
  convTranspose2dReference,
} from "../../engine/ops/conv2d.reference.ts";
import { interpolateReference } from "../../engine/ops/interpolate.reference.ts";
import { matmulReference } from "../../engine/ops/matmul.cases.ts";
import {
  layerNormReference,
  softmaxReference,
} from "../../engine/ops/norm.reference.ts";
import {
  avgPool2dReference,
  maxPool2dReference,
} from "../../engine/ops/pool.reference.ts";
import { reduceReference } from "../../engine/ops/reduce.cases.ts";
import { upfirdn2dReference } from "../../engine/ops/upfirdn2d.reference.ts";
import type { GraphBuilder, Maker, Operation } from "./random_graph.ts";

const any = () => true;
const isPicture = (shape: number[]) => shape.length === 4;
const hasRows = (shape: number[]) => shape.length > 1 && shape.at(-1)! > 1;

/** Sums, means and sums of squares over some of the axes. */
const reduction: Maker = (g) => {
  const k = g.find((s) => s.length > 0), rank = g.shape(k).length;
  const axes = g.shape(k).map((_, i) => i).filter(() => g.random() < 0.4);
  if (axes.length === 0) axes.push(rank - 1);
  const options = { axes, keep: g.random() < 0.5 };
  const count = axes.reduce((n, axis) => n * g.shape(k)[axis], 1);
  const total = (x: NumberArray) =>
    reduceReference(x, options, (a, v) => a + v, 0);
  const averaged = g.random() < 0.7;
  return {
    text: `${averaged ? "mean" : "sum"}(n${k}, ${JSON.stringify(options)})`,
    inputs: [k],
    run: ([x]) => averaged ? ops.mean(x, options) : ops.sum(x, options),
    reference: ([x]) => {
      const y = total(x);
      const factor = averaged ? 1 / count : 1;
      return { data: y.data.map((v) => v * factor), shape: y.shape };
    },
  };
};

const squares: Maker = (g) => {
  const k = g.find((s) => s.length > 1), axes = g.whole(1, 2);
  return {
    text: `sumOfSquares(n${k}, ${axes})`,
    inputs: [k],
    run: ([x]) => ops.sumOfSquares(x, axes),
    reference: ([x]) =>
      reduceReference(
        x,
        { axes: Array.from({ length: axes }, (_, i) => -1 - i) },
        (a, v) => a + v * v,
        0,
      ),
  };
};

/** A matrix, or a batch of them, by a new one; both read either way. */
const product: Maker = (g) => {
  const k = g.find((s) => s.length === 2 || s.length === 3);
  if (k < 0) return null;
  const shape = g.shape(k), left = g.random() < 0.5;
  const options = {
    transposeA: g.random() < 0.4,
    transposeB: g.random() < 0.4,
  };
  const [own, other] = left
    ? [options.transposeA, options.transposeB]
    : [options.transposeB, options.transposeA];
  // the inner axis is the last one of the left side, the first of the right one
  const inner = shape.at(left !== own ? -1 : -2)!, free = g.whole(1, 9);
  const matrix = left !== other ? [inner, free] : [free, inner];
  const batch = shape.length === 3 && g.random() < 0.5 ? [shape[0]] : [];
  const fresh = g.given([...batch, ...matrix], 1 / Math.sqrt(inner));
  const inputs = left ? [k, fresh] : [fresh, k];
  return {
    text: `matmul(n${inputs[0]}, n${inputs[1]}, ${JSON.stringify(options)})`,
    inputs,
    run: ([a, b]) => ops.matmul(a, b, options),
    reference: ([a, b]) => matmulReference(a, b, options),
  };
};

function layer(
  text: string,
  inputs: number[],
  run: Operation["run"],
  reference: Operation["reference"],
): Operation {
  return { text, inputs, run, reference };
}

const convolution: Maker = (g) => {
  const k = g.find(isPicture);
  if (k < 0) return null;
  const [, channels, h, w] = g.shape(k), size = g.one([1, 3]);
  const groups = channels % 2 === 0 ? g.one([1, 1, 2]) : 1;
  const options = {
    stride: g.one([1, 1, 2]),
    padding: size === 1 ? 0 : g.one([1, 1, 0]),
    groups,
  };
  if (Math.min(h, w) + 2 * options.padding < size) return null;
  const fan = channels / groups * size * size;
  const outputs = g.one([2, 4, 9]) * groups;
  const weight = g.given(
    [outputs, channels / groups, size, size],
    1.7 / Math.sqrt(fan),
  );
  return layer(
    `conv2d(n${k}, n${weight}, ${JSON.stringify(options)})`,
    [k, weight],
    ([x, y]) => ops.conv2d(x, y, options),
    ([x, y]) => conv2dReference(x, y, options),
  );
};

const transposedConvolution: Maker = (g) => {
  const k = g.find(isPicture);
  if (k < 0) return null;
  const channels = g.shape(k)[1];
  const weight = g.given([channels, g.one([2, 4]), 3, 3], 0.3);
  return layer(
    `convTranspose2d(n${k}, n${weight}, stride 2)`,
    [k, weight],
    ([x, w]) => ops.convTranspose2d(x, w, { stride: 2 }),
    ([x, w]) => convTranspose2dReference(x, w, { stride: 2 }),
  );
};

const modulated: Maker = (g) => {
  // the style of a lone channel would cancel, and its gradient be rounding alone
  const k = g.find((s) => isPicture(s) && s[1] > 1);
  if (k < 0) return null;
  const [n, channels] = g.shape(k), size = g.one([1, 3]);
  const weight = g.given([g.one([2, 4]), channels, size, size], 0.7);
  const styles = g.given([n, channels]);
  const options = { up: g.one([1, 2] as const), demodulate: g.random() < 0.7 };
  return layer(
    `modulatedConv2d(n${k}, n${weight}, n${styles}, ${
      JSON.stringify(options)
    })`,
    [k, weight, styles],
    ([x, w, s]) => modulatedConv2d(x, w, s, options),
    ([x, weight, styles]) =>
      modulatedConv2dReference({ x, weight, styles }, options),
  );
};

const ACTS = [
  "linear",
  "lrelu",
  "sigmoid",
  "tanh",
  "softplus",
  "swish",
] as const;

const activation: Maker = (g) => {
  const k = g.find((s) => s.length > 1);
  const axis = g.one([1, -1]), act = g.one(ACTS);
  const bias = g.given([g.shape(k).at(axis)!]);
  const operation = layer(
    `biasAct(n${k}, n${bias}, ${act} along ${axis})`,
    [k, bias],
    ([x, b]) => ops.biasAct(x, b, { act, axis }),
    ([x, b]) => biasActReference({ x, b }, { act, axis }),
  );
  return act !== "lrelu" ? operation : {
    ...operation,
    kink: ([x, b]) =>
      biasActReference({ x, b }, { axis }).data
        .reduce((least, v) => Math.min(least, Math.abs(v)), Infinity),
  };
};

const rows: Maker = (g) => {
  const k = g.find(hasRows);
  if (k < 0) return null;
  if (g.random() < 0.5) {
    return layer(
      `softmax(n${k})`,
      [k],
      ([x]) => ops.softmax(x),
      ([x]) => softmaxReference(x),
    );
  }
  const columns = g.shape(k).at(-1)!;
  const scale = g.given([columns]), shift = g.given([columns]);
  return layer(
    `layerNorm(n${k}, n${scale}, n${shift}, 0.1)`,
    [k, scale, shift],
    ([x, w, b]) => ops.layerNorm(x, w, b, 0.1),
    ([x, w, b]) => layerNormReference(x, w, b, 0.1),
  );
};

const pooling: Maker = (g) => {
  const k = g.find((s) => isPicture(s) && Math.min(s[2], s[3]) >= 3);
  if (k < 0) return null;
  const options = g.one([
    { kernel: 2 },
    { kernel: 3, stride: 2, padding: 1 },
  ]);
  const text = JSON.stringify(options);
  if (g.random() < 0.5) {
    return layer(
      `avgPool2d(n${k}, ${text})`,
      [k],
      ([x]) => ops.avgPool2d(x, options),
      ([x]) => avgPool2dReference(x, options),
    );
  }
  return {
    ...layer(
      `maxPool2d(n${k}, ${text})`,
      [k],
      ([x]) => ops.maxPool2d(x, options),
      ([x]) => maxPool2dReference(x, options),
    ),
    kink: ([x]) => smallestGap(x.data),
  };
};

/** Smallest difference of any two numbers: of those in one window at least that. */
function smallestGap(data: Float64Array): number {
  const sorted = data.slice().sort();
  let least = Infinity;
  for (let k = 1; k < sorted.length; k++) {
    least = Math.min(least, sorted[k] - sorted[k - 1]);
  }
  return least;
}

const resizing: Maker = (g) => {
  const k = g.find(isPicture);
  if (k < 0) return null;
  const size = [g.one([3, 5, 8]), g.one([4, 7])] as const;
  const options = g.one([
    {},
    { antialias: true },
    { mode: "area" as const },
    { mode: "nearest" as const },
  ]);
  return layer(
    `interpolate(n${k}, [${size}], ${JSON.stringify(options)})`,
    [k],
    ([x]) => ops.interpolate(x, size, options),
    ([x]) => interpolateReference(x, size, options),
  );
};

const filtering: Maker = (g) => {
  const k = g.find(isPicture);
  if (k < 0) return null;
  const filter = g.one([[1, 3, 3, 1], [1, 2, 4], [[1, 2, 0], [3, -1, 5]]]);
  const options = {
    up: g.one([1, 2]),
    down: g.one([1, 2]),
    padding: [2, 1, 2, 1] as const,
    flipFilter: g.random() < 0.5,
    gain: 2,
  };
  return layer(
    `upfirdn2d(n${k}, ${JSON.stringify([filter, options])})`,
    [k],
    ([x]) => ops.upfirdn2d(x, filter, options),
    ([x]) => upfirdn2dReference(x, filter, options),
  );
};

/** Several of a tensor along a new first axis. */
const spread: Maker = (g: GraphBuilder) => {
  const k = g.find(any), shape = [g.whole(1, 3), ...g.shape(k)];
  if (shape.length > 5) return null;
  return layer(
    `broadcastTo(n${k}, [${shape}])`,
    [k],
    ([x]) => ops.broadcastTo(x, shape),
    ([x]) => ({
      data: Float64Array.from(
        { length: shape[0] * x.data.length },
        (_, i) => x.data[i % x.data.length],
      ),
      shape,
    }),
  );
};

/** Everything that is not elementwise and does more than move numbers. */
export const LAYERS: readonly Maker[] = [
  reduction,
  squares,
  product,
  product,
  convolution,
  convolution,
  transposedConvolution,
  modulated,
  activation,
  rows,
  pooling,
  resizing,
  filtering,
  spread,
];
