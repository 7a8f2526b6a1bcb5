/**
 * Golden files of kind `mannequin`: one picture of a mannequin, computed with PyTorch in float32
 * from `generator.safetensors` beside the file, or where there is none from the embedded weights.
 *
 * @module
 */
import { dirname, join } from "@std/path";
import type { Device, Tensor } from "../../engine/mod.ts";
import { formula } from "../../engine/ops/formula.ts";
import { planes } from "../../pipeline/generator/backbone.ts";
import { view } from "../../pipeline/generator/generator.ts";
import { mapping } from "../../pipeline/generator/mapping.ts";
import { loadGenerator } from "../../pipeline/generator/state.ts";
import {
  type GeneratorWeights,
  loadMannequin,
  readGenerator,
} from "../../weights/mod.ts";
import { toFloat32 } from "../../weights/formats/safetensors.ts";
import type { GoldenFile, GoldenResult } from "./goldens.ts";

/** Root of the summed squared errors over that of the summed squares. */
export const MANNEQUIN_TOLERANCES: Readonly<Record<string, number>> = {
  w: 1e-5,
  planes: 1e-5,
  image_raw: 5e-5,
  image_depth: 1e-5,
  opacity: 1e-6,
  image: 5e-5,
};

/** |got - wanted| / |wanted|. */
export function relativeDistance(
  got: ArrayLike<number>,
  wanted: ArrayLike<number>,
): number {
  if (got.length !== wanted.length) return Infinity;
  let error = 0, scale = 0;
  for (let k = 0; k < wanted.length; k++) {
    error += (got[k] - wanted[k]) ** 2;
    scale += wanted[k] ** 2;
  }
  return Math.sqrt(error / scale);
}

/** Numbers for metadata such as `formula('mannequin.u',(4096,24),.5,.5)`. */
function formulaOf(text: string): Float32Array {
  const [, name, sizes, scale, shift] =
    /^formula\('([^']+)',\(([\d,]+)\)(?:,([\d.]+))?(?:,([\d.]+))?\)$/.exec(
      text,
    )!;
  const shape = sizes.split(",").filter(Boolean).map(Number);
  return formula(name, shape, Number(scale ?? 1), Number(shift ?? 0));
}

/** Every fourth row and column of (1, 3, C, H, W) planes. */
function strided(
  planes: Float32Array,
  [, , , height, width]: readonly number[],
): Float32Array {
  return planes.filter((_, k) =>
    k % width % 4 === 0 && Math.floor(k / width) % height % 4 === 0
  );
}

/** The weights that a golden file was made with. */
async function weightsOf(path: string): Promise<GeneratorWeights> {
  const beside = join(dirname(path), "generator.safetensors");
  const there = await Deno.stat(beside).then(() => true, () => false);
  return there ? await readGenerator(beside) : await loadMannequin();
}

/**
 * Runs the generator as the file says and compares every stage of it.
 *
 * @param weights those that the file was made with when absent
 */
export async function runMannequin(
  device: Device,
  { path, content: { metadata, tensors } }: GoldenFile,
  weights?: GeneratorWeights,
): Promise<GoldenResult[]> {
  using _scope = device.scope();
  const stored = (name: string) => toFloat32(tensors.get(name)!).data;
  const generator = loadGenerator(device, weights ?? await weightsOf(path));
  const { config } = generator;
  const rays = config.neural_rendering_resolution ** 2;
  const { fx, cx, cy } = config.camera;
  const label = device.tensor(
    [...stored("cam2world"), fx, 0, cx, 0, fx, cy, 0, 0, 1],
    [1, 25],
  );
  const noise = (text: string, samples: number) =>
    device.tensor(formulaOf(text), [1, rays, samples]);
  const z = device.tensor(formulaOf(metadata.z), [1, config.z_dim]);
  const w = mapping(generator, z, label), flat = planes(generator, w);
  const seen = view(generator, flat, w, label, {
    noise: {
      jitter: noise(metadata.jitter, config.depth_resolution),
      u: noise(metadata.u, config.depth_resolution_importance),
    },
  });
  const outputs: Record<string, Tensor> = {
    w,
    planes: flat,
    image_raw: seen.imageRaw,
    image_depth: seen.depth,
    opacity: seen.opacity,
    image: seen.image,
  };
  const data = await device.read(...Object.values(outputs));
  return Object.keys(outputs).map((name, k): GoldenResult => {
    const got = name === "planes" ? strided(data[k], flat.shape) : data[k];
    const error = relativeDistance(got, stored(name));
    const tolerance = MANNEQUIN_TOLERANCES[name];
    const failure = error <= tolerance
      ? null
      : `it is off by ${error.toExponential(1)}`;
    return { name, error, tolerance, failure };
  });
}
