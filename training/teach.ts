/**
 * The first lesson of a training from nothing: the mapping network learns to
 * lay out what latents mean, so that an affine layer can read it off w.
 *
 * @module
 */
import {
  Adam,
  add,
  affine,
  type Device,
  gradients,
  matmul,
  mean,
  multiply,
  normals,
  sqrt,
  square,
  subtract,
  type Tensor,
} from "../engine/mod.ts";
import { mapping } from "../pipeline/generator/mapping.ts";
import type { Generator } from "../pipeline/generator/state.ts";
import { Draw } from "./draw.ts";
import type { HeadStudio } from "./heads/interface.ts";
import { sampleOnSphere } from "./heads/sample.ts";
import { learnable } from "./learner.ts";

/** Latents that are described, and how many a step looks at. */
const LATENTS = 8192, BATCH = 256;
/** Learning rates of the mapping network, whose numbers are stored large, and of the reading layer. */
const RATE = 0.3, READING_RATE = 3e-3;
/** Weight of keeping w at unit spread around zero. */
const SPREAD = 0.1, CENTRE = 0.03;

/** Purposes of random streams. */
const LESSON = 6, READING = 7;

/**
 * Teaches the mapping network of a generator in place.
 *
 * @param onStep called after each step
 * @returns mean squared error of what a linear layer reads off w, 1 being nothing learned
 */
export async function teachMapping(
  device: Device,
  generator: Generator,
  studio: HeadStudio,
  seed: number,
  steps: number,
  onStep: (done: number) => void = () => {},
): Promise<number> {
  using _scope = device.scope();
  const { z_dim, w_dim } = generator.config;
  const z = sampleOnSphere(
    new Draw(seed, LESSON).below(2 ** 31),
    LATENTS,
    z_dim,
  );
  const { width, values } = studio.describe(z);
  const meanings = standardised(values, width);
  const reading = device.tensor(
    normals(seed, READING, width * w_dim).map((v) => 0.3 * v),
    [width, w_dim],
  ).track();
  const offset = device.zeros([width]).track();
  const layers = [...learnable(generator)]
    .filter(([name]) => name.startsWith("backbone.mapping."))
    .map(([, tensor]) => tensor.track());
  using network = new Adam(layers, { beta2: 0.99 });
  using reader = new Adam([reading, offset], { beta2: 0.99 });
  const parameters = [...layers, reading, offset];
  let error = NaN;
  for (let step = 0; step < steps; step++) {
    using _step = device.scope();
    const draw = new Draw(seed, LESSON, step);
    const rows = Array.from({ length: BATCH }, () => draw.below(LATENTS));
    const take = (all: Float32Array, size: number) =>
      device.tensor(
        rows.flatMap((row) => [...all.subarray(row * size, (row + 1) * size)]),
        [BATCH, size],
      );
    const w = mapping(generator, take(z, z_dim), device.zeros([BATCH, 25]));
    const read = add(matmul(w, reading, { transposeB: true }), offset);
    const wrong = mean(square(subtract(read, take(meanings, width))));
    const found = gradients(add(wrong, evenness(w)), parameters);
    const left = 1 - step / steps;
    network.step(found.slice(0, layers.length), RATE * left);
    reader.step(found.slice(layers.length), READING_RATE * left);
    if (step % 20 === 19 || step === steps - 1) {
      error = await wrong.item();
      onStep(step + 1);
    }
  }
  return error;
}

/** How far w is from unit spread around zero. */
function evenness(w: Tensor): Tensor {
  const centre = mean(w, { axes: [0], keep: true });
  const off = subtract(w, centre);
  const spread = sqrt(affine(mean(multiply(off, off), { axes: [0] }), 1, 1e-6));
  return add(
    affine(mean(square(affine(spread, 1, -1))), SPREAD),
    affine(mean(square(centre)), CENTRE),
  );
}

/** Columns with mean 0 and deviation 1. */
function standardised(values: Float32Array, width: number): Float32Array {
  const rows = values.length / width;
  const result = new Float32Array(values.length);
  for (let column = 0; column < width; column++) {
    let sum = 0, squares = 0;
    for (let k = column; k < values.length; k += width) {
      sum += values[k];
      squares += values[k] ** 2;
    }
    const middle = sum / rows;
    const deviation = Math.sqrt(Math.max(0, squares / rows - middle ** 2));
    for (let k = column; k < values.length; k += width) {
      result[k] = (values[k] - middle) / (deviation + 1e-6);
    }
  }
  return result;
}
