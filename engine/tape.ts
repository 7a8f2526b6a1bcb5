/**
 * Reverse-mode differentiation. Operators note their backward rule on the
 * tensor they return; {@linkcode gradients} walks the notes from last to first.
 *
 * @module
 */
import type { Device } from "./device.ts";
import { EngineError, ReleasedError, ShapeError } from "./errors.ts";
import { sameShape } from "./shape.ts";
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

/**
 * Marks a gradient that a fused kernel computed and that has no derivative of
 * its own, so that a second derivative is refused and not silently zero.
 *
 * @param gradient what the backward kernel computed
 * @param inputs tensors that it depends on
 * @param operator name for the message
 */
export function firstDerivative(
  gradient: Tensor,
  inputs: readonly Tensor[],
  operator: string,
): Tensor {
  return record(gradient, inputs, () => {
    throw new EngineError(
      `The second derivative of ${operator} is not available: write it in terms of simpler operators, or differentiate once.`,
    );
  });
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
 * @throws {ShapeError} when there is no seed and the result has several elements,
 * or the seed has another shape
 * @throws {ReleasedError} when a tensor between them was released
 */
export function gradients(
  result: Tensor,
  wanted: readonly Tensor[],
  options: GradientOptions = {},
): Tensor[] {
  const device = result.device;
  if (options.seed && !sameShape(options.seed.shape, result.shape)) {
    throw new ShapeError(
      `A seed of shape [${options.seed.shape}] does not fit a result of shape [${result.shape}].`,
    );
  }
  if (!options.seed && result.size !== 1) {
    throw new ShapeError(
      `Differentiating a result of shape [${result.shape}] needs a seed of that shape; only a single number has a default.`,
    );
  }
  const walk = () =>
    walkBack(
      result,
      wanted,
      options.seed ?? device.full(result.shape, 1, result.dtype),
    );
  // a graph of gradients lives on what the walk computes on its way
  if (options.createGraph) return walk();
  return device.withoutTape(() => {
    using scope = device.scope();
    return scope.keep(walk());
  });
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
    if (device.recording) {
      passOn(pending, t.node, gradient);
      continue;
    }
    using scope = device.scope();
    passOn(pending, t.node, gradient);
    scope.keep([...pending.values()]);
    releaseUnless(pending, gradient, seed);
  }
  return wanted.map((t) => pending.get(t) ?? device.zeros(t.shape, t.dtype));
}

/** Adds what a node's inputs receive from the gradient of its result. */
function passOn(
  pending: Map<Tensor, Tensor>,
  node: TapeNode,
  gradient: Tensor,
): void {
  const parts = node.backward(gradient);
  node.inputs.forEach((input, k) => {
    const part = parts[k];
    if (!part || !input.tracked) return;
    const before = pending.get(input);
    pending.set(input, before ? add(before, part) : part);
  });
}

/** Gives an intermediate gradient back as soon as nothing waits for it. */
function releaseUnless(
  pending: Map<Tensor, Tensor>,
  gradient: Tensor,
  seed: Tensor,
): void {
  if (gradient === seed) return;
  for (const t of pending.values()) if (t === gradient) return;
  gradient.release();
}

/** Tensors with a node that `result` depends on, last computed first. */
function topological(result: Tensor): Tensor[] {
  const seen = new Set<Tensor>();
  const stack = [result];
  while (stack.length > 0) {
    const t = stack.pop()!;
    if (t.tracked && t.released) throw releasedTooEarly(t);
    if (!t.node || seen.has(t)) continue;
    seen.add(t);
    stack.push(...t.node.inputs);
  }
  return [...seen].sort((a, b) => order(b.node) - order(a.node));
}

/** Without this the gradient would be zero, and nobody would know why. */
function releasedTooEarly(t: Tensor): ReleasedError {
  return new ReleasedError(
    `A tensor of shape [${t.shape}] was released before the gradient through it was taken: take gradients in the scope that computes the result.`,
  );
}

function order(node: TapeNode | null): number {
  return node ? node.order : -1;
}

/**
 * Computes `body` without keeping what its backward pass needs, and computes
 * it again when that pass comes: memory for time. It can be differentiated
 * once; a second derivative is refused.
 *
 * @param body a pure function of `inputs`
 * @param inputs tensors that the result may be differentiated by
 * @throws {ShapeError} when there are none
 */
export function checkpoint(
  body: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
): Tensor {
  if (inputs.length === 0) {
    throw new ShapeError("A checkpoint takes the tensors that it depends on.");
  }
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
    const again = recorded(device, () => body(...fresh));
    const wanted = fresh.filter((t) => t.tracked);
    // of views, since a gradient that the body only hands on is the seed itself
    const found = gradients(again, wanted, { seed: gradient }).map((t) =>
      firstDerivative(t.detach(), [...inputs, gradient], "checkpoint")
    );
    scope.keep(found);
    return fresh.map((t) => t.tracked ? found[wanted.indexOf(t)] : null);
  });
}

/** Runs `body` noting how to differentiate its results, whatever is noted outside. */
function recorded<T>(device: Device, body: () => T): T {
  const before = device.recording;
  device.recording = true;
  try {
    return body();
  } finally {
    device.recording = before;
  }
}
