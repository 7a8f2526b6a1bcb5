/**
 * What a training leaves behind: the generator as it was learned, the same in
 * half precision as it is shipped, and a record of how it came about.
 *
 * @module
 */
import { join } from "@std/path";
import { writeFileAtomic } from "../pipeline/media/files.ts";
import {
  encodeSafetensors,
  fromFloat32,
  type GeneratorWeights,
  halved,
} from "../weights/mod.ts";
import type { HeldOutFigures } from "./heldout.ts";

/** How weights came about. */
export interface TrainingRecord {
  /** Steps of Adam. */
  readonly steps: number;
  /** Heads drawn by the studio. */
  readonly headsDrawn: number;
  /** Heads that gradients were taken of, with repetitions. */
  readonly headsSeen: number;
  /** Seconds of all sittings. */
  readonly seconds: number;
  /** What computed it. */
  readonly adapter: string;
  /** What it began with. */
  readonly from: string;
  /** Settings. */
  readonly course: Readonly<Record<string, unknown>>;
  /** Figures of the previews' heads, which are held out, before and after. */
  readonly figures: {
    readonly before: HeldOutFigures;
    readonly after: HeldOutFigures;
  };
}

/** Names of the files in the folder of a training. */
export const FILES = {
  full: "generator.safetensors",
  half: "generator.f16.safetensors",
  record: "training.json",
  checkpoint: "checkpoint.safetensors",
  log: "log.jsonl",
  previews: "previews",
} as const;

/** What the weights were learned from. */
const LICENCE =
  "MIT; trained on renders of ICT-FaceKit shapes (MIT, USC ICT) with MakeHuman skins and hair (CC0)";

/**
 * Writes a generator twice, and its record beside it; each file whole or not at all.
 *
 * @throws {PantomimeError} when the disk is full
 * @throws {WeightsError} when a number is too large for half precision
 */
export async function writeResult(
  folder: string,
  { config, tensors }: GeneratorWeights,
  record: TrainingRecord,
): Promise<void> {
  const described = { ...config, steps: record.steps };
  const metadata = { config: JSON.stringify(described), licence: LICENCE };
  const stored = [...tensors].map(([name, tensor]) =>
    [name, fromFloat32(tensor)] as const
  );
  const halves = stored.map(([name, tensor]) =>
    [name, halved(name, tensor)] as const
  );
  for (
    const [file, content] of [[FILES.full, stored], [
      FILES.half,
      halves,
    ]] as const
  ) {
    await writeFileAtomic(
      join(folder, file),
      encodeSafetensors({ metadata, tensors: new Map(content) }),
    );
  }
  await writeFileAtomic(
    join(folder, FILES.record),
    JSON.stringify(record, null, 2) + "\n",
  );
}
