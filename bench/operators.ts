/**
 * Rows of the benchmark for single operators, which peers can run as well: at
 * EG3D's hot shapes, and in the shapes of the default generator.
 *
 * @module
 */
import { ownJob } from "./jobs.ts";
import type { Row } from "./measure.ts";
import type { AdamProblem, Problem, Wanted } from "./problem.ts";

/** What a row costs by the operator's definition. */
type Cost = Pick<Row, "operations" | "bytes">;

function row(group: string, name: string, problem: Problem, cost: Cost): Row {
  return {
    group,
    name,
    problem,
    ...cost,
    prepare: (device) => ownJob(device, problem),
  };
}

function product(m: number, k: number, n: number): Row {
  return row("matmul", `matmul ${m} x ${k} x ${n}`, {
    kind: "matmul",
    inputs: { a: [m, k], b: [k, n] },
  }, { operations: 2 * m * k * n });
}

const DIRECTIONS: readonly (readonly [Wanted, string])[] = [
  ["output", ""],
  ["input", ", gradient of the picture"],
  ["weight", ", gradient of the weight"],
];

/** A convolution and its two gradients. */
function convolutions(
  ci: number,
  co: number,
  side: number,
  size: number,
  { groups = 1, transposed = false } = {},
): Row[] {
  const to = transposed ? 2 * side + 1 : side;
  const label = transposed
    ? `up-conv ${size} x ${size}, ${ci} to ${co} channels, ${side} to ${to} px`
    : groups > 1
    ? `depthwise ${size} x ${size}, ${ci} channels at ${side} px`
    : `conv ${size} x ${size}, ${ci} to ${co} channels at ${side} px`;
  const w = transposed ? [ci, co, size, size] : [co, ci / groups, size, size];
  const inputs = { x: [1, ci, side, side], w, g: [1, co, to, to] };
  const operations = 2 * ci * co / groups * side * side * size * size;
  return DIRECTIONS.map(([wanted, suffix]) =>
    row("conv2d", label + suffix, {
      kind: "conv2d",
      inputs,
      wanted,
      groups,
      transposed,
    }, { operations })
  );
}

function modulated(ci: number, co: number, side: number): Row {
  return row(
    "modulated",
    `modulated conv 3 x 3, ${ci} to ${co} channels at ${side} px`,
    {
      kind: "modulatedConv2d",
      inputs: { x: [1, ci, side, side], w: [co, ci, 3, 3], s: [1, ci] },
    },
    { operations: 2 * ci * co * side * side * 9 },
  );
}

const FLOAT = 4;

function upsampling(channels: number, side: number): Row {
  return row(
    "upfirdn2d",
    `upfirdn2d, twice as large, ${channels} channels at ${side} px`,
    { kind: "upsample2d", inputs: { x: [1, channels, side, side] } },
    { bytes: 5 * channels * side * side * FLOAT },
  );
}

function reduction(rows: number, columns: number, axes: number[]): Row {
  const over = axes.length > 1 ? "all" : axes[0] === 0 ? "rows" : "columns";
  return row(
    "reduce",
    `sum of ${rows} x ${columns} over ${over}`,
    { kind: "sum", inputs: { x: [rows, columns] }, axes },
    { bytes: rows * columns * FLOAT },
  );
}

function softmaxRow(rows: number, columns: number): Row {
  return row(
    "softmax",
    `softmax of ${rows} rows of ${columns}`,
    { kind: "softmax", inputs: { x: [rows, columns] } },
    { bytes: 2 * rows * columns * FLOAT },
  );
}

function addition(rows: number, columns: number): Row {
  return row("elementwise", `sum of two, ${rows} x ${columns}`, {
    kind: "add",
    inputs: { x: [rows, columns], y: [rows, columns] },
  }, { bytes: 3 * rows * columns * FLOAT });
}

function activation(channels: number, side: number): Row {
  return row(
    "elementwise",
    `bias and leaky ReLU, ${channels} channels at ${side} px`,
    {
      kind: "biasAct",
      inputs: { x: [1, channels, side, side], b: [channels] },
    },
    { bytes: 2 * channels * side * side * FLOAT },
  );
}

function adamRow(rows: number, columns: number): Row {
  const inputs: AdamProblem["inputs"] = {
    x: [rows, columns],
    g: [rows, columns],
  };
  return row("adam", `Adam step on ${rows} x ${columns}`, {
    kind: "adam",
    inputs,
  }, { bytes: 7 * rows * columns * FLOAT });
}

function sampling(channels: number, side: number, points: number): Row[] {
  const inputs = {
    planes: [1, 3, channels, side, side],
    points: [1, points, 3],
    g: [1, points, channels],
  };
  const label =
    `tri-planes of ${channels} channels at ${side} px, ${points} points`;
  // four corners of three planes: a multiplication and an addition each
  const operations = 3 * 4 * 2 * points * channels;
  return ([["features", ""], ["planes", ", gradient of the planes"]] as const)
    .map(([wanted, suffix]) =>
      row("triplane", label + suffix, { kind: "triplane", inputs, wanted }, {
        operations,
      })
    );
}

function rendering(side: number, samples: number): Row[] {
  const channels = 32, hidden = 64, rays = side * side, outputs = channels + 1;
  const inputs = {
    planes: [1, 3, channels, 256, 256],
    points: [1, rays * samples, 3],
    w1: [hidden, channels],
    b1: [hidden],
    w2: [outputs, hidden],
    b2: [outputs],
    g: [rays, channels],
  };
  const label = `renderer, ${side} x ${side} rays of ${samples} samples`;
  // gathers, both layers, colours; the gradient of activations costs as much again
  const forward = rays * samples *
    (3 * 4 * 2 * channels + 2 * hidden * (channels + outputs) + 2 * channels);
  return [
    row("renderer", label, { kind: "renderer", inputs, wanted: "colours" }, {
      operations: forward,
    }),
    row(
      "renderer",
      `${label}, and gradient of the planes`,
      { kind: "renderer", inputs, wanted: "step" },
      { operations: 2 * forward },
    ),
  ];
}

/** Rows of single operators. */
export const operatorRows: readonly Row[] = [
  product(512, 512, 512),
  product(1024, 1024, 1024),
  product(2048, 2048, 2048),
  product(4096, 4096, 4096),
  product(196608, 16, 64),
  ...convolutions(128, 128, 128, 3),
  ...convolutions(256, 256, 64, 3),
  ...convolutions(256, 256, 128, 3),
  ...convolutions(512, 512, 32, 3),
  ...convolutions(64, 128, 256, 3),
  ...convolutions(128, 128, 8, 3),
  ...convolutions(128, 128, 32, 3),
  ...convolutions(32, 32, 128, 3),
  ...convolutions(32, 48, 128, 1),
  ...convolutions(64, 32, 64, 3, { transposed: true }),
  ...convolutions(32, 32, 112, 3, { groups: 32 }),
  modulated(256, 256, 64),
  upsampling(64, 128),
  ...sampling(32, 256, 196608),
  ...rendering(64, 48),
  softmaxRow(4096, 1024),
  softmaxRow(16, 65536),
  reduction(4096, 4096, [0, 1]),
  reduction(4096, 4096, [0]),
  reduction(4096, 4096, [1]),
  addition(4096, 1024),
  activation(128, 128),
  adamRow(4096, 1024),
];
