/**
 * Weights before they have learned anything: all of them, those of a block of
 * superresolution that doubles the picture, or those of latents that say more.
 *
 * @module
 */
import { normals } from "../engine/mod.ts";
import { PantomimeError } from "../pipeline/errors.ts";
import type { GeneratorWeights, WeightTensor } from "../weights/mod.ts";
import { LATENT, VARIED_LATENT } from "./heads/latent.ts";

/** Share of the published spread with which a grown block's colours begin: next to nothing. */
const FAINT = 0.05;
/** Share of the published spread with which styles begin, so that heads begin alike. */
const STYLES = 0.25;

/**
 * Fresh weights of the same form as others: equalised layers of unit spread,
 * styles around 1 (Karras et al. 2020).
 */
export function freshWeights(
  { config, tensors }: GeneratorWeights,
  seed: number,
): GeneratorWeights {
  const lrMul = config.mapping_lr_mul;
  const fresh = [...tensors].map(
    ([name, tensor], k): [string, WeightTensor] => {
      const drawn = () => normals(seed, k, tensor.data.length);
      const { shape } = tensor;
      const data = name.endsWith("resample_filter")
        ? tensor.data
        : name.endsWith("affine.bias")
        ? tensor.data.map(() => 1)
        : /\.(bias|noise_strength|w_avg)$/.test(name)
        ? tensor.data.map(() => 0)
        : /mapping\.fc\d+\.weight$/.test(name)
        ? drawn().map((v) => v / lrMul)
        : name.endsWith("affine.weight")
        ? drawn().map((v) => v * STYLES)
        : drawn();
      return [name, { shape, data: data as Float32Array<ArrayBuffer> }];
    },
  );
  return { config, tensors: new Map(fresh) };
}

/**
 * The generator with another block of superresolution for each doubling of its
 * picture; it begins by drawing the enlarged picture of before.
 *
 * @param side pixels of the new picture's side
 * @throws {PantomimeError} when that is not the old one doubled some times
 */
export function grownWeights(
  weights: GeneratorWeights,
  side: number,
  seed: number,
): GeneratorWeights {
  const { config } = weights;
  const doublings = Math.log2(side / config.img_resolution);
  if (doublings < 0 || !Number.isInteger(doublings)) {
    throw new PantomimeError(
      `A generator of ${config.img_resolution} px cannot be taught ${side} px; give ${config.img_resolution}, or twice as much.`,
    );
  }
  let grown = weights;
  for (let k = 0; k < doublings; k++) grown = doubled(grown, seed);
  return grown;
}

/**
 * The generator for latents that say more. What they add is nothing to it at
 * first: its mapping network reads it with weights of zero.
 *
 * @throws {PantomimeError} when its latents are not the mannequin's
 */
export function variedWeights(weights: GeneratorWeights): GeneratorWeights {
  const { config, tensors } = weights;
  if (config.z_dim === VARIED_LATENT) return weights;
  if (config.z_dim !== LATENT || config.semantics !== "mannequin") {
    throw new PantomimeError(
      `Variety is for generators with the mannequin's latents of ${LATENT} numbers, not for ${config.z_dim}; leave out --variety, or begin with the bundled mannequin.`,
    );
  }
  const name = "backbone.mapping.fc0.weight", more = VARIED_LATENT - LATENT;
  const { shape: [rows, columns], data } = tensors.get(name)!;
  const wide = new Float32Array(rows * (columns + more));
  // a layer divides by the root of how much it reads
  const scale = Math.sqrt((columns + more) / columns);
  for (let row = 0; row < rows; row++) {
    const old = data.subarray(row * columns, (row + 1) * columns)
      .map((v) => scale * v);
    const to = row * (columns + more);
    wide.set(old.subarray(0, LATENT), to);
    wide.set(old.subarray(LATENT), to + VARIED_LATENT);
  }
  return {
    config: { ...config, z_dim: VARIED_LATENT },
    tensors: new Map(tensors)
      .set(name, { shape: [rows, columns + more], data: wide }),
  };
}

function doubled(
  { config, tensors }: GeneratorWeights,
  seed: number,
): GeneratorWeights {
  const { blocks } = config.superresolution, before = blocks.at(-1)!;
  const resolution = 2 * before.resolution;
  const channels = Math.max(16, before.channels / 2);
  const grown = new Map(tensors);
  const last = `superresolution.block${blocks.length - 1}`;
  const added = `superresolution.block${blocks.length}`;
  const inputs: Readonly<Record<string, number>> = {
    conv0: before.channels,
    conv1: channels,
    torgb: channels,
  };
  let stream = 0;
  for (const [name, { shape, data }] of tensors) {
    if (!name.startsWith(`${last}.`)) continue;
    const own = name.slice(last.length + 1);
    const layer = own.split(".")[0];
    const outputs = layer === "torgb" ? 3 : channels;
    const shapes: Readonly<Record<string, readonly number[]>> = {
      [`${layer}.weight`]: [outputs, inputs[layer], ...shape.slice(2)],
      [`${layer}.bias`]: [outputs],
      [`${layer}.affine.weight`]: [inputs[layer], config.w_dim],
      [`${layer}.affine.bias`]: [inputs[layer]],
      [`${layer}.noise_const`]: [resolution, resolution],
    };
    const size = shapes[own] ?? shape;
    const count = size.reduce((a, b) => a * b, 1);
    const spread = own === "torgb.weight" ? FAINT : 1;
    const value = own.endsWith("affine.bias") ? 1 : 0;
    const filled = own.endsWith("resample_filter")
      ? data
      : /(weight|noise_const)$/.test(own)
      ? normals(seed, stream++, count).map((v) => v * spread)
      : new Float32Array(count).fill(value);
    grown.set(`${added}.${own}`, {
      shape: size,
      data: filled as Float32Array<ArrayBuffer>,
    });
  }
  return {
    config: {
      ...config,
      img_resolution: resolution,
      superresolution: {
        ...config.superresolution,
        blocks: [...blocks, { resolution, up: 2, channels }],
      },
    },
    tensors: grown,
  };
}
