/**
 * The benchmark's problems as ONNX graphs.
 *
 * @module
 */
import type { Shape } from "../../engine/mod.ts";
import {
  ADAM,
  depthsOf,
  type Numbers,
  type Problem,
  type RendererProblem,
  type TriplaneProblem,
} from "../problem.ts";
import type { OnnxGraph, OnnxNode } from "./onnx_model.ts";

/** A graph whose inputs are some of the problem's, perhaps under another shape. */
export interface Plan {
  /** Inputs by name. */
  readonly inputs: Readonly<Record<string, Numbers>>;
  /** What reads them. */
  readonly graph: Omit<OnnxGraph, "inputs">;
}

const step = (
  op: string,
  inputs: string[],
  output: string,
  attributes?: OnnxNode["attributes"],
): OnnxNode => ({ op, inputs, output, attributes });

/** A graph of one node that reads all inputs. */
function single(
  op: string,
  inputs: Record<string, Numbers>,
  shape: Shape,
  attributes?: OnnxNode["attributes"],
): Plan {
  return {
    inputs,
    graph: {
      nodes: [step(op, Object.keys(inputs), "result", attributes)],
      outputs: { result: shape },
    },
  };
}

/** The graph of a problem; null for gradients. */
export function graphOf(
  problem: Problem,
  n: Record<string, Numbers>,
): Plan | null {
  switch (problem.kind) {
    case "matmul": {
      const { a, b } = problem.inputs;
      return single("MatMul", n, [a[0], b[1]]);
    }
    case "conv2d": {
      if (problem.wanted !== "output") return null;
      const { w, g } = problem.inputs, pad = (w[2] - 1) / 2;
      const inputs = { x: n.x, w: n.w };
      return problem.transposed
        ? single("ConvTranspose", inputs, g, { strides: [2, 2] })
        : single("Conv", inputs, g, {
          pads: [pad, pad, pad, pad],
          group: problem.groups,
        });
    }
    case "modulatedConv2d":
      return modulated(n);
    case "upsample2d":
      return upsample(n);
    case "sum":
      return reduction(n, problem.axes!);
    case "softmax":
      return single("Softmax", n, n.x.shape, { axis: -1 });
    case "add":
      return single("Add", n, n.x.shape);
    case "biasAct":
      return biasAct(n);
    case "adam":
      return adam(n);
    case "triplane":
      return triplane(problem, n);
    case "renderer":
      return renderer(problem, n);
  }
}

function reduction(n: Record<string, Numbers>, axes: readonly number[]): Plan {
  return {
    inputs: n,
    graph: {
      constants: {
        axes: { shape: [axes.length], data: [...axes], type: "int64" },
      },
      nodes: [step("ReduceSum", ["x", "axes"], "y", { keepdims: 1 })],
      outputs: { y: n.x.shape.map((size, k) => axes.includes(k) ? 1 : size) },
    },
  };
}

const scalar = (value: number) => ({ shape: [], data: [value] });

function modulated({ x, w, s }: Record<string, Numbers>): Plan {
  const [, ci, height, width] = x.shape, [co, , k] = w.shape, p = (k - 1) / 2;
  const wide = { data: s.data, shape: [1, ci, 1, 1] };
  return {
    inputs: { x, w, s: wide },
    graph: {
      constants: {
        epsilon: scalar(1e-8),
        axes: { shape: [3], data: [1, 2, 3], type: "int64" },
      },
      nodes: [
        step("Mul", ["x", "s"], "scaled"),
        step("Conv", ["scaled", "w"], "raw", { pads: [p, p, p, p] }),
        step("Mul", ["w", "s"], "modulated"),
        step("Mul", ["modulated", "modulated"], "squares"),
        step("ReduceSum", ["squares", "axes"], "energy", { keepdims: 1 }),
        step("Add", ["energy", "epsilon"], "sum"),
        step("Sqrt", ["sum"], "norm"),
        step("Transpose", ["norm"], "norms", { perm: [1, 0, 2, 3] }),
        step("Div", ["raw", "norms"], "y"),
      ],
      outputs: { y: [1, co, height, width] },
    },
  };
}

