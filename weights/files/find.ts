/**
 * @file Where the weights of the catalogue are looked for: the folders that were named, those in the environment
 * variable PANTOMIME_WEIGHTS, and a few that suggest themselves. Nothing is ever downloaded.
 */
import { delimiter, join, resolve } from "node:path";
import { WeightsError } from "../errors.ts";
import { CATALOGUE, type WeightsId } from "./catalogue.ts";

/** Environment variable with a list of folders, separated as in PATH. */
export const WEIGHTS_VARIABLE = "PANTOMIME_WEIGHTS";

/** Where to look. */
export interface WeightsSearch {
  /** Folders that come before all others. */
  readonly folders?: readonly string[];
  /** Environment variables by name; the process's own when left out. */
  readonly env?: (name: string) => string | undefined;
}

/** A folder that is looked into. */
export interface SearchFolder {
  /** Absolute path. */
  readonly path: string;
  /** Why: `named`, an environment variable, or `default`. */
  readonly because: string;
}

/** The folders of a list as in PATH. */
export function splitFolders(list: string): string[] {
  return list.split(delimiter).map((path) => path.trim())
    .filter((path) => path !== "");
}

/**
 * The folders that are looked into, in order: those named; PANTOMIME_WEIGHTS; `pretrained` where the user stands;
 * `pantomime` in the user's cache; and PyTorch's cache, where torchvision keeps its networks. They need not exist.
 */
export function searchFolders(search: WeightsSearch = {}): SearchFolder[] {
  const env = search.env ?? environment;
  const here = env("INIT_CWD") ?? Deno.cwd();
  const home = env("HOME") ?? env("USERPROFILE");
  const cache = env("XDG_CACHE_HOME") ?? (home && join(home, ".cache"));
  const torch = env("TORCH_HOME") ?? (cache && join(cache, "torch"));
  const listed: [path: string | undefined, because: string][] = [
    ...(search.folders ?? []).map((path): [string, string] => [path, "named"]),
    ...splitFolders(env(WEIGHTS_VARIABLE) ?? "")
      .map((path): [string, string] => [path, WEIGHTS_VARIABLE]),
    ["pretrained", "default"],
    [cache && join(cache, "pantomime"), "default"],
    [torch && join(torch, "hub", "checkpoints"), "default"],
  ];
  const folders = new Map<string, SearchFolder>();
  for (const [given, because] of listed) {
    if (given === undefined) continue;
    const path = resolve(here, given);
    if (!folders.has(path)) folders.set(path, { path, because });
  }
  return [...folders.values()];
}

/** Unset where it may not be read. */
function environment(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

/**
 * The file of optional weights, or null when it is nowhere. What is in it is not looked at; see `recogniseWeights`.
 * Needs `--allow-read` for the folders.
 */
export async function findWeights(
  id: WeightsId,
  search: WeightsSearch = {},
): Promise<string | null> {
  const { files, within = [] } = CATALOGUE[id];
  for (const { path } of searchFolders(search)) {
    for (const inner of ["", ...within]) {
      for (const { name } of files) {
        const file = join(path, inner, name);
        if (await isFile(file)) return file;
      }
    }
  }
  return null;
}

async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then((found) => found.isFile, () => false);
}

/**
 * The file of optional weights.
 * @throws {WeightsError} When it is nowhere; the sentence says what it is for, where it was looked for, how to get it.
 */
export async function requireWeights(
  id: WeightsId,
  search: WeightsSearch = {},
): Promise<string> {
  const found = await findWeights(id, search);
  if (found !== null) return found;
  const { title, enables, files, licence, obtain } = CATALOGUE[id];
  const folders = searchFolders(search).map(({ path }) => path).join(", ");
  throw new WeightsError(
    `${
      files[0].name
    } (${title}), which is needed for ${enables}, is in none of ${folders}: ${obtain} (${licence}), and name its folder with --weights or ${WEIGHTS_VARIABLE}.`,
  );
}
