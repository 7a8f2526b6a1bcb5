/**
 * From any checkpoint to safetensors: names as in the checkpoint, numbers as they are or as float16.
 * @module
 */
import type { Checkpoint } from "./checkpoint.ts";
import { findGenerator } from "./contents.ts";
import { WeightsError } from "./errors.ts";
import type { Eg3dModule } from "./formats/eg3d_pickle.ts";
import { toJson } from "./formats/pickle/json.ts";
import { halved, writeSafetensors } from "./formats/safetensors.ts";
import { countNumbers, stateDict } from "./formats/state_dict.ts";
import { readEg3d } from "./generator/read.ts";

/** How to convert. */
export interface ConvertOptions {
  /** Store floats as float16, half the size; integers stay as they are. */
  readonly half?: boolean;
}

/** What was written. */
export interface Converted {
  /** Number of tensors. */
  readonly tensors: number;
  /** Numbers in them. */
  readonly parameters: number;
  /** Why a generator's file has no `config`, without which it cannot be animated with. */
  readonly withoutConfig?: string;
}

/**
 * Writes a checkpoint's tensors as safetensors, whole or not at all, one tensor in memory at a time. Of EG3D's
 * networks `G_ema` is written, with its `config` and what its constructor was given as metadata.
 * @throws {WeightsError} When there is no tensor, one does not fit float16, or the file cannot be written.
 */
export async function convertCheckpoint(
  checkpoint: Checkpoint,
  path: string,
  { half = false }: ConvertOptions = {},
): Promise<Converted> {
  const generator = findGenerator(checkpoint);
  const tensors = generator
    ? new Map(generator.state)
    : stateDict(checkpoint.root);
  if (checkpoint.constants !== undefined) {
    for (const [name, constant] of stateDict(checkpoint.constants)) {
      tensors.set(`constants.${name}`, constant);
    }
  }
  if (tensors.size === 0) {
    throw new WeightsError(`${checkpoint.source} holds no tensors.`);
  }
  const parameters = countNumbers(tensors.values(), checkpoint);
  const described = describeGenerator(checkpoint, generator);
  const metadata = generator
    ? { ...generatorMetadata(generator), ...described.metadata }
    : checkpoint.metadata;
  const stored = half
    ? new Map([...tensors].map(([name, t]) => [name, halved(name, t)]))
    : tensors;
  await writeSafetensors(path, { metadata, tensors: stored });
  const { withoutConfig } = described;
  return { tensors: tensors.size, parameters, withoutConfig };
}

/** Every size of a tri-plane generator, where it is one that is known. */
function describeGenerator(
  checkpoint: Checkpoint,
  generator: Eg3dModule | undefined,
): { metadata?: { config: string }; withoutConfig?: string } {
  if (!generator?.attributes.has("rendering_kwargs")) return {};
  try {
    const { config } = readEg3d(checkpoint);
    return { metadata: { config: JSON.stringify(config) } };
  } catch (error) {
    if (!(error instanceof WeightsError)) throw error;
    return { withoutConfig: error.message };
  }
}

/** What makes the network again, as JSON. */
function generatorMetadata(
  { className, attributes }: Eg3dModule,
): Record<string, string> {
  const json = (name: string) =>
    JSON.stringify(toJson(attributes.get(name) ?? null));
  return {
    kind: attributes.has("rendering_kwargs") ? "eg3d" : "network",
    class: className,
    init_args: json("_init_args"),
    init_kwargs: json("_init_kwargs"),
    rendering_kwargs: json("rendering_kwargs"),
    neural_rendering_resolution: json("neural_rendering_resolution"),
  };
}
