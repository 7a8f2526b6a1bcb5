/**
 * Golden files of whole networks with weights by formula: kinds `lpips`,
 * `arcface`, `deca_encoder`, `deca_detail` and `flame`.
 *
 * @module
 */
import {
  concat,
  type Device,
  gradients,
  multiply,
  slice,
  sum,
  type Tensor,
} from "../../engine/mod.ts";
import { formula } from "../../engine/ops/formula.ts";
import { identityCosine, loadArcFace } from "../../pipeline/losses/arcface.ts";
import {
  loadLpips,
  type Lpips,
  type LpipsNet,
} from "../../pipeline/losses/lpips/lpips.ts";
import { loadDetailDecoder } from "../../pipeline/transfer/deca/detail.ts";
import { loadDecaEncoder } from "../../pipeline/transfer/deca/encoder.ts";
import { fullPose, loadFlame } from "../../pipeline/transfer/deca/flame.ts";
import { openCheckpoint, stateDict } from "../../weights/checkpoint.ts";
import type { WeightTensor } from "../../weights/mod.ts";
import { toFloat32 } from "../../weights/formats/safetensors.ts";
import { formulaInput, weightsByRule } from "./formula_weights.ts";
import { relativeDistance } from "./golden_mannequin.ts";
import type { GoldenFile, GoldenResult } from "./goldens.ts";

/** A comparison by |got - wanted| / |wanted|. */
export function compare(
  name: string,
  got: ArrayLike<number>,
  { content }: GoldenFile,
  tolerance: number,
): GoldenResult {
  const wanted = toFloat32(content.tensors.get(name)!).data;
  const error = relativeDistance(got, wanted);
  const failure = error <= tolerance
    ? null
    : `it is off by ${error.toExponential(1)}`;
  return { name, error, tolerance, failure };
}

/** A file beside a golden file. */
function beside({ path }: GoldenFile, name: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1) + name;
}

type Shapes = Readonly<Record<string, readonly number[]>>;

/** Shapes by name, from the metadata or the JSON file that the README of the goldens names. */
async function keysOf(file: GoldenFile, name: string): Promise<Shapes> {
  const { keys } = file.content.metadata;
  return JSON.parse(keys ?? await Deno.readTextFile(beside(file, name)));
}

function stateOf({ content }: GoldenFile, keys: Shapes): Map<
  string,
  WeightTensor
> {
  const { prefix = "", seed, rule } = content.metadata;
  return weightsByRule(rule, keys, prefix + seed);
}

function inputOf(device: Device, { content }: GoldenFile): Tensor {
  const { input, prefix = "" } = content.metadata;
  const { data, shape } = formulaInput(input, prefix);
  return device.tensor(data, shape);
}

/** LPIPS with the weights that a golden file of kind `lpips` describes. */
export function goldenLpips(device: Device, file: GoldenFile): Lpips {
  const { metadata, tensors } = file.content;
  const state = stateOf(file, JSON.parse(metadata.keys));
  for (const [name, tensor] of tensors) {
    if (name.startsWith("lin")) state.set(name, toFloat32(tensor));
  }
  return loadLpips(device, metadata.net as LpipsNet, state, file.path);
}

/** (B, 3, H, W) of the pictures: that of their gradient, or the size that the metadata names. */
function pictureShape({ content }: GoldenFile): readonly number[] {
  const gradient = content.tensors.get("grad.a");
  if (gradient) return gradient.shape;
  const size = /(\d+)x(\d+)/.exec(content.metadata.input)!;
  const [batch] = content.tensors.get("distance")!.shape;
  return [batch, 3, Number(size[1]), Number(size[2])];
}

/** Distance of two pictures and its gradient. */
export async function runLpips(
  device: Device,
  file: GoldenFile,
): Promise<GoldenResult[]> {
  using _scope = device.scope();
  const { metadata, tensors } = file.content;
  const lpips = goldenLpips(device, file);
  const shape = pictureShape(file);
  const picture = (name: string) =>
    device.tensor(
      formula(`${metadata.prefix ?? ""}lpips.${name}`, shape),
      shape,
    );
  const a = picture("a").track(), b = picture("b");
  const fixed = device.withoutTape(() => lpips.unit(b));
  const distance = lpips.distance(a, fixed);
  const [gradient] = gradients(sum(distance), [a]);
  const [value, slope] = await device.read(distance, gradient);
  return [
    compare("distance", value, file, 1e-3),
    ...(tensors.has("grad.a") ? [compare("grad.a", slope, file, 1e-2)] : []),
  ];
}

/**
 * How far the directions of embeddings and gradients may differ: 1 minus their cosine, which is
 * about 1 for networks that are wired differently. With weights by rule the maps grow 1.7-fold per
 * unit, until the sigmoids of the gates are steps: where a step falls is a matter of rounding, and
 * with it the length of the gradient and a part of the embedding. Changing the picture by 1e-6 of
 * itself moves embeddings by up to 0.3 in float64; in float32, 1e-7 multiplied a gradient by 400.
 */
const ARCFACE_DIRECTION = 0.7;

