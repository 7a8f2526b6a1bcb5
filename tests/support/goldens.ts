/**
 * Golden files: numbers from the published code, checked on the engine. A file
 * says in its metadata of which kind it is; each kind has a runner here.
 *
 * @module
 */
import { join } from "@std/path";
import type { Device, TileProfile } from "../../engine/mod.ts";
import {
  readSafetensors,
  type Safetensors,
} from "../../weights/formats/safetensors.ts";
import type { Comparison } from "./conformance_report.ts";
import { runOperators } from "./golden_cases.ts";
import { runEg3d } from "./golden_eg3d.ts";
import { runMannequin } from "./golden_mannequin.ts";
import {
  runArcFace,
  runDecaEncoder,
  runDetailDecoder,
  runFlame,
  runLpips,
} from "./golden_networks.ts";
import { runTrajectory } from "./golden_trajectory.ts";

/** What one comparison with a golden file came to. */
export interface GoldenResult {
  /** Case, within its file. */
  name: string;
  /** Error relative to the magnitude of the numbers. */
  error: number;
  /** How large it may be. */
  tolerance: number;
  /** What is wrong, in words; null when nothing is. */
  failure: string | null;
}

/** A golden file. */
export interface GoldenFile {
  /** Where it lies. */
  path: string;
  /** Which runner reads it. */
  kind: string;
  /** Its tensors and metadata. */
  content: Safetensors;
}

/** Runs every comparison of a file. */
export type GoldenRunner = (
  device: Device,
  file: GoldenFile,
) => Promise<GoldenResult[]>;

/** Paths of the golden files of a folder, in the order of their names. */
export async function goldenPaths(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) {
      if (!entry.isDirectory && entry.name.endsWith(".safetensors")) {
        names.push(entry.name);
      }
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new Error(`There is no folder of golden files ${folder}.`);
  }
  return names.sort().map((name) => join(folder, name));
}

async function readGolden(path: string): Promise<GoldenFile> {
  const content = await readSafetensors(path);
  return { path, kind: content.metadata.kind ?? "(none)", content };
}

/** Golden files of a folder, in the order of their names. */
export async function goldenFiles(folder: string): Promise<GoldenFile[]> {
  return await Promise.all((await goldenPaths(folder)).map(readGolden));
}

/** A golden file that can be run. */
export interface GoldenSelection {
  /** Where it lies. */
  path: string;
  /** Which runner reads it. */
  kind: string;
  /** Tiles to run it with; undefined for those that the adapter would get. */
  profiles: readonly (TileProfile | undefined)[];
}

/** What to do with the files of a folder. */
export interface GoldenSelections {
  /** Files to run. */
  run: GoldenSelection[];
  /** Files of unknown kinds, a line each. */
  skipped: string[];
  /** Files that cannot be read. */
  broken: Comparison[];
}

/**
 * Small enough for both kinds of tiles. Kernels are held to their references in
 * both; a whole network runs with the tiles that the adapter is meant for.
 */
const IN_BOTH_PROFILES: ReadonlySet<string> = new Set(["ops", "mannequin"]);

/**
 * Sorts the files of a folder by what can be done with them.
 *
 * @param only kind to which to keep, if any
 * @throws {Error} when there is nothing of that kind, or nothing at all
 */
export async function selectGoldens(
  paths: readonly string[],
  folder: string,
  only: string | undefined,
): Promise<GoldenSelections> {
  if (paths.length === 0) {
    throw new Error(`There is no golden file (*.safetensors) in ${folder}.`);
  }
  const found: GoldenSelections = { run: [], skipped: [], broken: [] };
  const kinds = new Set<string>();
  for (const path of paths) {
    try {
      const { kind } = await readGolden(path);
      kinds.add(kind);
      if (only !== undefined && kind !== only) continue;
      if (!Object.hasOwn(GOLDEN_RUNNERS, kind)) {
        found.skipped.push(`${path}: kind ${kind} is not known here`);
        continue;
      }
      const profiles = IN_BOTH_PROFILES.has(kind)
        ? ["cpu", "gpu"] as const
        : [undefined];
      found.run.push({ path, kind, profiles });
    } catch (error) {
      found.broken.push({
        label: path,
        error: Infinity,
        tolerance: 1,
        failure: (error as Error).message,
      });
    }
  }
  if (only !== undefined && !kinds.has(only) && found.broken.length === 0) {
    throw new Error(
      `No golden file in ${folder} is of kind ${only}: there are ${
        [...kinds].sort().join(", ")
      }, and cases.`,
    );
  }
  return found;
}

/** Everything that a golden file comes to; what its runner throws is one failure. */
export async function runGolden(
  device: Device,
  path: string,
): Promise<GoldenResult[]> {
  try {
    const file = await readGolden(path);
    const results = await GOLDEN_RUNNERS[file.kind](device, file);
    if (results.length === 0) throw new Error("it has nothing to compare");
    return results;
  } catch (error) {
    return [{
      name: "the file",
      error: Infinity,
      tolerance: 1,
      failure: explained(error as Error),
    }];
  }
}

/** Errors of JavaScript itself mean that a file has not what its kind promises. */
function explained(error: Error): string {
  const defect = error instanceof TypeError || error instanceof SyntaxError ||
    error instanceof RangeError;
  return defect
    ? `it does not hold what a file of its kind does (${error.message})`
    : error.message;
}

/** A runner for each kind that is known. */
export const GOLDEN_RUNNERS: Record<string, GoldenRunner> = {
  ops: runOperators,
  mannequin: (device, file) => runMannequin(device, file),
  eg3d: runEg3d,
  eg3d_full: runEg3d,
  trajectory: runTrajectory,
  lpips: runLpips,
  arcface: runArcFace,
  deca_encoder: runDecaEncoder,
  deca_detail: runDetailDecoder,
  flame: runFlame,
};