function upsample({ x }: Record<string, Numbers>): Plan {
  const [, c, h, w] = x.shape;
  const taps = [1, 3, 3, 1].flatMap((u) => [1, 3, 3, 1].map((v) => u * v / 16));
  const data = new Float32Array(16 * c);
  for (let k = 0; k < c; k++) data.set(taps, 16 * k);
  return single(
    "ConvTranspose",
    { x, f: { data, shape: [c, 1, 4, 4] } },
    [1, c, 2 * h, 2 * w],
    { strides: [2, 2], pads: [1, 1, 1, 1], group: c },
  );
}

function biasAct({ x, b }: Record<string, Numbers>): Plan {
  return {
    inputs: { x, b: { data: b.data, shape: [1, b.shape[0], 1, 1] } },
    graph: {
      constants: { slope: scalar(0.2), gain: scalar(Math.SQRT2) },
      nodes: [
        step("Add", ["x", "b"], "shifted"),
        step("PRelu", ["shifted", "slope"], "bent"),
        step("Mul", ["bent", "gain"], "y"),
      ],
      outputs: { y: x.shape },
    },
  };
}

/** The first step, so with empty moments; node by node, since training operators are not there. */
function adam({ x, g }: Record<string, Numbers>): Plan {
  const zeros: Numbers = {
    data: new Float32Array(x.data.length),
    shape: x.shape,
  };
  const { rate, beta1, beta2, epsilon } = ADAM;
  return {
    inputs: { x, g, m: zeros, v: zeros },
    graph: {
      constants: {
        keep1: scalar(beta1),
        keep2: scalar(beta2),
        take1: scalar(1 - beta1),
        take2: scalar(1 - beta2),
        correction: scalar(1 / (1 - beta2)),
        epsilon: scalar(epsilon),
        rate: scalar(rate / (1 - beta1)),
      },
      nodes: [
        step("Mul", ["m", "keep1"], "m0"),
        step("Mul", ["g", "take1"], "g1"),
        step("Add", ["m0", "g1"], "m1"),
        step("Mul", ["v", "keep2"], "v0"),
        step("Mul", ["g", "g"], "gg"),
        step("Mul", ["gg", "take2"], "g2"),
        step("Add", ["v0", "g2"], "v1"),
        step("Mul", ["v1", "correction"], "variance"),
        step("Sqrt", ["variance"], "deviation"),
        step("Add", ["deviation", "epsilon"], "below"),
        step("Div", ["m1", "below"], "direction"),
        step("Mul", ["direction", "rate"], "change"),
        step("Sub", ["x", "change"], "y"),
      ],
      outputs: { y: x.shape, m1: x.shape, v1: x.shape },
    },
  };
}

/** GridSample of the three planes as a batch of pictures. */
function triplane(
  { wanted }: TriplaneProblem,
  { planes, points }: Record<string, Numbers>,
): Plan | null {
  if (wanted !== "features") return null;
  return {
    inputs: gridInputs(planes, points),
    graph: {
      nodes: [
        ...sampling("mean"),
        step("Transpose", ["mean"], "y", { perm: [1, 2, 0] }),
      ],
      outputs: { y: [1, points.shape[1], planes.shape[2]] },
    },
  };
}

/** `planes` (3, C, H, W) and `grid` (3, 1, N, 2), the points projected onto each plane. */
function gridInputs(planes: Numbers, points: Numbers): Record<string, Numbers> {
  const [, , c, h, w] = planes.shape, [, count] = points.shape;
  const grid = new Float32Array(3 * count * 2);
  [[0, 1], [0, 2], [2, 0]].forEach(([a, b], k) => {
    for (let p = 0; p < count; p++) {
      grid[2 * (k * count + p)] = points.data[3 * p + a];
      grid[2 * (k * count + p) + 1] = points.data[3 * p + b];
    }
  });
  return {
    planes: { data: planes.data, shape: [3, c, h, w] },
    grid: { data: grid, shape: [3, 1, count, 2] },
  };
}

