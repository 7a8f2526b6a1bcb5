/**
 * EG3D generators of golden files whose weights are not stored: names and shapes from sizes, ranges from a rule in
 * words, numbers from the formula.
 *
 * @module
 */
import { formula } from "../../engine/ops/formula.ts";
import {
  eg3dConfig,
  type GeneratorWeights,
  type WeightTensor,
} from "../../weights/mod.ts";

/** Shapes of parameters by state name. */
export type Shapes = Record<string, readonly number[]>;

/** The `config` of a golden file. */
export interface GoldenConfig {
  z_dim: number;
  w_dim: number;
  c_dim?: number;
  channel_base?: number;
  channel_max?: number;
  neural_rendering_resolution: number;
  rendering_kwargs: Record<string, unknown>;
}

/** Sides of the backbone's blocks, as EG3D always has them. */
const RESOLUTIONS = [4, 8, 16, 32, 64, 128, 256];
const PLANES = 96, FEATURES = 32, HIDDEN = 64;

/** Channels of the superresolution blocks by the module's class. */
const SUPERRESOLUTION: Readonly<
  Record<string, { sides: readonly number[]; channels: readonly number[] }>
> = {
  SuperresolutionHybrid2X: { sides: [64, 128], channels: [128, 64] },
  SuperresolutionHybrid4X: { sides: [128, 256], channels: [128, 64] },
  SuperresolutionHybrid8X: { sides: [256, 512], channels: [128, 64] },
  SuperresolutionHybrid8XDC: { sides: [256, 512], channels: [256, 128] },
};

/** Every parameter of a published generator of these sizes. */
export function eg3dShapes(config: GoldenConfig): Shapes {
  const { z_dim, w_dim, c_dim = 25 } = config;
  const { channel_base = 32768, channel_max = 512 } = config;
  const shapes: Shapes = {
    "backbone.mapping.w_avg": [w_dim],
    "backbone.mapping.embed.weight": [w_dim, c_dim],
    "backbone.mapping.embed.bias": [w_dim],
    "backbone.mapping.fc0.weight": [w_dim, z_dim + w_dim],
    "backbone.mapping.fc0.bias": [w_dim],
    "backbone.mapping.fc1.weight": [w_dim, w_dim],
    "backbone.mapping.fc1.bias": [w_dim],
    "decoder.net.0.weight": [HIDDEN, FEATURES],
    "decoder.net.0.bias": [HIDDEN],
    "decoder.net.2.weight": [1 + FEATURES, HIDDEN],
    "decoder.net.2.bias": [1 + FEATURES],
  };
  let before = 0;
  for (const side of RESOLUTIONS) {
    const channels = Math.min(Math.floor(channel_base / side), channel_max);
    const name = `backbone.synthesis.b${side}`;
    addBlock(shapes, name, [before, channels, PLANES], side, w_dim);
    before = channels;
  }
  const module = String(config.rendering_kwargs.superresolution_module);
  const { sides, channels } = SUPERRESOLUTION[module.split(".").at(-1)!];
  before = FEATURES;
  sides.forEach((side, k) => {
    const name = `superresolution.block${k}`;
    addBlock(shapes, name, [before, channels[k], 3], side, 512);
    before = channels[k];
  });
  return shapes;
}

function addBlock(
  shapes: Shapes,
  name: string,
  [from, to, pictures]: number[],
  side: number,
  w_dim: number,
): void {
  const affine = (layer: string, inputs: number) => {
    shapes[`${layer}.affine.weight`] = [inputs, w_dim];
    shapes[`${layer}.affine.bias`] = [inputs];
  };
  const conv = (layer: string, inputs: number) => {
    shapes[`${layer}.weight`] = [to, inputs, 3, 3];
    shapes[`${layer}.bias`] = [to];
    shapes[`${layer}.noise_strength`] = [];
    shapes[`${layer}.noise_const`] = [side, side];
    affine(layer, inputs);
  };
  if (from === 0) shapes[`${name}.const`] = [to, side, side];
  else conv(`${name}.conv0`, from);
  conv(`${name}.conv1`, to);
  shapes[`${name}.torgb.weight`] = [pictures, to, 1, 1];
  shapes[`${name}.torgb.bias`] = [pictures];
  affine(`${name}.torgb`, to);
}

interface Clause {
  matches: RegExp;
  scale: number;
  shift: number;
}

/**
 * The clauses of a rule such as
 * `state name -> scale, shift: affine.bias .3,1; mapping.fc*.weight 173.2; other weight and const 1.732; ...`.
 */
function clausesOf(rule: string): Clause[] {
  const [body] = rule.split(/\.\s+formula key/);
  return body.slice(body.indexOf(":") + 1).split(";").flatMap((text) => {
    const found = /^\s*(.+?)\s+([-\d.]+)(?:\s*,\s*([-\d.]+))?\s*$/.exec(text);
    if (!found) return [];
    const [, pattern, scale, shift = "0"] = found;
    const matches = pattern === "other weight and const"
      ? /\.(weight|const)$/
      : endingWith(pattern);
    return [{ matches, scale: Number(scale), shift: Number(shift) }];
  });
}

function endingWith(pattern: string): RegExp {
  const text = pattern.replace(/^\*/, "")
    .replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^.]*");
  return new RegExp(`${text}$`);
}

/** Parameters by the rule; those that it does not mention are left out. */
export function eg3dWeightsByRule(
  rule: string,
  shapes: Shapes,
  key: string,
): Map<string, WeightTensor> {
  const clauses = clausesOf(rule);
  const tensors = new Map<string, WeightTensor>();
  for (const [name, shape] of Object.entries(shapes)) {
    if (name.endsWith("resample_filter")) continue;
    const clause = clauses.find(({ matches }) => matches.test(name));
    if (!clause) throw new Error(`The rule "${rule}" does not cover ${name}.`);
    const { scale, shift } = clause;
    const data = formula(key + name, shape, scale, shift);
    tensors.set(name, { shape, data });
  }
  return tensors;
}

/** The generator that a golden file describes. */
export function eg3dByRule(
  metadata: Readonly<Record<string, string>>,
  source: string,
): GeneratorWeights {
  const config: GoldenConfig = JSON.parse(metadata.config);
  const shapes: Shapes = metadata.keys
    ? JSON.parse(metadata.keys)
    : eg3dShapes(config);
  const key = (metadata.prefix ?? "") + metadata.seed;
  return {
    config: eg3dConfig({
      source,
      shapes: new Map(Object.entries(shapes)),
      renderingKwargs: config.rendering_kwargs,
      neuralRenderingResolution: config.neural_rendering_resolution,
    }),
    tensors: eg3dWeightsByRule(metadata.rule, shapes, key),
  };
}
