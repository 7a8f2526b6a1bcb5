/**
 * Golden files of kinds `eg3d`, a published checkpoint, and `eg3d_full`, the network in full size with weights by
 * formula: mapping, planes, raw picture, distance, picture and gradients.
 *
 * @module
 */
import {
  add,
  type Device,
  gradients,
  multiply,
  reshape,
  sum,
  type Tensor,
} from "../../engine/mod.ts";
import { formula } from "../../engine/ops/formula.ts";
import { planes } from "../../pipeline/generator/backbone.ts";
import { synthesis, view } from "../../pipeline/generator/generator.ts";
import { mapping } from "../../pipeline/generator/mapping.ts";
import type { RayNoise } from "../../pipeline/generator/renderer/renderer.ts";
import {
  type Generator,
  loadGenerator,
  releaseGenerator,
} from "../../pipeline/generator/state.ts";
import type { NoiseMode } from "../../pipeline/generator/synthesis.ts";
import { readGenerator } from "../../weights/mod.ts";
import { toFloat32 } from "../../weights/formats/safetensors.ts";
import { eg3dByRule } from "./eg3d_by_rule.ts";
import { relativeDistance } from "./golden_mannequin.ts";
import type { GoldenFile, GoldenResult } from "./goldens.ts";

/** Planes and pictures: norm of the error over the norm. */
const FORWARD = 1e-3;
/** Gradients, likewise. */
const BACKWARD = 1e-2;

/** Numbers with their shape. */
interface Numbers {
  data: Float32Array;
  shape: readonly number[];
}

/** Numbers for metadata such as `formula('full.u',(16384,48),.5,.5)`. */
export function numbersOf(text: string, prefix = ""): Numbers {
  const [, name, sizes, scale, shift] =
    /^formula\('([^']+)',\s*\(([\d,\s]+)\)(?:,\s*([-\d.]+))?(?:,\s*([-\d.]+))?\)$/
      .exec(text.trim())!;
  const shape = sizes.split(",").map((s) => s.trim()).filter(Boolean)
    .map(Number);
  const data = formula(
    prefix + name,
    shape,
    Number(scale ?? 1),
    Number(shift ?? 0),
  );
  return { data, shape };
}

/** Reads what a golden file stores, or describes by formula in its metadata. */
class Stored {
  readonly #file: GoldenFile;

  constructor(file: GoldenFile) {
    this.#file = file;
  }

