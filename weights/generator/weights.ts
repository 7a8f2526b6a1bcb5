/** @file A generator's numbers, and the files that hold them. */
import type { Safetensors } from "../formats/safetensors.ts";
import { toFloat32 } from "../formats/safetensors.ts";
import type { WeightTensor } from "../tensor.ts";
import { type GeneratorConfig, parseGeneratorConfig } from "./config.ts";

/** A generator's numbers: state by published EG3D names, and its sizes. */
export interface GeneratorWeights {
  /** Every size. */
  readonly config: GeneratorConfig;
  /** Parameters and buffers by state name. */
  readonly tensors: ReadonlyMap<string, WeightTensor>;
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
  const config = parseGeneratorConfig(file.metadata.config, source);
  const tensors = new Map(
    [...file.tensors].map(([name, tensor]) => [name, toFloat32(tensor)]),
  );
  return { config, tensors };
}