function compareDirections(
  name: string,
  got: ArrayLike<number>,
  wanted: ArrayLike<number>,
): GoldenResult {
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Array.from(a).reduce((sum, v, k) => sum + v * b[k], 0);
  const lengths = Math.sqrt(dot(got, got) * dot(wanted, wanted));
  const error = 1 - dot(got, wanted) / lengths, tolerance = ARCFACE_DIRECTION;
  const failure = error <= tolerance
    ? null
    : `its direction is off by ${error.toExponential(1)}`;
  return { name, error, tolerance, failure };
}

/** Embeddings, and the gradient of their cosine by the first face. */
export async function runArcFace(
  device: Device,
  file: GoldenFile,
): Promise<GoldenResult[]> {
  using _scope = device.scope();
  const state = stateOf(file, await keysOf(file, "arcface_keys.json"));
  const network = loadArcFace(device, state, file.path);
  const faces = inputOf(device, file), [, ...face] = faces.shape;
  const { embeddings, first } = device.withoutTape(() => ({
    embeddings: network.embedding(faces),
    first: slice(faces, [0, 0, 0, 0], [1, ...face]),
  }));
  const [, length] = embeddings.shape;
  const other = slice(embeddings, [1, 0], [1, length]);
  first.track();
  const cosine = identityCosine(network.embedding(first), other);
  const [gradient] = gradients(sum(cosine), [first]);
  const [got, slope] = await device.read(embeddings, gradient);
  const stored = (name: string) =>
    toFloat32(file.content.tensors.get(name)!).data;
  const rows = Array.from({ length: got.length / length }, (_, n) => {
    const row = (data: Float32Array) =>
      data.subarray(n * length, (n + 1) * length);
    return compareDirections(
      `embedding ${n}`,
      row(got),
      row(stored("embedding")),
    );
  });
  return [
    ...rows,
    compareDirections("grad.image0", slope, stored("grad.image0")),
  ];
}

/** What the coarse encoder's residual network sees, and its codes. */
export async function runDecaEncoder(
  device: Device,
  file: GoldenFile,
): Promise<GoldenResult[]> {
  using _scope = device.scope();
  const state = stateOf(file, await keysOf(file, "deca_keys.json"));
  const encoder = loadDecaEncoder(device, state, file.path);
  const [features, codes] = device.withoutTape(() => {
    const features = encoder.features(inputOf(device, file));
    return [features, encoder.codesOf(features)];
  });
  const [seen, coded] = await device.read(features, codes);
  return [
    compare("features", seen, file, 1e-4),
    compare("codes", coded, file, 1e-4),
  ];
}

/** Channels of the decoder of details, from its first map to its last. */
const DETAIL_CHANNELS = [128, 128, 64, 64, 32, 16, 1];

/** Shapes of the decoder's parameters, which its golden file does not list. */
export function detailShapes(): Shapes {
  const norm = (k: number, channels: number) =>
    ["weight", "bias", "running_mean", "running_var"]
      .map((name): [string, number[]] => [
        `conv_blocks.${k}.${name}`,
        [channels],
      ]);
  const shapes: [string, number[]][] = [
    ["l1.0.weight", [8192, 181]],
    ["l1.0.bias", [8192]],
    ...norm(0, 128),
  ];
  DETAIL_CHANNELS.slice(1).forEach((out, stage) => {
    const last = out === 1, k = last ? 21 : 2 + 4 * stage;
    const weight = [out, DETAIL_CHANNELS[stage], 3, 3];
    shapes.push(
      [`conv_blocks.${k}.weight`, weight],
      [`conv_blocks.${k}.bias`, [out]],
      ...(last ? [] : norm(k + 1, out)),
    );
  });
  return Object.fromEntries(shapes);
}

/** A displacement map. */
export async function runDetailDecoder(
  device: Device,
  file: GoldenFile,
): Promise<GoldenResult[]> {
  using _scope = device.scope();
  const state = stateOf(file, detailShapes());
  const decoder = loadDetailDecoder(device, state, file.path);
  const map = device.withoutTape(() =>
    decoder.displacement(inputOf(device, file))
  );
  return [compare("displacement", await map.data(), file, 1e-4)];
}

/** Vertices of heads and the gradients of their parameters. */
export async function runFlame(
  device: Device,
  file: GoldenFile,
): Promise<GoldenResult[]> {
  using _scope = device.scope();
  const { metadata, tensors } = file.content;
  const { root } = await openCheckpoint(beside(file, metadata.model));
  const stored = (name: string) => {
    const { data, shape } = toFloat32(tensors.get(name)!);
    return device.tensor(data, shape);
  };
  const shape = stored("shape"), expression = stored("exp");
  const flame = loadFlame(device, stateDict(root), {
    shape: shape.shape[1],
    expression: expression.shape[1],
  }, metadata.model);
  const betas = concat([shape, expression], 1).track();
  const pose = fullPose(stored("pose")).track();
  const vertices = flame.vertices(betas, pose);
  const cotangent = device.tensor(
    formula(`${metadata.prefix ?? ""}cotangent.verts`, vertices.shape),
    vertices.shape,
  );
  const loss = sum(multiply(vertices, cotangent));
  const found = gradients(loss, [betas, pose]);
  const [points, ofBetas, ofPose] = await device.read(vertices, ...found);
  return [
    compare("vertices", points, file, 1e-5),
    compare("grad.betas", ofBetas, file, 1e-4),
    compare("grad.full_pose", ofPose, file, 1e-4),
  ];
}
