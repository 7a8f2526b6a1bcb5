/**
 * @file Reading the `model.json` of a TensorFlow.js graph model and the shards beside it.
 */
import { readOrExplain, WeightsError } from "../errors.ts";

/** A parsed `model.json` and access to its shards. */
export interface ModelJson {
  readonly json: unknown;
  /** The bytes of a shard, by its name in the manifest. */
  readonly readShard: (name: string) => Promise<Uint8Array>;
}

/**
 * Reads `model.json`; its shards are read from the same folder when asked for.
 * @throws {WeightsError} When the file is missing or is not JSON.
 */
export async function readModelJson(path: string): Promise<ModelJson> {
  const text = await readOrExplain(
    "the model",
    path,
    () => Deno.readTextFile(path),
  );
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new WeightsError(
      `${path} is not a TensorFlow.js graph model: it is not JSON.`,
    );
  }
  const folder = path.slice(
    0,
    Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1,
  );
  const readShard = async (name: string) => {
    requireInside(name, path);
    return await readOrExplain(
      "the weights",
      folder + name,
      () => Deno.readFile(folder + name),
    );
  };
  return { json, readShard };
}

/** A manifest from elsewhere could name any file of this machine. */
function requireInside(name: unknown, path: string): void {
  const inside = typeof name === "string" && !/^([\\/]|\w:)/.test(name) &&
    !name.split(/[\\/]/).includes("..");
  if (inside) return;
  throw new WeightsError(
    `${path} names ${
      JSON.stringify(name)
    } among its weights, which does not lie beside it: such a file is not read.`,
  );
}
