/**
 * Where a training begins: at its own checkpoint, at given weights, at the
 * shipped ones, or at nothing.
 *
 * @module
 */
import { join } from "@std/path";
import { PantomimeError } from "../pipeline/errors.ts";
import {
  type GeneratorWeights,
  loadMannequin,
  readGenerator,
  type WeightTensor,
} from "../weights/mod.ts";
import { readCheckpoint, type TrainingState } from "./checkpoint.ts";
import type { HeadStudio } from "./heads/interface.ts";
import { VARIED_LATENT } from "./heads/latent.ts";
import { freshWeights, grownWeights, variedWeights } from "./initial.ts";
import { courseOf, type TrainOptions } from "./options.ts";
import { FILES } from "./result.ts";

/** Where a training begins. */
export interface Beginning {
  /** Weights of the generator. */
  readonly weights: GeneratorWeights;
  /** What they came from, for the record. */
  readonly from: string;
  /** How far it is. */
  readonly state: TrainingState;
  /** Tensors of a checkpoint; null where there is none. */
  readonly tensors: ReadonlyMap<string, WeightTensor> | null;
}

/** Nothing done yet. */
const START: TrainingState = {
  step: 0,
  seconds: 0,
  leg: { first: 0, cooling: null },
  before: null,
};

/**
 * Finds out where a training begins.
 *
 * @throws {PantomimeError} when the folder holds another training, or none to go on with
 * @throws {WeightsError} when weights cannot be read
 */
export async function beginning(options: TrainOptions): Promise<Beginning> {
  const path = join(options.out, FILES.checkpoint);
  const found = await Deno.stat(path).then(() => true, () => false);
  if (found && !options.resume) {
    throw new PantomimeError(
      `"${options.out}" holds a training already; go on with --resume, or choose another folder.`,
    );
  }
  if (!found && options.resume) {
    throw new PantomimeError(
      `There is no training in "${options.out}" to go on with; leave out --resume to begin one.`,
    );
  }
  if (found) {
    const { weights, state, tensors, from } = await readCheckpoint(
      path,
      courseOf(options),
    );
    const side = weights.config.img_resolution;
    if ((options.resolution ?? side) !== side) {
      throw new PantomimeError(
        `The training in "${options.out}" draws ${side} px, not ${options.resolution}; leave out --resolution, or begin another one with --from.`,
      );
    }
    if (options.variety && !isVaried(weights)) {
      throw new PantomimeError(
        `The training in "${options.out}" began without --variety; leave it out, or begin another one.`,
      );
    }
    return { weights, state, tensors, from };
  }
  const weights = await weightsFrom(
    options.from,
    options.seed,
    options.variety,
  );
  const side = options.resolution ?? weights.config.img_resolution;
  return {
    weights: grownWeights(weights, side, options.seed),
    from: options.from ?? "shipped",
    state: START,
    tensors: null,
  };
}

/**
 * Makes sure that weights and heads mean the same latents.
 *
 * @throws {PantomimeError} when they do not
 */
export function requireSameLatents(
  { config }: GeneratorWeights,
  { latent }: Pick<HeadStudio, "latent">,
): void {
  if (config.z_dim === latent) return;
  throw new PantomimeError(
    `These weights take latents of ${config.z_dim} numbers and the heads have ${latent}; give the bundled mannequin or a generator that ./run train has made.`,
  );
}

/** Whether latents of these weights say all that a studio with variety draws. */
export function isVaried({ config }: GeneratorWeights): boolean {
  return config.z_dim === VARIED_LATENT;
}

/**
 * Weights by their name: a file, `none` for fresh ones, or the shipped ones.
 *
 * @param variety makes their latents say more
 * @throws {WeightsError} when a file cannot be read
 * @throws {PantomimeError} when their latents have another meaning
 */
export async function weightsFrom(
  from: string | undefined,
  seed: number,
  variety = false,
): Promise<GeneratorWeights> {
  const named = from === undefined || from === "shipped" || from === "none";
  const given = named ? await loadMannequin() : await readGenerator(from);
  const weights = variety ? variedWeights(given) : given;
  return from === "none" ? freshWeights(weights, seed) : weights;
}
