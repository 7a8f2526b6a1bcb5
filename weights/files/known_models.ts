/**
 * @file The catalogue of pretrained networks that npm packages bring along, and how each is read.
 * All of them are MIT licensed.
 */
import { WeightsError } from "../errors.ts";
import { parseTfGraph, readTfGraph } from "../formats/tfjs_graph.ts";
import { parseLayersModel } from "../formats/tfjs_layers.ts";
import type { Graph } from "../graph/graph.ts";
import { lowerTfGraph } from "../graph/lower_tf.ts";
import { findNpmPackage, type NpmPackage } from "./npm_package.ts";

/**
 * Networks by name:
 * - `blazeface`: faces in a 256 x 256 picture in [-1, 1]; MediaPipe's back-camera model.
 * - `facemesh`: 468 landmarks and a face score from a 192 x 192 crop in [0, 1]; MediaPipe.
 * - `faceres`: 1024-d face description, age, gender from a 224 x 224 crop in [0, 255]; HSE-FaceRes.
 * - `iris`: eye contour and iris from a 64 x 64 crop in [0, 1]; MediaPipe.
 * - `mobilenet_v2`, `mobilenet_v2_mid`: ImageNet features, 224 x 224 in [0, 1]; nsfwjs.
 * - `inception_v3`: ImageNet features, 299 x 299 in [0, 1]; nsfwjs.
 */
export const KNOWN_MODELS: Readonly<
  Record<KnownModel, () => Promise<Graph>>
> = {
  blazeface: human("blazeface"),
  facemesh: human("facemesh"),
  faceres: human("faceres"),
  iris: human("iris"),
  mobilenet_v2: nsfw("mobilenet_v2"),
  mobilenet_v2_mid: nsfw("mobilenet_v2_mid"),
  inception_v3: nsfw("inception_v3"),
};

/** The name of a network in `KNOWN_MODELS`. */
export type KnownModel =
  | "blazeface"
  | "facemesh"
  | "faceres"
  | "iris"
  | "mobilenet_v2"
  | "mobilenet_v2_mid"
  | "inception_v3";

/**
 * Reads one of the pretrained networks from the npm package that holds it. Needs `--allow-read`.
 * @throws {WeightsError} When the package is not installed or its files are not what they should be.
 */
export function loadKnownModel(name: KnownModel): Promise<Graph> {
  return KNOWN_MODELS[name]();
}

function human(name: string): () => Promise<Graph> {
  return async () => {
    const { folder } = findNpmPackage("@vladmandic/human");
    return lowerTfGraph(await readTfGraph(`${folder}/models/${name}.json`));
  };
}

/** nsfwjs stores each file as a CommonJS module: the model as an object, the shards as base64 text. */
function nsfw(name: string): () => Promise<Graph> {
  return async () => {
    const found = findNpmPackage("nsfwjs");
    const folder = `dist/models/${name}`;
    const source = `${found.folder}/${folder}`;
    const json = loadModule(found, `${folder}/model.min.js`) as {
      format?: string;
    };
    const readShard = (shard: string) =>
      Promise.resolve(
        fromBase64(
          loadModule(found, `${folder}/${shard}.min.js`),
          `${source}/${shard}.min.js`,
        ),
      );
    return json.format === "graph-model"
      ? lowerTfGraph(await parseTfGraph(json, readShard, source))
      : await parseLayersModel(json, readShard, source);
  };
}

function loadModule(found: NpmPackage, file: string): unknown {
  try {
    return found.load(file);
  } catch (error) {
    const reason = error instanceof Error
      ? error.message.split("\n")[0]
      : String(error);
    throw new WeightsError(
      `Cannot load ${file} of the npm package ${found.name}: ${reason}.`,
      { cause: error },
    );
  }
}

function fromBase64(text: unknown, source: string): Uint8Array {
  if (typeof text !== "string") {
    throw new WeightsError(`${source} does not hold weights as base64 text.`);
  }
  return Uint8Array.fromBase64(text);
}
