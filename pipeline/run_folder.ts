/**
 * What an unfinished run leaves behind, so that `--resume` can go on: a folder
 * `unfinished/` among the results, removed when the run is done.
 *
 * @module
 */
import { join } from "@std/path";
import {
  encodeSafetensors,
  fromFloat32,
  readSafetensors,
  type Safetensors,
  toFloat32,
} from "../weights/mod.ts";
import { PantomimeError } from "./errors.ts";
import type { OptimiserCheckpoint } from "./inversion/checkpoint.ts";
import type { ProjectionCheckpoint } from "./inversion/project.ts";
import {
  ensureFolder,
  requireReplaceable,
  writeFileAtomic,
} from "./media/files.ts";

/** Everything that decides what a run computes. */
export type Fingerprint = Readonly<Record<string, unknown>>;

/** Names of intermediate results, also of those that a killed process was writing. */
const UNFINISHED_FILE =
  /^(\.partial-[0-9a-f]{8}-)?(run\.json|(latents|projection|tuning)\.safetensors)$/;

/** The intermediate results of one run. */
export class RunFolder {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /**
   * Makes sure that intermediate results may be kept among the results in a folder.
   *
   * @param inputs what the run reads
   * @throws {PantomimeError} when other files, or one of the inputs, are where they go
   */
  static async requireFree(
    out: string,
    inputs: readonly (string | undefined)[],
  ): Promise<void> {
    await requireReplaceable(placeIn(out), UNFINISHED_FILE, inputs);
  }

  /**
   * Whether there is a run to be resumed.
   *
   * @throws {PantomimeError} when there is one but it was another one
   */
  static async canResume(
    out: string,
    fingerprint: Fingerprint,
  ): Promise<boolean> {
    const text = await Deno.readTextFile(join(placeIn(out), "run.json"))
      .catch(() => null);
    if (text === null || text === JSON.stringify(fingerprint)) {
      return text !== null;
    }
    throw new PantomimeError(
      `The unfinished run in "${out}" had other inputs or settings; give the same ones, or leave out --resume to start afresh.`,
    );
  }

  /**
   * Opens the folder of a run.
   *
   * @param out folder of the results
   * @param fingerprint must equal that of the run to be resumed
   * @param resume go on with what is there, instead of starting afresh
   * @throws {PantomimeError} when there is a run to resume but it was another one, or other files
   */
  static async open(
    out: string,
    fingerprint: Fingerprint,
    resume: boolean,
  ): Promise<RunFolder> {
    const folder = new RunFolder(placeIn(out));
    if (resume && await RunFolder.canResume(out, fingerprint)) return folder;
    await RunFolder.requireFree(out, []);
    await folder.remove();
    await ensureFolder(folder.#path);
    await writeFileAtomic(
      folder.#file("run.json"),
      JSON.stringify(fingerprint),
    );
    return folder;
  }

  /** w found so far, (w_dim) each. */
  async latents(): Promise<Float32Array[]> {
    const file = await this.#read("latents.safetensors");
    if (!file) return [];
    const { shape: [count, width], data } = toFloat32(file.tensors.get("ws")!);
    return Array.from(
      { length: count },
      (_, k) => data.slice(k * width, (k + 1) * width),
    );
  }

  /** Saves w found so far. */
  async saveLatents(ws: readonly Float32Array[]): Promise<void> {
    const data = new Float32Array(ws.length * ws[0].length);
    ws.forEach((w, k) => data.set(w, k * w.length));
    const stored = fromFloat32({ shape: [ws.length, ws[0].length], data });
    await this.#write("latents.safetensors", {
      metadata: {},
      tensors: new Map([["ws", stored]]),
    });
  }

  /** The frame whose w was half found, null before the first checkpoint. */
  async projection(): Promise<ProjectionCheckpoint | null> {
    const file = await this.#read("projection.safetensors");
    if (!file) return null;
    return { ...checkpointOf(file), frame: Number(file.metadata.frame) };
  }

  /** Saves a half-found w. */
  async saveProjection(checkpoint: ProjectionCheckpoint): Promise<void> {
    const { metadata, tensors } = storedCheckpoint(checkpoint);
    await this.#write("projection.safetensors", {
      metadata: { ...metadata, frame: String(checkpoint.frame) },
      tensors,
    });
  }

  /** The half-tuned generator, null before the first checkpoint. */
  async tuning(): Promise<OptimiserCheckpoint | null> {
    const file = await this.#read("tuning.safetensors");
    return file && checkpointOf(file);
  }

  /** Saves a half-tuned generator. */
  async saveTuning(checkpoint: OptimiserCheckpoint): Promise<void> {
    await this.#write("tuning.safetensors", storedCheckpoint(checkpoint));
  }

  /** Deletes the folder. */
  async remove(): Promise<void> {
    await Deno.remove(this.#path, { recursive: true }).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }

  #file(name: string): string {
    return join(this.#path, name);
  }

  async #read(name: string): Promise<Safetensors | null> {
    const there = await Deno.stat(this.#file(name)).then(
      () => true,
      () => false,
    );
    return there ? await readSafetensors(this.#file(name)) : null;
  }

  async #write(name: string, content: Safetensors): Promise<void> {
    await writeFileAtomic(this.#file(name), encodeSafetensors(content));
  }
}

function checkpointOf({ metadata, tensors }: Safetensors): OptimiserCheckpoint {
  return {
    step: Number(metadata.step),
    tensors: new Map(
      [...tensors].map(([name, stored]) => [name, toFloat32(stored)]),
    ),
  };
}

function storedCheckpoint(
  { step, tensors }: OptimiserCheckpoint,
): Safetensors {
  return {
    metadata: { step: String(step) },
    tensors: new Map(
      [...tensors].map(([name, tensor]) => [name, fromFloat32(tensor)]),
    ),
  };
}

function placeIn(out: string): string {
  return join(out, "unfinished");
}
