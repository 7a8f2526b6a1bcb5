/**
 * The mannequin: the small EG3D-class generator of human heads that is embedded as the default, so that everything
 * works without a download. Weights: MIT, trained on our own synthetic renders only (no photograph of a person).
 * @module
 */
import { fileURLToPath } from "node:url";
import expressions from "./expressions.json" with { type: "json" };
import { WeightsError } from "../errors.ts";
import {
  parseSafetensors,
  readSafetensors,
  type Safetensors,
  toFloat32,
} from "../formats/safetensors.ts";
import type { WeightTensor } from "../tensor.ts";

/** One block of the superresolution module. */
export interface SuperresolutionBlock {
  /** Pixels of a side of what it gives. */
  readonly resolution: number;
  /** 1 keeps the size, 2 doubles it before the block. */
  readonly up: number;
  /** Channels of what it gives. */
  readonly channels: number;
}

/** Every size of a tri-plane generator, under the names of its checkpoint's `config`. Lengths are world units. */
export interface GeneratorConfig {
  /** Length of the latent z. */
  readonly z_dim: number;
  /** Length of a camera label: 16 + 9. */
  readonly c_dim: number;
  /** Length of w. */
  readonly w_dim: number;
  /** Pixels of a side of a plane. */
  readonly plane_resolution: number;
  /** Features of a plane. */
  readonly plane_channels: number;
  /** Channels of the synthesis blocks by their resolution. */
  readonly channels: Readonly<Record<string, number>>;
  /** Hidden width of the decoder. */
  readonly decoder_hidden: number;
  /** Colour features that the decoder gives beside the density. */
  readonly decoder_output: number;
  /** Channels of the superresolution blocks. */
  readonly sr_channels: readonly number[];
  /** Pixels of a side of what the volume renderer sees. */
  readonly neural_rendering_resolution: number;
  /** Pixels of a side of the picture. */
  readonly img_resolution: number;
  /** Distance from the camera at which rays begin. */
  readonly ray_start: number;
  /** Distance from the camera at which rays end. */
  readonly ray_end: number;
  /** Side of the cube that the planes span. */
  readonly box_warp: number;
  /** Coarse samples of a ray. */
  readonly depth_resolution: number;
  /** Importance samples of a ray. */
  readonly depth_resolution_importance: number;
  /** Layers of the backbone that take a w. */
  readonly num_ws: number;
  /** The superresolution module: its blocks, which w it takes, its noise. */
  readonly superresolution: {
    readonly blocks: readonly SuperresolutionBlock[];
    readonly ws: string;
    readonly noise: string;
  };
  /** "zero": the mapping network sees a camera label of zeros. */
  readonly conditioning: string;
  /** Strength of the noise with which it was made; that of each layer is in its state. */
  readonly noise_strength: number;
  /** The cameras it was trained with. */
  readonly camera: {
    readonly pivot: readonly [number, number, number];
    readonly radius: number;
    readonly fx: number;
    readonly cx: number;
    readonly cy: number;
  };
  /** How colours are limited by the ray marcher. */
  readonly clamp_mode: string;
  /** "mannequin": the axes of z mean what the mannequin's README says. */
  readonly semantics?: string;
  /** Training steps. */
  readonly steps: number;
}

/** How FaceMesh's points move per unit of an expression of the mannequin; see `measure_expressions.ts`. */
export interface ExpressionBasis {
  /** World units of one step of the integers. */
  readonly unit: number;
  /** 468 x (x, y, z) for each named expression. */
  readonly axes: Readonly<Record<string, readonly number[]>>;
}

/** The mannequin's expressions, measured on renders of its heads. */
export const mannequinExpressions: ExpressionBasis = expressions;

/** A generator's numbers: state by published EG3D names, and its sizes. */
export interface GeneratorWeights {
  /** Every size. */
  readonly config: GeneratorConfig;
  /** Parameters and buffers by state name. */
  readonly tensors: ReadonlyMap<string, WeightTensor>;
}

/**
 * Loads the embedded generator, about 4 MB. Needs `--allow-read` for this package's folder (or `--allow-net` when
 * the package is run from a URL).
 * @throws {WeightsError} When the file is missing or damaged.
 */
export async function loadMannequin(): Promise<GeneratorWeights> {
  const url = new URL("./generator.safetensors", import.meta.url);
  if (url.protocol === "file:") {
    const path = fileURLToPath(url);
    return generatorWeights(await readSafetensors(path), path);
  }
  const response = await fetch(url);
  if (!response.ok) {
    throw new WeightsError(
      `Cannot read the embedded generator ${url}: ${response.statusText}.`,
    );
  }
  return generatorWeights(
    parseSafetensors(await response.bytes(), url.href),
    url.href,
  );
}

/**
 * Interprets a safetensors file as a generator: float32 tensors and the `config` of its metadata.
 * @param source Name used in error messages.
 * @throws {WeightsError} When it has no readable `config`.
 */
export function generatorWeights(
  file: Safetensors,
  source: string,
): GeneratorWeights {
  let config: GeneratorConfig;
  try {
    config = JSON.parse(file.metadata.config);
  } catch {
    throw new WeightsError(
      `${source} is not a generator: its metadata has no config.`,
    );
  }
  const tensors = new Map(
    [...file.tensors].map(([name, tensor]) => [name, toFloat32(tensor)]),
  );
  return { config, tensors };
}
