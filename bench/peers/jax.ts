/**
 * jax-js, by its WebGPU backend; everything goes through `jit`.
 *
 * @module
 */
import {
  type Array as JaxArray,
  blockUntilReady,
  defaultDevice,
  init,
  jit,
  lax,
  nn,
  numpy as np,
  vjp,
} from "@jax-js/jax";
import type { Shape } from "../../engine/mod.ts";
import {
  ADAM,
  type AdamProblem,
  type ConvProblem,
  depthsOf,
  numbersOf,
  type Problem,
  type RendererProblem,
  type TriplaneProblem,
} from "../problem.ts";
import type { Peer, Trial } from "./peer.ts";

/** A pure function of arrays; jax-js hands each argument over for good. */
type Compute = (...inputs: JaxArray[]) => JaxArray;
/** The same with several results, of which the first is the one to compare. */
type ComputeAll = (...inputs: JaxArray[]) => JaxArray[];

/** Starts jax-js. Its worker pool keeps the process alive until `Deno.exit`. */
export async function openJax(): Promise<Peer> {
  await init("webgpu");
  defaultDevice("webgpu");
  return { name: "jax", version: "@jax-js/jax 0.1.25", prepare };
}

async function prepare(problem: Problem): Promise<Trial | null> {
  const compute = allOf(problem);
  if (!compute) return null;
  const inputs = Object.values(numbersOf(problem)).map(({ data, shape }) =>
    np.array(data).reshape([...shape])
  );
  if (problem.kind === "adam") {
    for (let k = 0; k < 2; k++) inputs.push(np.zeros(inputs[0].shape));
  }
  await blockUntilReady(inputs);
  return trial(jit(compute), inputs);
}

function trial(compute: ComputeAll, inputs: readonly JaxArray[]): Trial {
  // results that are let go before they are waited for are never computed
  const results: JaxArray[][] = [];
  const call = () => compute(...inputs.map((t) => t.ref));
  return {
    run: () => void results.push(call()),
    async finish() {
      await blockUntilReady(results);
      for (const t of results.splice(0).flat()) t.dispose();
    },
    async read() {
      const [first, ...others] = call();
      for (const t of others) t.dispose();
      return new Float32Array(await first.data() as Float32Array);
    },
    dispose: () => inputs.forEach((t) => t.dispose()),
  };
}

function allOf(problem: Problem): ComputeAll | null {
  if (problem.kind === "adam") return adam;
  const compute = computation(problem);
  return compute && ((...inputs) => [compute(...inputs)]);
}

function computation(
  problem: Exclude<Problem, AdamProblem>,
): Compute | null {
  switch (problem.kind) {
    case "matmul":
      return (a, b) => np.matmul(a, b);
    case "conv2d":
      return convolution(problem);
    case "modulatedConv2d":
      return modulated;
    case "upsample2d":
      return upsample(problem.inputs.x);
    case "sum":
      return (x) => np.sum(x, [...problem.axes!]);
    case "softmax":
      return (x) => nn.softmax(x, -1);
    case "add":
      return (x, y) => x.add(y);
    case "biasAct":
      return (x, b) =>
        nn.leakyRelu(x.add(b.reshape([1, -1, 1, 1])), 0.2).mul(Math.SQRT2);
    case "triplane":
      return triplane(problem);
    case "renderer":
      return renderer(problem);
  }
}

/** Gradient by argument `which` of f, whose other arguments are held fixed. */
function gradient(
  f: Compute,
  which: number,
  [g, ...inputs]: JaxArray[],
): JaxArray {
  const [y, pull] = vjp(
    ((t: JaxArray) =>
      f(...inputs.map((s, k) => k === which ? t : s))) as Compute,
    [inputs[which]],
  );
  y.dispose();
  return (pull(g) as unknown as JaxArray[])[0];
}

function convolution(problem: ConvProblem): Compute | null {
  const { wanted, groups, transposed, inputs } = problem;
  const size = inputs.w[2], p = (size - 1) / 2;
  const pads: [number, number][] = [[p, p], [p, p]];
  const direct: Compute = (x, w) =>
    lax.convGeneralDilated(x, w, [1, 1], pads, { featureGroupCount: groups });
  const full: [number, number][] = [[size - 1, size - 1], [size - 1, size - 1]];
  const up: Compute = (x, w) =>
    lax.convGeneralDilated(
      x,
      np.flip(np.swapaxes(w, 0, 1), [2, 3]),
      [1, 1],
      full,
      { lhsDilation: [2, 2] },
    );
  const f = transposed ? up : direct;
  if (wanted === "output") {
    return (x, w, g) => (g.dispose(), f(x, w));
  }
  return (x, w, g) => gradient(f, wanted === "input" ? 0 : 1, [g, x, w]);
}

const modulated: Compute = (x, w, s) => {
  const [, ci] = s.shape, [co] = w.shape, p = (w.shape[2] - 1) / 2;
  const energy = np.sum(np.square(w.ref), [2, 3]);
  const scale = np.reciprocal(
    np.sqrt(np.matmul(np.square(s.ref), energy.transpose()).add(1e-8)),
  );
  const y = lax.convGeneralDilated(
    x.mul(s.reshape([1, ci, 1, 1])),
    w,
    [1, 1],
    [[p, p], [p, p]],
  );
  return y.mul(scale.reshape([1, co, 1, 1]));
};

/**
 * By the filter's two phases along each axis; its convolutions of dilated
 * pictures with 4 x 4 taps give wrong numbers in this version.
 */
