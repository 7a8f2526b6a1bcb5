/**
 * Runs a TensorFlow.js graph model on the engine's kernels, without TensorFlow.js.
 *
 *     deno run -A examples/run_graph_model.ts path/to/model.json picture.jpg
 *
 * Without arguments: the face description network that Pantomime uses, on the bundled portrait's
 * face. Any feed-forward image network with one picture as its input will do; an operator that is
 * not translated is an error that names it.
 *
 * @module
 */
import { type Device, openDevice } from "../engine/mod.ts";
import {
  BUNDLED_SOURCE,
  crop,
  Network,
  type Picture,
  readPicture,
  resize,
} from "../pipeline/mod.ts";
import { findNpmPackage, lowerTfGraph, readTfGraph } from "../weights/mod.ts";

/** An output of a network. */
export interface NamedOutput {
  /** Its name in the model file. */
  name: string;
  /** Sizes of its axes. */
  shape: readonly number[];
  /** Its numbers. */
  data: Float32Array;
}

/**
 * Runs a model on a picture, scaled to the size that it wants.
 *
 * @param range what black and white are for the network, such as [0, 1] or [-1, 1]
 */
export async function runGraphModel(
  device: Device,
  path: string,
  picture: Picture,
  range: readonly [number, number],
): Promise<NamedOutput[]> {
  // read the file, translate its graph, upload its weights
  const graph = lowerTfGraph(await readTfGraph(path));
  using network = new Network(device, graph);
  using _scope = device.scope();
  const [, height, width] = network.inputSize;
  const x = device.tensor(
    planar(await resize(picture, width, height), range),
    [1, 3, height, width],
  );
  const outputs = device.withoutTape(() => network.run(x));
  const data = await device.read(...outputs);
  return network.outputs.map((name, k) => ({
    name,
    shape: outputs[k].shape,
    data: data[k],
  }));
}

/** Interleaved bytes as (3, H, W) between `low` and `high`. */
function planar(
  { width, height, data }: Picture,
  [low, high]: readonly [number, number],
): Float32Array {
  const pixels = width * height;
  return Float32Array.from({ length: 3 * pixels }, (_, k) => {
    const byte = data[3 * (k % pixels) + Math.floor(k / pixels)];
    return low + (high - low) * byte / 255;
  });
}

/** The largest numbers of an output with their indices. */
export function largest({ data }: NamedOutput, count: number): string {
  return [...data.entries()].sort((a, b) => b[1] - a[1]).slice(0, count)
    .map(([k, v]) => `${k}: ${v.toFixed(3)}`).join(", ");
}

if (import.meta.main) {
  const [given, file] = Deno.args;
  const path = given ??
    `${findNpmPackage("@vladmandic/human").folder}/models/faceres.json`;
  const picture = file
    ? await readPicture(file)
    : crop(await readPicture(BUNDLED_SOURCE), {
      left: 135,
      top: 36,
      width: 180,
      height: 180,
    });
  using device = await openDevice();
  const range = given ? [0, 1] as const : [0, 255] as const;
  for (const output of await runGraphModel(device, path, picture, range)) {
    console.log(`${output.name} [${output.shape}]  ${largest(output, 3)}`);
  }
}
