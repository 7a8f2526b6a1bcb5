/**
 * The mannequin: the small EG3D-class generator of human heads that is embedded as the default, so that everything
 * works without a download. Weights: MIT, trained on our own synthetic renders only (no photograph of a person).
 * @module
 */
import { fileURLToPath } from "node:url";
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
  readonly resolution: number;
  /** 1 keeps the size, 2 doubles it before the block. */
  readonly up: number;
  readonly channels: number;
}

/** Every size of a tri-plane generator, under the names of its checkpoint's `config`. Lengths are world units. */
export interface GeneratorConfig {
  readonly z_dim: number;
  readonly c_dim: number;
  readonly w_dim: number;
  readonly plane_resolution: number;
  readonly plane_channels: number;
  /** Channels of the synthesis blocks by their resolution. */
  readonly channels: Readonly<Record<string, number>>;
  readonly decoder_hidden: number;
  readonly decoder_output: number;
  readonly sr_channels: readonly number[];
  readonly neural_rendering_resolution: number;
  readonly img_resolution: number;
  readonly ray_start: number;
  readonly ray_end: number;
  readonly box_warp: number;
  readonly depth_resolution: number;
  readonly depth_resolution_importance: number;
  readonly num_ws: number;
  readonly superresolution: {
    readonly blocks: readonly SuperresolutionBlock[];
    readonly ws: string;
    readonly noise: string;
  };
  /** "zero": the mapping network sees a camera label of zeros. */
  readonly conditioning: string;
  readonly noise_strength: number;
  readonly camera: {
    readonly pivot: readonly [number, number, number];
    readonly radius: number;
    readonly fx: number;
    readonly cx: number;
    readonly cy: number;
  };
  readonly clamp_mode: string;
  readonly steps: number;
}

/** A generator's numbers: state by published EG3D names, and its sizes. */
export interface GeneratorWeights {
  readonly config: GeneratorConfig;
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
