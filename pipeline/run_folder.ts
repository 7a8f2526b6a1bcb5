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
import type { TuningCheckpoint } from "./inversion/tune.ts";
import { ensureFolder, writeFileAtomic } from "./media/files.ts";

/** Everything that decides what a run computes. */
export type Fingerprint = Readonly<Record<string, unknown>>;

/** The intermediate results of one run. */
export class RunFolder {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /**
   * Opens the folder of a run.
   *
   * @param out folder of the results
   * @param fingerprint must equal that of the run to be resumed
   * @param resume go on with what is there, instead of starting afresh
   * @throws {PantomimeError} when there is a run to resume but it was another one
   */
  static async open(
    out: string,
    fingerprint: Fingerprint,
    resume: boolean,
  ): Promise<RunFolder> {
    const folder = new RunFolder(join(out, "unfinished"));
    const wanted = JSON.stringify(fingerprint);
    const before = await Deno.readTextFile(folder.#file("run.json")).catch(() =>
      null
    );
    if (resume && before !== null && before !== wanted) {
      throw new PantomimeError(
        `The unfinished run in "${out}" had other inputs or settings; give the same ones, or leave out --resume to start afresh.`,
      );
    }
    if (!resume || before === null) {
      await folder.remove();
      await ensureFolder(folder.#path);
      await writeFileAtomic(
        folder.#file("run.json"),
        new TextEncoder().encode(wanted),
      );
    }
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

  /** The half-tuned generator, null before the first checkpoint. */
  async tuning(): Promise<TuningCheckpoint | null> {
    const file = await this.#read("tuning.safetensors");
    if (!file) return null;
    const tensors = new Map(
      [...file.tensors].map(([name, stored]) => [name, toFloat32(stored)]),
    );
    return { step: Number(file.metadata.step), tensors };
  }

  /** Saves a half-tuned generator. */
  async saveTuning({ step, tensors }: TuningCheckpoint): Promise<void> {
    const stored = new Map(
      [...tensors].map(([name, tensor]) => [name, fromFloat32(tensor)]),
    );
    await this.#write("tuning.safetensors", {
      metadata: { step: String(step) },
      tensors: stored,
    });
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
