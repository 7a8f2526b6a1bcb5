/**
 * `report.json`: what a run did, how long it took and how good it is.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { fromFileUrl, join } from "@std/path";
import type { Device } from "../engine/mod.ts";
import { MANNEQUIN_URL } from "../weights/mod.ts";
import type { RunContext } from "./context.ts";
import { explainFileError, writeFileAtomic } from "./media/files.ts";
import type { AnimateOptions } from "./options.ts";
import { presetOf } from "./presets.ts";
import type { Quality } from "./quality.ts";
import type { Fingerprint } from "./run_folder.ts";
import type { DecaOptions } from "./transfer/deca/stage.ts";

/** Stages in the order in which they run. */
export type StageName =
  | "portrait"
  | "performance"
  | "transfer"
  | "projection"
  | "tuning"
  | "rendering"
  | "writing"
  | "measuring";

/** Gathers the figures of one run. */
export class Report {
  /** Seconds of each stage. */
  readonly seconds: Partial<Record<StageName, number>> = {};
  /** Losses of both optimisations. */
  readonly losses: { projection?: number[]; tuning?: number[] } = {};
  /** Optimisation steps of stages C and D. */
  readonly steps: { projection?: number; tuning?: number } = {};
  /** Figures measured on the result. */
  quality: Quality | null = null;
  readonly #device: Device;
  readonly #options: AnimateOptions;
  readonly #begin = performance.now();
  /** Largest resident size seen at the end of a stage. */
  #processBytes = 0;

  /**
   * Begins to count seconds.
   *
   * @param device whose memory is reported
   */
  constructor(device: Device, options: AnimateOptions) {
    this.#device = device;
    this.#options = options;
  }

  /** A file among the results. */
  path(name: string): string {
    return join(this.#options.out, name);
  }

  /** Runs a stage and notes how long it takes. */
  async timed<T>(stage: StageName, body: () => Promise<T>): Promise<T> {
    const begin = performance.now();
    const result = await body();
    this.#processBytes = Math.max(this.#processBytes, Deno.memoryUsage().rss);
    this.seconds[stage] = Math.round(performance.now() - begin) / 1000;
    return result;
  }

  /**
   * What decides the intermediate results of a run: settings by value, files by content. How frames
   * are looked at, stage E, is no part of it.
   *
   * @throws {PantomimeError} when a file cannot be read
   */
  async fingerprint(): Promise<Fingerprint> {
    const {
      source,
      driving,
      preprocessed,
      sourcePose,
      generator = mannequinPath(),
      deca = {},
      out: _out,
      resume: _resume,
      pose: _pose,
      poseScale: _poseScale,
      orbit: _orbit,
      precision: _precision,
      targetPose: _targetPose,
      ...rest
    } = this.#options;
    const { deca: encoder, flame, ...expressions }: Partial<DecaOptions> = deca;
    const { sampleFactor: _samples, ...preset } = presetOf(this.#options);
    const inputs = [source, driving, preprocessed, sourcePose, generator];
    const files = await Promise.all([...inputs, encoder, flame].map(digest));
    return { files, options: rest, expressions, preset };
  }

  /**
   * Writes `report.json`.
   *
   * @throws {PantomimeError} when it cannot be written
   */
  async write(frames: number, fps: number): Promise<void> {
    const { info, profile, memory } = this.#device;
    const content = {
      adapter: {
        description: info.description,
        vendor: info.vendor,
        profile,
        cpu: info.isFallbackAdapter,
      },
      deno: Deno.version.deno,
      options: this.#options,
      settings: presetOf(this.#options),
      frames,
      fps,
      seconds: {
        ...this.seconds,
        total: Math.round(performance.now() - this.#begin) / 1000,
      },
      steps: this.steps,
      peakGpuBytes: memory.peak,
      peakProcessBytes: this.#processBytes,
      losses: this.losses,
      quality: this.quality,
    };
    const text = JSON.stringify(content, null, 2) + "\n";
    await writeFileAtomic(
      this.path("report.json"),
      new TextEncoder().encode(text),
    );
  }

  /** Says where the results are and how good they are. */
  print(context: RunContext, files: readonly string[]): void {
    context.print(`Animation   ${files[0]}`);
    context.print(`Comparison  ${this.path("comparison.webp")}`);
    context.print(`Figures     ${this.path("report.json")}`);
    const q = this.quality;
    if (!q) return;
    const figure = (value: number | null, digits: number, unit = "") =>
      value === null ? "-" : `${value.toFixed(digits)}${unit}`;
    context.print(
      `Quality     source view ${figure(q.sourcePsnr, 1, " dB")}, identity ${
        figure(q.identity, 2)
      }, ` +
        `pose error ${figure(q.poseErrorDegrees, 1, "°")}, mouth correlation ${
          figure(q.mouthCorrelation, 2)
        }`,
    );
  }
}

/** The default generator, or undefined where the package is not on a disk: its URL has a version then. */
function mannequinPath(): string | undefined {
  return MANNEQUIN_URL.protocol === "file:"
    ? fromFileUrl(MANNEQUIN_URL)
    : undefined;
}

/** SHA-256 of a file or of the files in a folder, nothing of none. A pipe is read only once: its name. */
async function digest(path: string | undefined): Promise<string> {
  if (path === undefined) return "";
  const hash = createHash("sha256");
  try {
    const { isFile, isDirectory } = await Deno.stat(path);
    if (!isFile && !isDirectory) return path;
    if (isDirectory) {
      for (const name of await visibleFiles(path)) {
        hash.update(`${name}\0${await digest(join(path, name))}\0`);
      }
    } else {
      using file = await Deno.open(path);
      for await (const piece of file.readable) hash.update(piece);
    }
  } catch (error) {
    throw explainFileError(error, path, "read");
  }
  return hash.digest("hex");
}

/** Whatever begins with a dot is left there by file managers and is no frame. */
async function visibleFiles(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.filter((entry) => !entry.isDirectory)
    .map(({ name }) => name)
    .filter((name) => !name.startsWith("."))
    .sort();
}