function upsample([, channels, height, width]: Shape): Compute {
  const near = 0.75, far = 0.25;
  const along = (x: JaxArray, axis: 0 | 1 | 2, size: number) => {
    const cut = (first: number) =>
      padded.ref.slice(
        ...[0, 1, 2].map((k): [] | [number, number] =>
          k === axis ? [first, first + size] : []
        ),
      );
    const padded = np.pad(
      x,
      [0, 1, 2].map((k): [number, number] => k === axis ? [1, 1] : [0, 0]),
    );
    const even = cut(1).mul(near).add(cut(0).mul(far));
    const odd = cut(1).mul(near).add(cut(2).mul(far));
    padded.dispose();
    return np.stack([even, odd], axis + 1);
  };
  return (x) => {
    const rows = along(x.reshape([channels, height, width]), 1, height)
      .reshape([channels, 2 * height, width]);
    return along(rows, 2, width);
  };
}

/** The changed parameter and its changed moments. */
const adam: ComputeAll = (x, g, m, v) => {
  const { rate, beta1, beta2, epsilon } = ADAM;
  const m1 = m.mul(beta1).add(g.ref.mul(1 - beta1));
  const v1 = v.mul(beta2).add(np.square(g).mul(1 - beta2));
  const step = m1.ref.div(1 - beta1).div(
    np.sqrt(v1.ref.div(1 - beta2)).add(epsilon),
  );
  return [x.sub(step.mul(rate)), m1, v1];
};

/** Four takes of rows for each plane; their gradient, a scatter, jax-js does not have. */
function triplane({ wanted, inputs }: TriplaneProblem): Compute | null {
  if (wanted !== "features") return null;
  return (planes, points, g) => {
    g.dispose();
    return features(planes, points, inputs.planes);
  };
}

function features(planes: JaxArray, points: JaxArray, size: Shape): JaxArray {
  const [, , c, h, w] = size, count = points.shape[1];
  const rows = np.transpose(planes.reshape([3, c, h, w]), [0, 2, 3, 1])
    .reshape([3 * h * w, c]);
  const columns = np.split(points.reshape([count, 3]), 3, 1)
    .map((t) => t.reshape([count]));
  const sums = [[0, 1], [0, 2], [2, 0]].map(([a, b], k) => {
    const u = columns[a].ref.add(1).mul(w / 2).sub(0.5);
    const v = columns[b].ref.add(1).mul(h / 2).sub(0.5);
    const corner = (i: number, j: number) => {
      const at = np.floor(u.ref).add(i), of = np.floor(v.ref).add(j);
      const share = np.subtract(1, np.abs(u.ref.sub(at.ref)))
        .mul(np.subtract(1, np.abs(v.ref.sub(of.ref))));
      const inside = (t: JaxArray, size: number) =>
        np.where(t.ref.greaterEqual(0), 1, 0).mul(np.where(t.less(size), 1, 0));
      const factor = share.mul(inside(at.ref, w)).mul(inside(of.ref, h));
      const row = np.clip(of, 0, h - 1).add(k * h).mul(w);
      const index = row.add(np.clip(at, 0, w - 1)).astype(np.int32);
      return np.take(rows.ref, index, 0).mul(factor.reshape([count, 1]));
    };
    const sum = corner(0, 0).add(corner(1, 0)).add(corner(0, 1))
      .add(corner(1, 1));
    u.dispose();
    v.dispose();
    return sum;
  });
  for (const t of [rows, ...columns]) t.dispose();
  return sums.reduce((a, b) => a.add(b)).mul(1 / 3)
    .reshape([1, count, c]);
}

function renderer({ inputs, wanted }: RendererProblem): Compute | null {
  if (wanted !== "colours") return null;
  const [rays] = inputs.g, samples = inputs.points[1] / rays;
  const depths = depthsOf(samples);
  const distances = depths.subarray(1).map((t, k) => t - depths[k]);
  return (planes, points, w1, b1, w2, b2, g) => {
    g.dispose();
    const seen = features(planes, points, inputs.planes)
      .reshape([rays * samples, -1]);
    const units = nn.softplus(np.matmul(seen, w1.transpose()).add(b1));
    const raw = np.matmul(units, w2.transpose()).add(b2)
      .reshape([rays, samples, -1]);
    return march(raw, np.array(new Float32Array(distances)));
  };
}

/** Mid-point march (EG3D's `ray_marcher.py`) over density and colours (R, S, 1 + C). */
function march(raw: JaxArray, distances: JaxArray): JaxArray {
  const [rays, samples, width] = raw.shape;
  const middle = (t: JaxArray) =>
    t.ref.slice([], [0, samples - 1], []).add(t.slice([], [1, samples], []))
      .mul(0.5);
  const sigma = middle(raw.ref.slice([], [], [0, 1]));
  const colour = middle(
    nn.sigmoid(raw.slice([], [], [1, width])).mul(1.002).sub(0.001),
  );
  const thickness = nn.softplus(sigma.reshape([rays, samples - 1]).sub(1))
    .mul(distances);
  const behind = np.cumsum(thickness.ref, 1).sub(thickness.ref);
  const weights = np.subtract(1, np.exp(thickness.neg()))
    .mul(np.exp(behind.neg()));
  const sum = np.sum(weights.reshape([rays, samples - 1, 1]).mul(colour), 1);
  return sum.mul(2).sub(1);
}
