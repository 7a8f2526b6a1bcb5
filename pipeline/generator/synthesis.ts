/**
 * The StyleGAN2 synthesis blocks, shared by the tri-plane backbone and the
 * superresolution module (method, sections 10.5 and 10.6).
 *
 * @module
 */
import {
  add,
  cast,
  multiply,
  Random,
  reshape,
  slice,
  type Tensor,
} from "../../engine/mod.ts";
import { fullyConnected } from "../../engine/nn/fully_connected.ts";
import {
  modulatedConv2d,
  upsample2d,
} from "../../engine/nn/modulated_conv2d.ts";
import { fullyConnectedWeights, type Generator, parameter } from "./state.ts";

/** Where the noise of each layer comes from: stored with the weights, drawn anew, or none. */
export type NoiseMode = "const" | "random" | "none";

/** How blocks are run. */
export interface SynthesisOptions {
  /** `const` when absent. */
  noise?: NoiseMode;
  /** Draws the noise of `random`; a fixed seed when absent. */
  random?: Random;
  /** Limit of activations, as published for f16 layers; none when absent. */
  clamp?: number | null;
  /** So many of the highest resolutions store activations as f16 (EG3D's `num_fp16_res`); 0 when absent. */
  halves?: number;
}

/**
 * The vector of one layer.
 *
 * @param ws (B, w_dim), one vector for all layers (W), or (B, num_ws, w_dim) (W+)
 * @param k number of the layer's slot
 */
export function slot(ws: Tensor, k: number): Tensor {
  if (ws.shape.length === 2) return ws;
  const [batch, count, width] = ws.shape;
  const at = Math.min(k, count - 1);
  return reshape(slice(ws, [0, at, 0], [batch, 1, width]), [batch, width]);
}

/** conv - noise - bias - lrelu with the style of w. */
export function synthesisLayer(
  generator: Generator,
  name: string,
  x: Tensor,
  w: Tensor,
  up: 1 | 2,
  options: SynthesisOptions,
): Tensor {
  const { clamp = null } = options;
  const styles = fullyConnected(
    w,
    fullyConnectedWeights(generator, `${name}.affine`),
  );
  return modulatedConv2d(x, parameter(generator, `${name}.weight`), styles, {
    up,
    noise: layerNoise(generator, name, x, up, options),
    bias: parameter(generator, `${name}.bias`),
    act: "lrelu",
    clamp,
  });
}

/** noise_strength * noise as (1 or B, 1, up H, up W); null where there is none. */
function layerNoise(
  generator: Generator,
  name: string,
  x: Tensor,
  up: number,
  { noise = "const", random }: SynthesisOptions,
): Tensor | null {
  if (noise === "none" || !generator.noisy.has(name)) return null;
  const strength = parameter(generator, `${name}.noise_strength`);
  if (noise === "random") {
    const [batch, , height, width] = x.shape;
    const source = random ?? new Random(x.device, hashOf(name));
    return multiply(
      source.normal([batch, 1, up * height, up * width]),
      strength,
    );
  }
  const constant = parameter(generator, `${name}.noise_const`);
  return multiply(reshape(constant, [1, 1, ...constant.shape]), strength);
}

/** A seed for each layer, so that two layers do not share their noise. */
function hashOf(name: string): number {
  let hash = 17;
  for (const letter of name) hash = (hash * 31 + letter.charCodeAt(0)) >>> 0;
  return hash;
}

/** 1x1 modulated convolution to colours (or planes), without demodulation. */
export function toRgb(
  generator: Generator,
  name: string,
  x: Tensor,
  w: Tensor,
  { clamp = null }: SynthesisOptions,
): Tensor {
  const weight = parameter(generator, `${name}.weight`);
  const styles = fullyConnected(
    w,
    fullyConnectedWeights(generator, `${name}.affine`),
    {
      gain: 1 / Math.sqrt(weight.shape[1]),
    },
  );
  return modulatedConv2d(x, weight, styles, {
    demodulate: false,
    bias: parameter(generator, `${name}.bias`),
    clamp,
  });
}

/** What flows from block to block: features and the picture so far. */
export interface BlockOutput {
  /** (B, C, H, W). */
  x: Tensor;
  /** (B, colours, H, W). */
  img: Tensor | null;
}

/**
 * One block with skip connection: img = up(img) + torgb(x).
 *
 * @param name state name of the block
 * @param ws latent
 * @param first number of the block's first slot
 * @param up 2 doubles the size, 1 keeps it
 */
export function synthesisBlock(
  generator: Generator,
  name: string,
  { x, img }: BlockOutput,
  ws: Tensor,
  first: number,
  up: 1 | 2,
  options: SynthesisOptions,
): BlockOutput {
  const layer = (conv: string, input: Tensor, k: number, by: 1 | 2) =>
    synthesisLayer(
      generator,
      `${name}.${conv}`,
      input,
      slot(ws, k),
      by,
      options,
    );
  const y = layer("conv1", layer("conv0", x, first, up), first + 1, 1);
  const rgb = cast(
    toRgb(generator, `${name}.torgb`, y, slot(ws, first + 2), options),
    "f32",
  );
  if (!img) return { x: y, img: rgb };
  return { x: y, img: add(up === 2 ? upsample2d(img) : img, rgb) };
}
