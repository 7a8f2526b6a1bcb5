/**
 * Trains a small network to tell two spirals apart: the least that learning takes, without any
 * permission.
 *
 *     deno run examples/train_mlp.ts
 *
 * @module
 */
import {
  Adam,
  biasAct,
  type Device,
  gradients,
  matmul,
  mean,
  multiply,
  normals,
  openDevice,
  softplus,
  subtract,
  type Tensor,
} from "../engine/mod.ts";

/** Points of a plane and which of two classes each is of. */
export interface Samples {
  /** x and y of each point. */
  points: Float32Array;
  /** 0 or 1 for each point. */
  labels: Float32Array;
}

/** How {@linkcode trainMlp} went. */
export interface Training {
  /** Loss of each tenth of the steps. */
  losses: number[];
  /** Share of points that are told right, of ones that the network has not seen. */
  accuracy: number;
}

/** Two spirals around the origin, a little noisy. */
export function spirals(count: number, seed: number): Samples {
  const noise = normals(seed, 0, 2 * count), spread = normals(seed, 1, count);
  const points = new Float32Array(2 * count), labels = new Float32Array(count);
  for (let k = 0; k < count; k++) {
    const label = k % 2, way = Math.abs(Math.sin(spread[k] * 5));
    const angle = 1.5 * Math.PI * way + Math.PI * label;
    points[2 * k] = way * Math.cos(angle) + 0.03 * noise[2 * k];
    points[2 * k + 1] = way * Math.sin(angle) + 0.03 * noise[2 * k + 1];
    labels[k] = label;
  }
  return { points, labels };
}

/** Trains a network of two hidden layers on some samples and tries it on others. */
export async function trainMlp(
  device: Device,
  train: Samples,
  test: Samples,
  steps = 300,
  hidden = 32,
): Promise<Training> {
  using _scope = device.scope();
  const sizes = [2, hidden, hidden, 1];
  const layers = sizes.slice(1).map((outputs, k) => ({
    weight: device.tensor(
      normals(7, k, sizes[k] * outputs).map((v) => v * Math.sqrt(2 / sizes[k])),
      [sizes[k], outputs],
    ).track(),
    bias: device.zeros([outputs]).track(),
  }));
  const network = (x: Tensor) =>
    layers.reduce((y, { weight, bias }, k) =>
      biasAct(matmul(y, weight), bias, {
        act: k < layers.length - 1 ? "relu" : "linear",
      }), x);
  const tensors = ({ points, labels }: Samples) => ({
    x: device.tensor(points, [labels.length, 2]),
    y: device.tensor(labels, [labels.length, 1]),
  });

  const { x, y } = tensors(train);
  const parameters = layers.flatMap(({ weight, bias }) => [weight, bias]);
  using adam = new Adam(parameters, { rate: 0.01 });
  const losses: number[] = [];
  for (let step = 1; step <= steps; step++) {
    using _step = device.scope();
    const loss = crossEntropy(network(x), y);
    adam.step(gradients(loss, parameters));
    // reading back waits for the device: do it rarely
    if (step % Math.ceil(steps / 10) === 0) losses.push(await loss.item());
  }

  const seen = await device.withoutTape(() => network(tensors(test).x)).data();
  const right = test.labels.filter((label, k) => (seen[k] > 0) === (label > 0));
  return { losses, accuracy: right.length / test.labels.length };
}

/** Mean of -y log p - (1 - y) log(1 - p) with p = sigmoid(z): softplus(z) - y z. */
function crossEntropy(z: Tensor, y: Tensor): Tensor {
  return mean(subtract(softplus(z), multiply(y, z)));
}

if (import.meta.main) {
  using device = await openDevice();
  const { losses, accuracy } = await trainMlp(
    device,
    spirals(600, 1),
    spirals(400, 2),
  );
  console.log(`loss ${losses.map((v) => v.toFixed(3)).join(" ")}`);
  console.log(`${(100 * accuracy).toFixed(1)} % of unseen points are right`);
}
