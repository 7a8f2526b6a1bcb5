/**
 * Random graphs of operators agree with float64 in value and gradient.
 *
 * `FUZZ_SEED=123` runs one graph alone, `FUZZ_GRAPHS=5000` more of them.
 */
import { assert } from "@std/assert";
import {
  add,
  type Device,
  gradients,
  multiply,
  sum,
  type Tensor,
} from "../engine/mod.ts";
import { dot, type Probe } from "../engine/ops/expectation.ts";
import { formula } from "../engine/ops/formula.ts";
import { relativeError, slopeError } from "../engine/ops/measures.ts";
import { type DeviceKind, openPoisoned } from "./support/devices.ts";
import {
  evaluate,
  givens,
  type Graph,
  graphText,
  randomGraph,
  results,
} from "./support/random_graph.ts";

/** Single precision through ten operators, each with sums of up to a thousand numbers. */
const VALUE = 1e-4, GRADIENT = 2e-3;
/** Closer than this to a jump of a derivative, rounding may choose the other side. */
const KINK = 1e-4;
/** Of the weights' sum: what rounding leaves of a gradient that cancels to nothing. */
const NOTHING = 1e-5;
/** Step of the central differences. */
const STEP = 1e-6;

type Weights = ReadonlyMap<number, Float32Array<ArrayBuffer>>;

/** Random weights of the results, which make one number of them. */
function weightsOf(graph: Graph): Weights {
  return new Map(
    results(graph).map((k) => {
      const { shape } = graph.values[k].value;
      return [k, formula(`weights ${graph.seed} ${k}`, shape)];
    }),
  );
}

/** Every value and the gradient of every given one, on the engine. */
async function onEngine(
  device: Device,
  graph: Graph,
  weights: Weights,
): Promise<{ values: Float32Array[]; slopes: Float32Array[] }> {
  using _scope = device.scope();
  const values: Tensor[] = [];
  for (const { value, operation } of graph.values) {
    values.push(
      operation
        ? operation.run(operation.inputs.map((k) => values[k]))
        : device.tensor(value.data, value.shape).track(),
    );
  }
  const losses = [...weights].map(([k, w]) =>
    sum(multiply(values[k], device.tensor(w, values[k].shape)))
  );
  const wanted = givens(graph).map((k) => values[k]);
  const found = gradients(losses.reduce((a, b) => add(a, b)), wanted);
  const data = await device.read(...values, ...found);
  return {
    values: data.slice(0, values.length),
    slopes: data.slice(values.length),
  };
}

/** Derivative of the weighted results along a direction of one given value. */
function probe(graph: Graph, weights: Weights, k: number): Probe {
  const { data, shape } = graph.values[k].value;
  const name = `direction ${graph.seed} ${k}`;
  const direction = Float64Array.from(formula(name, [data.length]));
  const at = (step: number) =>
    evaluate(
      graph,
      new Map([[k, {
        data: data.map((v, i) => v + step * direction[i]),
        shape,
      }]]),
    );
  const above = at(STEP), below = at(-STEP);
  let derivative = 0;
  for (const [place, w] of weights) {
    const rise = above[place].data.map((v, i) => v - below[place].data[i]);
    derivative += dot(rise, w) / (2 * STEP);
  }
  return { input: `n${k}`, direction, derivative };
}

/** What is wrong with the engine's numbers, or null. */
async function disagreement(
  device: Device,
  graph: Graph,
): Promise<string | null> {
  const weights = weightsOf(graph);
  const { values, slopes } = await onEngine(device, graph, weights);
  for (const [k, { value }] of graph.values.entries()) {
    const error = relativeError(values[k], value.data);
    if (!(error <= VALUE)) return `n${k} is off by ${error.toExponential(1)}`;
  }
  if (graph.kink < KINK) return null;
  const nothing = NOTHING * [...weights.values()].flatMap((w) => [...w])
    .reduce((total, v) => total + Math.abs(v), 0);
  for (const [k, place] of givens(graph).entries()) {
    const p = probe(graph, weights, place);
    const error = slopeError(p, slopes[k]);
    const difference = Math.abs(dot(slopes[k], p.direction) - p.derivative);
    if (!(error <= GRADIENT || difference <= nothing)) {
      return `the gradient of n${place} is off by ${error.toExponential(1)}`;
    }
  }
  return null;
}

const GRAPHS = Number(Deno.env.get("FUZZ_GRAPHS") ?? 600);
const KINDS: readonly DeviceKind[] = ["cpu", "gpu", "plain"];

/** Graphs of a kind of device: every third, or the one that was asked for. */
function seedsFor(kind: number): number[] {
  const asked = Deno.env.get("FUZZ_SEED");
  if (asked !== undefined) return [Number(asked)];
  return Array.from({ length: GRAPHS }, (_, seed) => seed)
    .filter((seed) => seed % KINDS.length === kind);
}

for (const [index, kind] of KINDS.entries()) {
  Deno.test(`random graphs of operators agree with float64 in value and gradient on ${kind} kernels`, async () => {
    using device = await openPoisoned(kind);
    let smooth = 0;
    const seeds = seedsFor(index);
    for (const seed of seeds) {
      const graph = randomGraph(seed);
      const wrong = await disagreement(device, graph)
        .catch((error) => (error as Error).message);
      assert(wrong === null, `${wrong}\n${graphText(graph)}`);
      if (graph.kink >= KINK) smooth++;
    }
    assert(smooth > 0.8 * seeds.length, `${smooth} of ${seeds.length}`);
  });
}
