/**
 * Everything that a training needs to go on as if it had never stopped, in one
 * file that is replaced whole.
 *
 * @module
 */
import type { Device } from "../engine/mod.ts";
import { PantomimeError } from "../pipeline/errors.ts";
import { writeFileAtomic } from "../pipeline/media/files.ts";
import {
  encodeSafetensors,
  fromFloat32,
  type GeneratorWeights,
  generatorWeights,
  readSafetensors,
  type WeightTensor,
} from "../weights/mod.ts";
import type { HeldOutFigures } from "./heldout.ts";
import type { Learner } from "./learner.ts";
import type { Leg } from "./schedule.ts";

/** How far a training is, besides its tensors. */
export interface TrainingState {
  /** Steps taken. */
  readonly step: number;
  /** Seconds of all sittings. */
  readonly seconds: number;
  /** Warm-up and cooling. */
  readonly leg: Leg;
  /** Figures of held-out heads when it began; null until they are measured. */
  readonly before: HeldOutFigures | null;
}

/** Settings of a training by name. */
export type Course = Readonly<Record<string, string | number | boolean>>;

/** A checkpoint as it was read. */
export interface Checkpoint {
  /** How far it is. */
  readonly state: TrainingState;
  /** What it came from, for the record. */
  readonly from: string;
  /** The weights it began with, whose buffers stay as they are. */
  readonly weights: GeneratorWeights;
  /** Parameters, averages and moments. */
  readonly tensors: ReadonlyMap<string, WeightTensor>;
}

/** Saves a training. */
export async function writeCheckpoint(
  path: string,
  device: Device,
  learner: Learner,
  state: TrainingState,
  { settings, from }: { readonly settings: Course; readonly from: string },
): Promise<void> {
  const entries = learner.entries();
  const data = await device.read(...entries.map(([, tensor]) => tensor));
  const tensors = new Map(entries.map(([name, { shape }], k) => [
    name,
    fromFloat32({
      shape: [...shape],
      data: data[k] as Float32Array<ArrayBuffer>,
    }),
  ]));
  for (const [name, tensor] of learner.weights.tensors) {
    const learned = tensors.has(`parameter/${name}`);
    if (!learned) tensors.set(`buffer/${name}`, fromFloat32(tensor));
  }
  const { config } = learner.weights;
  const metadata = {
    config: JSON.stringify(config),
    state: JSON.stringify(state),
    settings: JSON.stringify(settings),
    from,
  };
  await writeFileAtomic(path, encodeSafetensors({ metadata, tensors }));
}

/**
 * The settings of a training that is to go on; none where there is no file.
 *
 * @throws {WeightsError} when the file is damaged
 */
export async function readSettings(path: string): Promise<Course> {
  const found = await Deno.stat(path).then(() => true, () => false);
  return found ? settingsIn((await readSafetensors(path)).metadata) : {};
}

function settingsIn(metadata: Readonly<Record<string, string>>): Course {
  return JSON.parse(metadata.settings ?? "{}");
}

/**
 * Reads a training that is to go on.
 *
 * @param course settings that it must have in common with the sittings before
 * @throws {WeightsError} when the file is missing or damaged
 * @throws {PantomimeError} when it ran with other settings
 */
export async function readCheckpoint(
  path: string,
  course: Course,
): Promise<Checkpoint> {
  const file = await readSafetensors(path);
  const before = settingsIn(file.metadata);
  const other = Object.keys(course).find((k) => before[k] !== course[k]);
  if (other) {
    throw new PantomimeError(
      `The training in "${path}" ran with ${other} ${before[other]}, not ${
        course[other]
      }; give the same settings, or choose another folder to start afresh.`,
    );
  }
  const { config, tensors } = generatorWeights(file, path);
  const own = new Map<string, WeightTensor>();
  for (const [name, tensor] of tensors) {
    const [, kept] = /^(?:parameter|buffer)\/(.*)/.exec(name) ?? [];
    if (kept) own.set(kept, tensor);
  }
  return {
    state: JSON.parse(file.metadata.state),
    from: file.metadata.from,
    weights: { config, tensors: own },
    tensors,
  };
}
