/**
 * Compares the benchmark's peers with the engine on small problems and prints one line of JSON, the largest errors;
 * a program of its own, because jax-js keeps its process alive.
 *
 * @module
 */
import { openDevice, type Tensor } from "../../engine/mod.ts";
import { relativeError } from "../../engine/ops/conformance.ts";
import { ownJob } from "../../bench/jobs.ts";
import { openPeer, PEERS } from "../../bench/peers/peer.ts";
import type { ConvProblem, Problem } from "../../bench/problem.ts";

function conv(wanted: ConvProblem["wanted"], groups = 1): ConvProblem {
  const inputs = { x: [1, 8, 9, 9], w: [8, 8 / groups, 3, 3], g: [1, 8, 9, 9] };
  return { kind: "conv2d", inputs, wanted, groups, transposed: false };
}

const planes = { planes: [1, 3, 8, 16, 16], points: [1, 60, 3] };
const layers = { w1: [16, 8], b1: [16], w2: [9, 16], b2: [9] };
const problems: Problem[] = [
  { kind: "matmul", inputs: { a: [9, 17], b: [17, 10] } },
  conv("output"),
  conv("input"),
  conv("weight"),
  conv("output", 8),
  {
    ...conv("output"),
    inputs: { x: [1, 8, 9, 9], w: [8, 4, 3, 3], g: [1, 4, 19, 19] },
    transposed: true,
  },
  {
    kind: "modulatedConv2d",
    inputs: { x: [1, 8, 9, 9], w: [6, 8, 3, 3], s: [1, 8] },
  },
  { kind: "upsample2d", inputs: { x: [1, 3, 5, 6] } },
  { kind: "sum", inputs: { x: [30, 40] }, axes: [0] },
  { kind: "softmax", inputs: { x: [30, 40] } },
  { kind: "add", inputs: { x: [30, 40], y: [30, 40] } },
  { kind: "biasAct", inputs: { x: [1, 3, 5, 6], b: [3] } },
  { kind: "adam", inputs: { x: [30, 40], g: [30, 40] } },
  {
    kind: "triplane",
    inputs: { ...planes, g: [1, 60, 8] },
    wanted: "features",
  },
  {
    kind: "renderer",
    inputs: { ...planes, ...layers, g: [10, 8] },
    wanted: "colours",
  },
];

const device = await openDevice();
const errors: Record<string, Record<string, number | null>> = {};
for (const name of PEERS) {
  const peer = await openPeer(name), found: Record<string, number | null> = {};
  for (const problem of problems) {
    using _scope = device.scope();
    const label = "wanted" in problem
      ? `${problem.kind} ${problem.wanted}`
      : problem.kind;
    const wanted = await (ownJob(device, problem)() as Tensor).data();
    const trial = await peer.prepare(problem);
    const error = trial && relativeError(await trial.read(), wanted);
    trial?.dispose();
    found[label] = Math.max(found[label] ?? 0, error ?? 0);
  }
  errors[name] = found;
}
console.log(JSON.stringify(errors));
Deno.exit(0);