/** (C, 1, N): mean features. */
const sampling = (to: string): OnnxNode[] => [
  step("GridSample", ["planes", "grid"], "each", { mode: "bilinear" }),
  step("ReduceMean", ["each"], to, { axes: [0], keepdims: 0 }),
];

function renderer(
  { wanted, inputs: { g: [rays, colours] } }: RendererProblem,
  { planes, points, w1, b1, w2, b2 }: Record<string, Numbers>,
): Plan | null {
  if (wanted !== "colours") return null;
  const [, , c] = planes.shape, [, count] = points.shape;
  const samples = count / rays, depths = depthsOf(samples);
  const whole = (shape: number[]) => ({
    shape: [shape.length],
    data: shape,
    type: "int64" as const,
  });
  return {
    inputs: { ...gridInputs(planes, points), w1, b1, w2, b2 },
    graph: {
      constants: {
        distances: {
          shape: [samples - 1],
          data: Array.from(depths.subarray(1), (t, k) => t - depths[k]),
        },
        flat: whole([c, count]),
        rays: whole([rays, samples, colours + 1]),
        lines: whole([rays, samples - 1]),
        wide: whole([rays, samples - 1, 1]),
        samples: whole([1]),
        axis: { ...whole([1]), shape: [] },
        channels: whole([2]),
        zero: whole([0]),
        first: whole([1]),
        last: whole([samples - 1]),
        end: whole([samples]),
        all: whole([colours + 1]),
        half: scalar(0.5),
        one: scalar(1),
        two: scalar(2),
        gain: scalar(1.002),
        shift: scalar(0.001),
      },
      nodes: [
        ...sampling("mean"),
        step("Reshape", ["mean", "flat"], "features"),
        step("Transpose", ["features"], "rows", { perm: [1, 0] }),
        step("Transpose", ["w1"], "w1t", { perm: [1, 0] }),
        step("MatMul", ["rows", "w1t"], "p1"),
        step("Add", ["p1", "b1"], "pre"),
        step("Softplus", ["pre"], "units"),
        step("Transpose", ["w2"], "w2t", { perm: [1, 0] }),
        step("MatMul", ["units", "w2t"], "p2"),
        step("Add", ["p2", "b2"], "out"),
        step("Reshape", ["out", "rays"], "raw"),
        step("Slice", ["raw", "zero", "first", "channels"], "density"),
        step("Slice", ["raw", "first", "all", "channels"], "shades"),
        step("Sigmoid", ["shades"], "bright"),
        step("Mul", ["bright", "gain"], "gained"),
        step("Sub", ["gained", "shift"], "colour"),
        ...middle("density"),
        ...middle("colour"),
        step("Reshape", ["density_middle", "lines"], "sigma"),
        step("Sub", ["sigma", "one"], "shifted"),
        step("Softplus", ["shifted"], "soft"),
        step("Mul", ["soft", "distances"], "thickness"),
        step("CumSum", ["thickness", "axis"], "behind", { exclusive: 1 }),
        step("Neg", ["behind"], "minus_behind"),
        step("Exp", ["minus_behind"], "light"),
        step("Neg", ["thickness"], "minus_thickness"),
        step("Exp", ["minus_thickness"], "passes"),
        step("Sub", ["one", "passes"], "stopped"),
        step("Mul", ["stopped", "light"], "weights"),
        step("Reshape", ["weights", "wide"], "wide_weights"),
        step("Mul", ["wide_weights", "colour_middle"], "parts"),
        step("ReduceSum", ["parts", "samples"], "sum", { keepdims: 0 }),
        step("Mul", ["sum", "two"], "double"),
        step("Sub", ["double", "one"], "y"),
      ],
      outputs: { y: [rays, colours] },
    },
  };
}

/** Mean of neighbouring samples. */
const middle = (name: string): OnnxNode[] => [
  step("Slice", [name, "zero", "last", "samples"], `${name}_near`),
  step("Slice", [name, "first", "end", "samples"], `${name}_far`),
  step("Add", [`${name}_near`, `${name}_far`], `${name}_sum`),
  step("Mul", [`${name}_sum`, "half"], `${name}_middle`),
];
