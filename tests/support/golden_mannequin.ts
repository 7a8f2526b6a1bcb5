/**
 * Golden files of kind `mannequin`: one picture of the embedded generator, computed with PyTorch
 * in float32 from the weights before they were rounded to float16.
 *
 * @module
 */
import type { Device, Tensor } from "../../engine/mod.ts";
import { formula } from "../../engine/ops/formula.ts";
import { planes } from "../../pipeline/generator/backbone.ts";
import { view } from "../../pipeline/generator/generator.ts";
import { mapping } from "../../pipeline/generator/mapping.ts";
import { loadGenerator } from "../../pipeline/generator/state.ts";
import { type GeneratorWeights, loadMannequin } from "../../weights/mod.ts";
import { toFloat32 } from "../../weights/formats/safetensors.ts";
import type { GoldenFile, GoldenResult } from "./goldens.ts";

/**
 * Root of the summed squared errors over that of the summed squares. Rounding the weights to
 * float16 alone makes 7e-4 of a picture, most of it where an edge moves by a fraction of a pixel;
 * with the weights before rounding all of it is below 1e-5.
 */
export const MANNEQUIN_TOLERANCES: Readonly<Record<string, number>> = {
  w: 1e-3,
  planes: 5e-4,
  image_raw: 1e-3,
  image_depth: 5e-5,
  opacity: 1e-6,
  image: 1e-3,
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

/**
 * Runs the generator as the file says and compares every stage of it.
 *
 * @param weights the embedded ones when absent
 */
export async function runMannequin(
  device: Device,
  { content: { metadata, tensors } }: GoldenFile,
  weights?: GeneratorWeights,
): Promise<GoldenResult[]> {
  using _scope = device.scope();
  const stored = (name: string) => toFloat32(tensors.get(name)!).data;
  const generator = loadGenerator(device, weights ?? await loadMannequin());
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
