/** @file Generators from files of every kind: our own safetensors, EG3D's pickles, tuned generators saved whole. */
import { type Checkpoint, openCheckpoint } from "../checkpoint.ts";
import { WeightsError } from "../errors.ts";
import { CheckpointTensor } from "../formats/checkpoint_tensor.ts";
import { type Eg3dModule, eg3dModule } from "../formats/eg3d_pickle.ts";
import {
  keyText,
  PythonObject,
  typeName,
  type Value,
} from "../formats/pickle/values.ts";
import { readSafetensors, toFloat32 } from "../formats/safetensors.ts";
import { countNumbers } from "../formats/state_dict.ts";
import type { GeneratorConfig } from "./config.ts";
import { eg3dConfig } from "./eg3d.ts";
import { type GeneratorWeights, generatorWeights } from "./weights.ts";

/**
 * Reads a generator: safetensors with a `config`, or a checkpoint of EG3D (`.pkl` with `G_ema`, or one network by
 * itself, as the authors' tuning saves it).
 * @throws {WeightsError} When the file is missing, damaged, or holds no generator.
 */
export async function readGenerator(path: string): Promise<GeneratorWeights> {
  const checkpoint = await openCheckpoint(path);
  if (checkpoint.format === "safetensors") {
    return generatorWeights(await readSafetensors(path), path);
  }
  const { module, config } = readEg3d(checkpoint);
  countNumbers(module.state.values(), checkpoint);
  const tensors = new Map(
    [...module.state].map(([name, tensor]) => [name, toFloat32(tensor)]),
  );
  return { config, tensors };
}

/**
 * The generator of a checkpoint of EG3D, its numbers still in the file.
 * @throws {WeightsError} When there is none.
 */
export function readEg3d(
  checkpoint: Checkpoint,
): { module: Eg3dModule; config: GeneratorConfig } {
  const { source } = checkpoint;
  const module = eg3dModule(checkpoint);
  const options = optionsOf(module.attributes.get("rendering_kwargs"));
  if (!options) {
    throw new WeightsError(
      `${source} holds a ${module.className} without rendering_kwargs; a tri-plane generator of EG3D is needed.`,
    );
  }
  const resolution = plain(
    module.attributes.get("neural_rendering_resolution"),
  );
  const config = eg3dConfig({
    source,
    className: module.className,
    shapes: new Map(
      [...module.state].map(([name, tensor]) => [name, tensor.shape]),
    ),
    renderingKwargs: options,
    neuralRenderingResolution: Number(resolution ?? 64),
    planeAxes: planeAxesOf(module),
    attribute: (path, name) => plain(module.module(path)?.attributes.get(name)),
  });
  return { module, config };
}

/** The renderer's own axes, a tensor or, in the pre-release, a parameter. */
function planeAxesOf(module: Eg3dModule): Float32Array | undefined {
  const renderer = module.module("renderer");
  const parameters = renderer?.attributes.get("_parameters");
  const axes = renderer?.attributes.get("plane_axes") ??
    (parameters instanceof Map ? parameters.get("plane_axes") : undefined);
  return axes instanceof CheckpointTensor ? axes.toFloat32().data : undefined;
}

/** A dict with text keys as an object of plain values. */
function optionsOf(
  value: Value | undefined,
): Record<string, unknown> | undefined {
  const entries = value instanceof PythonObject ? value.entries : value;
  if (!(entries instanceof Map)) return undefined;
  return Object.fromEntries(
    [...entries].map(([key, option]) => [keyText(key), plain(option)]),
  );
}

/** The longest list among the options that count is a point. */
const MAX_LIST = 16;

/**
 * Numbers and texts as they are, tensors as numbers, lists element by element. What is longer or nested means nothing
 * to a generator and is told by its type: lists may share what is in them by the power of two.
 */
function plain(value: Value | undefined): unknown {
  if (Array.isArray(value) && value.length <= MAX_LIST) {
    return value.map(single);
  }
  return value instanceof CheckpointTensor && value.size > 1 &&
      value.size <= MAX_LIST
    ? [...value.toFloat64()]
    : single(value);
}

function single(value: Value | undefined): unknown {
  if (typeof value !== "object" || value === null) return value;
  return value instanceof CheckpointTensor && value.size === 1
    ? value.toFloat64()[0]
    : typeName(value);
}
