/**
 * The engine's own version of each problem of the benchmark.
 *
 * @module
 */
import {
  Adam,
  add,
  biasAct,
  broadcastTo,
  conv2d,
  convTranspose2d,
  decodeTriplane,
  type Device,
  gradients,
  matmul,
  permute,
  rayMarch,
  reshape,
  sampleTriplane,
  slice,
  softmax,
  sum,
  type Tensor,
  upsample2d,
} from "../engine/mod.ts";
import { modulatedConv2d } from "../engine/nn/modulated_conv2d.ts";
import type { Job } from "./measure.ts";
import {
  ADAM,
  type ConvProblem,
  depthsOf,
  numbersOf,
  type Problem,
  type RendererProblem,
  type TriplaneProblem,
} from "./problem.ts";

type Inputs = Record<string, Tensor>;

/** The engine's own version of a problem; its job returns the result. */
export function ownJob(device: Device, problem: Problem): Job {
  const numbers = Object.entries(numbersOf(problem));
  const inputs: Inputs = Object.fromEntries(
    numbers.map((
      [name, { data, shape }],
    ) => [name, device.tensor(data, shape)]),
  );
  switch (problem.kind) {
    case "matmul":
      return () => matmul(inputs.a, inputs.b);
    case "conv2d":
      return convolution(problem, inputs);
    case "modulatedConv2d":
      return () => modulatedConv2d(inputs.x, inputs.w, inputs.s);
    case "upsample2d":
      return () => upsample2d(inputs.x);
    case "sum":
      return () => sum(inputs.x, { axes: problem.axes });
    case "softmax":
      return () => softmax(inputs.x);
    case "add":
      return () => add(inputs.x, inputs.y);
    case "biasAct":
      return () => biasAct(inputs.x, inputs.b, { act: "lrelu" });
    case "adam":
      return adam(inputs);
    case "triplane":
      return triplane(problem, inputs);
    case "renderer":
      return renderer(device, problem, inputs);
  }
}

/** Gradient of y by t, y being computed once and for all. */
function gradientJob(y: () => Tensor, t: Tensor, g: Tensor): Job {
  t.track();
  const result = y();
  return () => gradients(result, [t], { seed: g })[0];
}

function convolution(problem: ConvProblem, { x, w, g }: Inputs): Job {
  const { wanted, groups, transposed } = problem;
  const f = () =>
    transposed
      ? convTranspose2d(x, w, { stride: 2 })
      : conv2d(x, w, { padding: (w.shape[2] - 1) / 2, groups });
  return wanted === "output"
    ? f
    : gradientJob(f, wanted === "input" ? x : w, g);
}

function adam({ x, g }: Inputs): Job {
  const optimizer = new Adam([x], ADAM);
  return () => {
    optimizer.step([g]);
    return x;
  };
}

function triplane(
  { wanted }: TriplaneProblem,
  { planes, points, g }: Inputs,
): Job {
  const f = () => sampleTriplane(planes, points, { boxWarp: 2 });
  return wanted === "features" ? f : gradientJob(f, planes, g);
}

function renderer(
  device: Device,
  { inputs: { g: [rays, colours] }, wanted }: RendererProblem,
  { planes, points, g, ...decoder }: Inputs,
): Job {
  const samples = points.shape[1] / rays, depths = depthsOf(samples);
  const t = broadcastTo(device.tensor(depths, [1, samples]), [rays, samples]);
  const { w1, b1, w2, b2 } = decoder;
  const f = () => {
    const flat = permute(planes, [0, 1, 3, 4, 2]);
    const raw = decodeTriplane(flat, points, { w1, b1, w2, b2 }, {
      boxWarp: 2,
    });
    const seen = rayMarch(reshape(raw, [rays, samples, -1]), t);
    return slice(seen, [0, 0], [rays, colours]);
  };
  if (wanted === "colours") return f;
  planes.track();
  return () => gradients(f(), [planes], { seed: g })[0];
}
