/**
 * What a training changes: a generator's parameters, Adam's moments of them,
 * and their running average.
 *
 * @module
 */
import {
  Adam,
  add,
  affine,
  type Device,
  normals,
  type Tensor,
} from "../engine/mod.ts";
import { mapping } from "../pipeline/generator/mapping.ts";
import {
  copyGenerator,
  type Generator,
  loadGenerator,
  releaseGenerator,
  tunable,
} from "../pipeline/generator/state.ts";
import type { GeneratorWeights, WeightTensor } from "../weights/mod.ts";
import { averageDecay } from "./schedule.ts";

/** Parameters that learn at one rate. */
interface Group {
  readonly names: readonly string[];
  readonly rate: number;
  readonly adam: Adam;
}

/**
 * Learning rates of one head a step. The published one of the generator,
 * 0.0025, is meant for 32 pictures a step: with a single head it undoes in
 * minutes what was learned. The mapping network's numbers are stored a hundred
 * times as large as they act, and have more to learn here than against a
 * discriminator.
 */
const RATES: readonly (readonly [belongs: RegExp, rate: number])[] = [
  [/^backbone\.mapping\./, 0.01],
  [/./, 0.0003],
];

/** Decays of Adam's moments: the published 0.99 of squares; means steady the few pictures of a step. */
const BETA1 = 0.9, BETA2 = 0.99;

/** Steps between two updates of the average. */
const AVERAGE_EVERY = 4;

/** Latents over which the mean w is taken. */
const LATENTS = 8192;

/** Parameters that learn: all but buffers and what no input reaches. */
export function learnable(generator: Generator): Map<string, Tensor> {
  const layers = [...generator.state].filter(([name]) =>
    /^backbone\.mapping\.fc\d+\./.test(name) ||
    // with labels of zeros only the embedding's bias is seen, and the first layer has one of its own
    name.startsWith("backbone.mapping.embed.") &&
      generator.config.conditioning === "camera"
  );
  return new Map([...layers, ...tunable(generator)]);
}

/** A generator that learns, and what it has learned on average. */
export class Learner {
  /** Changes in every step. */
  readonly generator: Generator;
  /** The running average of its parameters, which is what is kept in the end. */
  readonly average: Generator;
  /** Parameters that learn, in the order of gradients. */
  readonly parameters: readonly Tensor[];
  /** What it began with; of this, buffers stay as they are. */
  readonly weights: GeneratorWeights;
  readonly #device: Device;
  readonly #groups: readonly Group[];

  /** Loads the weights; they live until the learner is disposed of. */
  constructor(device: Device, weights: GeneratorWeights) {
    this.#device = device;
    this.weights = weights;
    this.generator = device.unscoped(() => loadGenerator(device, weights));
    this.average = device.unscoped(() => copyGenerator(device, this.generator));
    const named = [...learnable(this.generator)];
    const groupOf = (name: string) =>
      RATES.findIndex(([belongs]) => belongs.test(name));
    this.#groups = RATES.map(([, rate], k): Group => {
      const own = named.filter(([name]) => groupOf(name) === k);
      const parameters = own.map(([, tensor]) => tensor.track());
      return {
        names: own.map(([name]) => name),
        rate,
        adam: device.unscoped(() =>
          new Adam(parameters, { beta1: BETA1, beta2: BETA2 })
        ),
      };
    });
    this.parameters = this.#groups.flatMap(({ adam }) => adam.parameters);
  }

  /** Steps taken. */
  get steps(): number {
    return this.#groups[0].adam.steps;
  }

  /**
   * One step of Adam, and now and then the average.
   *
   * @param gradients one for each of the parameters
   * @param factor on the learning rates
   */
  step(gradients: readonly Tensor[], factor: number): void {
    let first = 0;
    for (const { adam, rate } of this.#groups) {
      const next = first + adam.parameters.length;
      adam.step(gradients.slice(first, next), rate * factor);
      first = next;
    }
    if (this.steps % AVERAGE_EVERY === 0) this.#takeAverage();
  }

  #takeAverage(): void {
    const decay = averageDecay(this.steps, AVERAGE_EVERY);
    this.#device.withoutTape(() => {
      for (const { names, adam } of this.#groups) {
        using _scope = this.#device.scope();
        names.forEach((name, k) => {
          const average = this.average.state.get(name)!;
          const now = affine(adam.parameters[k], 1 - decay);
          this.#device.copy(add(affine(average, decay), now), average);
        });
      }
    });
  }

  /**
   * The average as weights of the form that it began with; its `w_avg`, which
   * truncation and inversion start from, is made the mean of w.
   */
  async result(): Promise<GeneratorWeights> {
    const { state } = this.average;
    const mean = state.get("backbone.mapping.w_avg");
    if (mean) {
      const w = await meanLatent(this.#device, this.average);
      this.#device.write(mean, w);
    }
    const names = [...state.keys()];
    const data = await this.#device.read(...state.values());
    const tensors = new Map(this.weights.tensors);
    names.forEach((name, k) => {
      const { shape } = tensors.get(name)!;
      tensors.set(name, { shape, data: data[k] as Float32Array<ArrayBuffer> });
    });
    return { config: this.average.config, tensors };
  }

  /** Starts the average afresh, where parameters have been written to from outside. */
  forgetAverage(): void {
    for (const [name, tensor] of this.generator.state) {
      this.#device.copy(tensor, this.average.state.get(name)!);
    }
  }

  /** Everything that changes, under the names of a checkpoint. */
  entries(): [string, Tensor][] {
    return this.#groups.flatMap(({ names, adam }) =>
      names.flatMap((name, k): [string, Tensor][] => [
        [`parameter/${name}`, adam.parameters[k]],
        [`average/${name}`, this.average.state.get(name)!],
        [`m/${name}`, adam.moments[k].m],
        [`v/${name}`, adam.moments[k].v],
      ])
    );
  }

  /** Goes on from the tensors of a checkpoint. */
  restore(step: number, tensors: ReadonlyMap<string, WeightTensor>): void {
    for (const [name, tensor] of this.entries()) {
      this.#device.write(tensor, tensors.get(name)!.data);
    }
    for (const { adam } of this.#groups) adam.steps = step;
  }

  /** Frees everything. */
  [Symbol.dispose](): void {
    for (const { adam } of this.#groups) adam[Symbol.dispose]();
    releaseGenerator(this.generator);
    releaseGenerator(this.average);
  }
}

/** The mean w of many latents. */
async function meanLatent(
  device: Device,
  generator: Generator,
): Promise<Float32Array> {
  const { z_dim, w_dim } = generator.config;
  using _scope = device.scope();
  const w = await device.withoutTape(() =>
    mapping(
      generator,
      device.tensor(normals(0, 0, LATENTS * z_dim), [LATENTS, z_dim]),
      device.zeros([LATENTS, 25]),
    )
  ).data();
  const mean = new Float64Array(w_dim);
  w.forEach((v, k) => mean[k % w_dim] += v / LATENTS);
  return Float32Array.from(mean);
}
