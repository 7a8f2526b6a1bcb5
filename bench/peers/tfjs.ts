/**
 * TensorFlow.js, by its WebGPU backend. Pictures are channels-last and weights
 * (k, k, Ci, Co), as it stores them.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-webgpu";
import { ADAM, numbersOf, type Problem } from "../problem.ts";
import type { Peer, Trial } from "./peer.ts";
import {
  convolution,
  depthwise,
  modulated,
  transposed,
  upsample,
} from "./tfjs_convolutions.ts";
import {
  channelsFirst,
  channelsLast,
  type Named,
  type Plan,
  tensor,
  weight,
} from "./tfjs_layout.ts";
import { renderer, triplane } from "./tfjs_renderer.ts";

/** The part of tfjs' WebGPU backend that waits. */
interface Backend {
  endComputePassEncoder(): void;
  submitQueue(): void;
  ensureCommandEncoderReady(): void;
  readonly queue: GPUQueue;
}

/** Starts TensorFlow.js. */
export async function openTfjs(): Promise<Peer> {
  if (!await tf.setBackend("webgpu")) {
    throw new Error("The WebGPU backend of tfjs does not start.");
  }
  await tf.ready();
  return {
    name: "tfjs",
    version: `@tensorflow/tfjs ${tf.version.tfjs}`,
    prepare,
  };
}

function prepare(problem: Problem): Promise<Trial | null> {
  const found = plan(problem);
  return Promise.resolve(found && trial(found));
}

function trial({ inputs, compute, back }: Plan): Trial {
  const results: tf.Tensor[] = [];
  return {
    run: () => void results.push(tf.tidy(() => compute(inputs))),
    async finish() {
      const backend = tf.backend() as unknown as Backend;
      backend.ensureCommandEncoderReady();
      backend.endComputePassEncoder();
      backend.submitQueue();
      await backend.queue.onSubmittedWorkDone();
      tf.dispose(results.splice(0).filter((t) => !(t instanceof tf.Variable)));
    },
    async read() {
      const y = tf.tidy(() => (back ?? tf.clone)(compute(inputs)));
      const data = await y.data();
      y.dispose();
      return new Float32Array(data);
    },
    dispose: () => tf.dispose(inputs),
  };
}

function plan(problem: Problem): Plan | null {
  const numbers = numbersOf(problem);
  const plain = (): Named =>
    Object.fromEntries(
      Object.entries(numbers).map(([name, n]) => [name, tensor(n)]),
    );
  switch (problem.kind) {
    case "matmul":
      return { inputs: plain(), compute: ({ a, b }) => tf.matMul(a, b) };
    case "conv2d":
      return problem.transposed
        ? transposed(problem, numbers)
        : problem.groups > 1
        ? depthwise(problem, numbers)
        : convolution(problem, numbers);
    case "modulatedConv2d":
      return {
        inputs: {
          x: channelsLast(numbers.x),
          w: weight(numbers.w),
          s: tensor(numbers.s),
        },
        compute: modulated,
        back: channelsFirst,
      };
    case "upsample2d":
      return upsample(numbers.x);
    case "sum":
      return {
        inputs: plain(),
        compute: ({ x }) => tf.sum(x, [...problem.axes!]),
      };
    case "softmax":
      return { inputs: plain(), compute: ({ x }) => tf.softmax(x) };
    case "add":
      return { inputs: plain(), compute: ({ x, y }) => tf.add(x, y) };
    case "biasAct":
      return {
        inputs: { x: channelsLast(numbers.x), b: tensor(numbers.b) },
        compute: ({ x, b }) =>
          tf.mul(tf.leakyRelu(tf.add(x, b), 0.2), Math.SQRT2),
        back: channelsFirst,
      };
    case "adam":
      return adam(plain());
    case "triplane":
      return triplane(problem, numbers);
    case "renderer":
      return renderer(problem, numbers);
  }
}

function adam({ x, g }: Named): Plan {
  const { rate, beta1, beta2, epsilon } = ADAM;
  const optimizer = tf.train.adam(rate, beta1, beta2, epsilon);
  const parameter = tf.variable(x);
  x.dispose();
  return {
    inputs: { g, parameter },
    compute: () => {
      optimizer.applyGradients([{ name: parameter.name, tensor: g }]);
      return parameter;
    },
  };
}
