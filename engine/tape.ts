/**
 * Reverse-mode differentiation. Operators note their backward rule on the
 * tensor they return; {@linkcode gradients} walks the notes from last to first.
 *
 * @module
 */
import { ShapeError } from "./errors.ts";
import type { TapeNode, Tensor } from "./tensor.ts";
import { add } from "./ops/elementwise.ts";

let clock = 0;

/**
 * Notes how to differentiate `output`, if any input is tracked and the device
 * is recording. Operators and user kernels call it; returns `output`.
 *
 * @param output what the operator computed
 * @param inputs tensors it depends on
 * @param backward gradients of the inputs from the output's gradient; `needs[k]`
 * says whether that of input k is wanted
 */
export function record(
  output: Tensor,
  inputs: readonly Tensor[],
  backward: (gradient: Tensor, needs: boolean[]) => (Tensor | null)[],
): Tensor {
  if (!output.device.recording || !inputs.some((t) => t.tracked)) return output;
  const needs = inputs.map((t) => t.tracked);
  output.tracked = true;
  output.node = {
    order: clock++,
    inputs,
    backward: (gradient) => backward(gradient, needs),
  };
  return output;
}

/** Options of {@linkcode gradients}. */
export interface GradientOptions {
  /** Gradient of the result itself; ones when absent (a loss). Shape of the result. */
  seed?: Tensor;
  /** Note the backward computation too, so that it can be differentiated again. */
  createGraph?: boolean;
}

/**
 * Gradients of `result` with respect to `wanted`, each of the shape of its
 * tensor; zeros where the result does not depend on it.
 *
 * @throws {ShapeError} when there is no seed and the result has several elements
 */
export function gradients(
  result: Tensor,
  wanted: readonly Tensor[],
  options: GradientOptions = {},
): Tensor[] {
  const device = result.device;
  if (!options.seed && result.size !== 1) {
    throw new ShapeError(
      `Differentiating a result of shape [${result.shape}] needs a seed of that shape; only a single number has a default.`,
    );
  }
  const walk = () => {
    using scope = device.scope();
    const seed = options.seed ?? device.full(result.shape, 1);
    return scope.keep(walkBack(result, wanted, seed));
  };
  return options.createGraph ? walk() : device.withoutTape(walk);
}

function walkBack(
  result: Tensor,
  wanted: readonly Tensor[],
  seed: Tensor,
): Tensor[] {
  const device = result.device;
  const pending = new Map<Tensor, Tensor>([[result, seed]]);
  const keep = new Set(wanted);
  for (const t of topological(result)) {
    const gradient = pending.get(t);
    if (!gradient || !t.node) continue;
    if (!keep.has(t)) pending.delete(t);
    using scope = device.scope();
    const node = t.node;
    const parts = node.backward(gradient);
    node.inputs.forEach((input, k) => {
      const part = parts[k];
      if (!part || !input.tracked) return;
      const before = pending.get(input);
      pending.set(input, before ? add(before, part) : part);
    });
    scope.keep([...pending.values()]);
    releaseUnless(pending, gradient, seed);
  }
  return wanted.map((t) => pending.get(t) ?? device.zeros(t.shape));
}

/** Gives an intermediate gradient back as soon as nothing waits for it. */
function releaseUnless(
  pending: Map<Tensor, Tensor>,
  gradient: Tensor,
  seed: Tensor,
): void {
  if (gradient === seed || gradient.device.recording) return;
  for (const t of pending.values()) if (t === gradient) return;
  gradient.release();
}

/** Tensors with a node that `result` depends on, last computed first. */
function topological(result: Tensor): Tensor[] {
  const seen = new Set<Tensor>();
  const stack = [result];
  while (stack.length > 0) {
    const t = stack.pop()!;
    if (!t.node || seen.has(t)) continue;
    seen.add(t);
    stack.push(...t.node.inputs);
  }
  return [...seen].sort((a, b) => order(b.node) - order(a.node));
}

function order(node: TapeNode | null): number {
  return node ? node.order : -1;
}

/**
 * Computes `body` without keeping what its backward pass needs, and computes
 * it again when that pass comes: memory for time.
 *
 * @param body a pure function of `inputs`
 * @param inputs tensors that the result may be differentiated by
 */
export function checkpoint(
  body: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
): Tensor {
  const device = inputs[0].device;
  const compute = () => {
    using scope = device.scope();
    return scope.keep(body(...inputs));
  };
  const output = device.withoutTape(compute);
  return record(output, inputs, (gradient, needs) => {
    using scope = device.scope();
    const fresh = inputs.map((t, k) => {
      const copy = t.detach();
      copy.tracked = needs[k];
      return copy;
    });
    const before = device.recording;
    device.recording = true;
    const again = body(...fresh);
    device.recording = before;
    const wanted = fresh.filter((t) => t.tracked);
    const found = gradients(again, wanted, { seed: gradient });
    scope.keep(found);
    return fresh.map((t) => t.tracked ? found[wanted.indexOf(t)] : null);
  });
}