  has(name: string): boolean {
    const { tensors, metadata } = this.#file.content;
    return tensors.has(name) || /^formula\(/.test(metadata[name] ?? "");
  }

  get(name: string): Numbers {
    const { tensors, metadata } = this.#file.content;
    const tensor = tensors.get(name);
    if (tensor) return toFloat32(tensor);
    if (!this.has(name)) throw new Error(`the file has no ${name}`);
    return numbersOf(metadata[name], metadata.prefix);
  }

  /** On the device, in a shape of its own. */
  tensor(device: Device, name: string, shape?: readonly number[]): Tensor {
    const { data, shape: stored } = this.get(name);
    return device.tensor(data, shape ?? stored);
  }
}

/** `psi .7, no cutoff` or `{"psi": 0.7, "cutoff": 14}`. */
function truncationOf(
  text: string | undefined,
): { truncationPsi?: number; truncationCutoff?: number } {
  if (!text) return {};
  const number = (name: string) => {
    const found = new RegExp(`${name}"?\\s*:?\\s*([\\d.]+)`).exec(text)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  return { truncationPsi: number("psi"), truncationCutoff: number("cutoff") };
}

/** Smallest step that leaves `kept` of `all`; one that divides `all` if there is one. */
function strideOf(all: number, kept: number): number {
  const steps = Array.from({ length: all }, (_, k) => k + 1)
    .filter((step) => Math.ceil(all / step) === kept);
  return steps.find((step) => all % step === 0) ?? steps[0] ?? NaN;
}

/** Every k-th number along each axis, so that `shape` remains. */
export function strided(
  { data, shape: from }: Numbers,
  shape: readonly number[],
): Float32Array {
  const steps = from.map((size, axis) => strideOf(size, shape[axis]));
  const out = new Float32Array(shape.reduce((a, b) => a * b, 1));
  const strides = from.map((_, axis) =>
    from.slice(axis + 1).reduce((a, b) => a * b, 1)
  );
  for (let k = 0; k < out.length; k++) {
    let rest = k, at = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += (rest % shape[axis]) * steps[axis] * strides[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    out[k] = data[at];
  }
  return out;
}

/** `rows 200:232, columns 240:272` or `rows and columns 240:272` of (B, C, H, W). */
function cropped({ data, shape }: Numbers, text: string): Float32Array {
  const range = (word: string) =>
    new RegExp(`${word}[^\\d,;]*(\\d+):(\\d+)`).exec(text)!.slice(1).map(
      Number,
    );
  const [top, bottom] = range("rows"), [left, right] = range("columns");
  const [batch, channels, height, width] = shape, out: number[] = [];
  for (let plane = 0; plane < batch * channels; plane++) {
    for (let y = top; y < bottom; y++) {
      const row = (plane * height + y) * width;
      out.push(...data.subarray(row + left, row + right));
    }
  }
  return Float32Array.from(out);
}

function result(
  name: string,
  got: ArrayLike<number>,
  wanted: ArrayLike<number>,
  tolerance: number,
): GoldenResult {
  const error = relativeDistance(got, wanted);
  const failure = error <= tolerance
    ? null
    : `it is off by ${error.toExponential(1)}`;
  return { name, error, tolerance, failure };
}

/** The renderer's random numbers, in call order: (B, rays, S, 1) and (B rays, F). */
function rayNoise(device: Device, stored: Stored, batch: number): RayNoise {
  const [, rays, coarse] = stored.get("jitter").shape;
  const jitter = stored.tensor(device, "jitter", [batch, rays, coarse]);
  if (!stored.has("u")) return { jitter, u: device.zeros([1, rays, 1]) };
  const fine = stored.get("u").shape.at(-1)!;
  return { jitter, u: stored.tensor(device, "u", [batch, rays, fine]) };
}

/** Runs the network as the file says and compares every stage of it. */
export async function runEg3d(
  device: Device,
  file: GoldenFile,
): Promise<GoldenResult[]> {
  using _scope = device.scope();
  const { metadata } = file.content;
  const folder = file.path.slice(0, file.path.lastIndexOf("/") + 1);
  const weights = metadata.checkpoint
    ? await readGenerator(folder + metadata.checkpoint)
    : eg3dByRule(metadata, file.path);
  const generator = loadGenerator(device, weights);
  try {
    const results = await compareForward(device, generator, file);
    device.trim();
    if (file.content.tensors.has("loss")) {
      results.push(...await compareGradients(device, generator, file));
    }
    return results;
  } finally {
    releaseGenerator(generator);
    device.trim();
  }
}

async function compareForward(
  device: Device,
  generator: Generator,
  file: GoldenFile,
): Promise<GoldenResult[]> {
  using _scope = device.scope();
  const stored = new Stored(file), { metadata } = file.content;
  const found = device.withoutTape(() => {
    const c = stored.tensor(device, "c");
    const cond = stored.has("cond") ? stored.tensor(device, "cond") : c;
    const options = truncationOf(metadata.truncation);
    const ws = mapping(generator, stored.tensor(device, "z"), cond, options);
    const noise = metadata.noise_mode as NoiseMode | undefined;
    const flat = planes(generator, ws, { noise });
    const batch = c.shape[0];
    const seen = view(generator, flat, ws, c, {
      noise: rayNoise(device, stored, batch),
      resolution: Math.sqrt(stored.get("jitter").shape[1]),
    });
    const [, three, channels, height, width] = flat.shape;
    const joined = reshape(flat, [batch, three * channels, height, width]);
    const outputs: Record<string, Tensor> = {
      ws,
      planes: joined,
      image_raw: seen.imageRaw,
      image_depth: seen.depth,
      image: seen.image,
    };
    return outputs;
  });
  const names = Object.keys(found);
  const data = await device.read(...Object.values(found));
  const results: GoldenResult[] = [];
  names.forEach((name, k) => {
    const got = { data: data[k], shape: found[name].shape };
    if (name === "ws") {
      results.push(compareLatents(got, stored.get("ws")));
      return;
    }
    if (stored.has(name)) {
      const { data: wanted, shape } = stored.get(name);
      results.push(result(name, strided(got, shape), wanted, FORWARD));
    }
    const crop = `${name}_crop`;
    if (stored.has(crop)) {
      const where = cropText(metadata.strides ?? "", crop);
      const wanted = stored.get(crop).data;
      results.push(result(crop, cropped(got, where), wanted, FORWARD));
    }
  });
  return results;
}

/** The part of the metadata that is about a crop. */
function cropText(strides: string, name: string): string {
  return strides.slice(strides.indexOf(name) + name.length);
}

/** Ours is (B, w_dim) where all layers share one w, theirs (B, slots, w_dim). */
function compareLatents(got: Numbers, wanted: Numbers): GoldenResult {
  const [batch, slots, width] = wanted.shape;
  const at = (b: number, slot: number) =>
    got.shape.length === 2 ? b * width : (b * got.shape[1] + slot) * width;
  const spread = new Float32Array(batch * slots * width);
  for (let b = 0; b < batch; b++) {
    for (let slot = 0; slot < slots; slot++) {
      const row = got.data.subarray(at(b, slot), at(b, slot) + width);
      spread.set(row, (b * slots + slot) * width);
    }
  }
  return result("ws", spread, wanted.data, FORWARD);
}

/** Gradients of sum(image * cotangent.image) + sum(image_raw * cotangent.raw). */
async function compareGradients(
  device: Device,
  generator: Generator,
  file: GoldenFile,
): Promise<GoldenResult[]> {
  using _scope = device.scope();
  const stored = new Stored(file), { metadata, tensors } = file.content;
  const prefix = metadata.prefix ?? "";
  const names = [...tensors.keys()].filter((name) => name.startsWith("grad."))
    .map((name) => name.slice("grad.".length));
  const ws = stored.tensor(device, "ws").track();
  const parameters = names.filter((name) => name !== "ws").map((name) => {
    const found = generator.state.get(name);
    if (!found) throw new Error(`the generator has no parameter ${name}`);
    return found.track();
  });
  const c = stored.tensor(device, "c");
  const { image, imageRaw } = synthesis(generator, ws, c, {
    noise: rayNoise(device, stored, c.shape[0]),
    noiseMode: metadata.noise_mode as NoiseMode | undefined,
    resolution: Math.sqrt(stored.get("jitter").shape[1]),
  });
  const against = (x: Tensor, name: string) =>
    sum(
      multiply(
        x,
        device.tensor(
          formula(`${prefix}cotangent.${name}`, x.shape),
          x.shape,
        ),
      ),
    );
  const loss = add(against(image, "image"), against(imageRaw, "raw"));
  const found = gradients(loss, [ws, ...parameters]);
  const [[value], ...slopes] = await device.read(loss, ...found);
  const step = Number(/every (\d+)/.exec(metadata.grad ?? "")?.[1] ?? 1);
  const ours = new Map([["ws", slopes[0]]]);
  names.filter((name) => name !== "ws")
    .forEach((name, k) => ours.set(name, slopes[1 + k]));
  return [
    result("loss", [value], stored.get("loss").data, BACKWARD),
    ...names.map((name) => {
      const wanted = stored.get(`grad.${name}`).data, got = ours.get(name)!;
      const same = got.length === wanted.length
        ? got
        : got.filter((_, k) => k % step === 0);
      return result(`gradient of ${name}`, same, wanted, BACKWARD);
    }),
  ];
}
