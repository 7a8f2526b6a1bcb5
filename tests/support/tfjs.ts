/**
 * @file TensorFlow.js as a second opinion, for tests only: it runs the original model files, and it can run our
 * neutral graphs, which separates mistakes of the readers from mistakes of the kernels.
 */
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { createRequire } from "node:module";
import {
  type Activation,
  findNpmPackage,
  type Graph,
  type GraphNode,
  type WeightTensor,
} from "../../weights/mod.ts";

export { tf };

/** A picture or vector in TensorFlow's layout. */
export interface NhwcTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

let ready: Promise<void> | undefined;

/** Starts the WebAssembly backend, once. */
export function startTfjs(): Promise<void> {
  ready ??= (async () => {
    const entry = createRequire(import.meta.url).resolve(
      "@tensorflow/tfjs-backend-wasm",
    );
    setWasmPaths(entry.slice(0, entry.lastIndexOf("/dist/") + 6));
    if (!await tf.setBackend("wasm")) {
      throw new Error("the wasm backend of tfjs does not start");
    }
  })();
  return ready;
}

/** One of the human library's models, loaded by tfjs itself. */
export async function loadOriginal(name: string): Promise<tf.GraphModel> {
  await startTfjs();
  const folder = `${findNpmPackage("@vladmandic/human").folder}/models/`;
  const json = JSON.parse(await Deno.readTextFile(`${folder}${name}.json`));
  const weights = await Deno.readFile(`${folder}${name}.bin`);
  return await tf.loadGraphModel(tf.io.fromMemory(artifacts(json, weights)));
}

/** The pieces of a model file as tfjs wants them in memory. */
export function artifacts(
  // deno-lint-ignore no-explicit-any
  json: any,
  weights: Uint8Array,
): tf.io.ModelArtifacts {
  return {
    modelTopology: json.modelTopology,
    format: json.format,
    signature: json.signature ?? json.userDefinedMetadata?.signature,
    // deno-lint-ignore no-explicit-any
    weightSpecs: json.weightsManifest.flatMap((group: any) => group.weights),
    weightData: weights.slice().buffer,
  };
}

/** Outputs of an original model by node name. */
export async function runOriginal(
  model: tf.GraphModel,
  input: NhwcTensor,
  outputs = model.outputs.map(({ name }) => name),
): Promise<Map<string, Float32Array>> {
  const x = tf.tensor(input.data, [...input.shape]);
  const results = [model.execute(x, [...outputs])].flat() as tf.Tensor[];
  const values = await Promise.all(results.map((result) => result.data()));
  tf.dispose([x, ...results]);
  return new Map(outputs.map((name, k) => [name, values[k] as Float32Array]));
}

/** Values of a neutral graph's outputs by public name, computed with tfjs. */
export async function runGraphOnTfjs(
  graph: Graph,
  input: NhwcTensor,
): Promise<Map<string, Float32Array>> {
  await startTfjs();
  const results = tf.tidy(
    () => [...evaluate(graph, tf.tensor(input.data, [...input.shape]))],
  );
  const entries = await Promise.all(results.map(async ([name, tensor]) => {
    return [name, await tensor.data() as Float32Array] as const;
  }));
  tf.dispose(results.map(([, tensor]) => tensor));
  return new Map(entries);
}

/** Gradient by the input of the sum of one output times `seed`, computed by tfjs in plain JavaScript. */
export async function gradientOnTfjs(
  graph: Graph,
  output: string,
  input: NhwcTensor,
  seed: Float32Array,
): Promise<Float32Array> {
  await startTfjs();
  // The WebAssembly backend cannot differentiate convolutions.
  await tf.setBackend("cpu");
  const gradient = tf.grad((x: tf.Tensor) => {
    const y = evaluate(graph, x).get(output)!;
    return tf.sum(tf.mul(y, tf.tensor(seed, y.shape)));
  })(tf.tensor(input.data, [...input.shape]));
  const data = await gradient.data() as Float32Array;
  gradient.dispose();
  await tf.setBackend("wasm");
  return data;
}

function evaluate(graph: Graph, x: tf.Tensor): Map<string, tf.Tensor> {
  const values = new Map<string, tf.Tensor>();
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => values.get(name)!);
    values.set(
      node.name,
      node.operation.kind === "input" ? x : compute(node, inputs),
    );
  }
  return new Map(
    [...graph.outputs].map(([name, node]) => [name, values.get(node)!]),
  );
}

function compute(
  { operation, name }: GraphNode,
  [x, y, ...more]: tf.Tensor[],
): tf.Tensor {
  const image = x as tf.Tensor4D;
  switch (operation.kind) {
    case "constant":
      return toTf(operation.value);
    case "conv2d": {
      const filter = toTf(operation.filter) as tf.Tensor4D;
      const strides = [...operation.strides] as [number, number];
      const padding = typeof operation.padding === "string"
        ? operation.padding
        : [
          [0, 0],
          [operation.padding[0], operation.padding[1]],
          [operation.padding[2], operation.padding[3]],
          [0, 0],
        ] as [
          [number, number],
          [number, number],
          [number, number],
          [number, number],
        ];
      const dilations = [...operation.dilations] as [number, number];
      let z: tf.Tensor = operation.depthwise
        ? tf.depthwiseConv2d(image, filter, strides, padding, "NHWC", dilations)
        : tf.conv2d(image, filter, strides, padding, "NHWC", dilations);
      if (operation.bias) z = tf.add(z, toTf(operation.bias));
      return activate(z, operation.activation);
    }
    case "dense": {
      let z: tf.Tensor = tf.matMul(x, toTf(operation.weight));
      if (operation.bias) z = tf.add(z, toTf(operation.bias));
      return activate(z, operation.activation);
    }
    case "pool": {
      const { size, strides, padding } = operation;
      const reduce = operation.reduce === "max" ? tf.maxPool : tf.avgPool;
      return reduce(
        image,
        [...size] as [number, number],
        [...strides] as [number, number],
        padding as "same",
      );
    }
    case "affine":
      return tf.add(tf.mul(x, toTf(operation.scale)), toTf(operation.shift));
    case "activation":
      return activate(x, operation.activation);
    case "binary":
      return {
        add: tf.add<tf.Tensor>,
        sub: tf.sub<tf.Tensor>,
        mul: tf.mul<tf.Tensor>,
        div: tf.div<tf.Tensor>,
        min: tf.minimum<tf.Tensor>,
        max: tf.maximum<tf.Tensor>,
      }[operation.operator](x, y);
    case "softmax":
      return tf.softmax(x);
    case "pad":
      return tf.pad(
        x,
        operation.amounts.map(([a, b]) => [a, b] as [number, number]),
        operation.value,
      );
    case "reshape":
      return tf.reshape(
        x,
        operation.shape.map((size, k) => size === 0 ? x.shape[k] : size),
      );
    case "squeeze":
      return tf.squeeze(x, [...operation.axes]);
    case "concat":
      return tf.concat([x, y, ...more], operation.axis);
    case "mean":
      return tf.mean(x, [...operation.axes], operation.keepDims);
    default:
      throw new Error(`${name}: ${operation.kind}`);
  }
}

function activate(x: tf.Tensor, activation?: Activation): tf.Tensor {
  switch (activation?.kind) {
    case undefined:
      return x;
    case "clamp":
      return tf.clipByValue(x, activation.min, activation.max);
    case "prelu":
      return tf.prelu(x, toTf(activation.slope));
    case "leakyRelu":
      return tf.leakyRelu(x, activation.alpha);
    default:
      return tf[activation!.kind](x);
  }
}

function toTf({ shape, data }: WeightTensor): tf.Tensor {
  return tf.tensor(data, [...shape]);
}

/** Largest |a - b| as a fraction of the largest |b|. */
export function relativeError(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
): number {
  if (a.length !== b.length) {
    throw new Error(`${a.length} values against ${b.length}`);
  }
  let worst = 0;
  let largest = 0;
  for (let k = 0; k < b.length; k++) {
    const error = Math.abs(a[k] - b[k]);
    if (!(error <= worst)) worst = error;
    largest = Math.max(largest, Math.abs(b[k]));
  }
  return worst / Math.max(largest, 1e-12);
}

/** Smooth numbers in [low, high] that repeat from run to run. */
export function testPattern(
  shape: readonly number[],
  low: number,
  high: number,
): NhwcTensor {
  const data = new Float32Array(
    shape.reduce((product, size) => product * size, 1),
  );
  for (let k = 0; k < data.length; k++) {
    data[k] = low +
      (high - low) * (0.5 + 0.5 * Math.sin(k * 0.37 + (k % 977) * 0.11));
  }
  return { shape, data };
}
