/**
 * The volume renderer: planes and cameras to features, distance and opacity
 * (method, section 10.7).
 *
 * Rays are taken in chunks that fit the adapter's binding limit, and with more
 * than one chunk each is computed again in the backward pass.
 *
 * @module
 */
import {
  affine,
  cameraRays,
  checkpoint,
  concat,
  type DecoderWeights,
  decodeTriplane,
  type Device,
  expectedDepth,
  maxAlong,
  multiply,
  negate,
  permute,
  Random,
  reshape,
  sigmoid,
  slice,
  type Tensor,
} from "../../../engine/mod.ts";
import type { Generator } from "../state.ts";
import { decoderFrom, decoderOf, decoderTensors } from "./decoder.ts";
import {
  marchRays,
  placeSamples,
  rayLimits,
  type RayNoise,
  volume,
} from "./march.ts";

export type { RayNoise } from "./march.ts";

/** Options of {@linkcode render}. */
export interface RenderOptions {
  /** Pixels of a side; the configuration's when absent. */
  resolution?: number;
  /** Factor on both sample counts (the method's stage E uses 4); 1 when absent. */
  sampleFactor?: number;
  /** Random numbers; a fixed seed when absent. */
  noise?: RayNoise;
}

/** What the renderer sees. */
export interface Rendering {
  /** (B, C, R, R) in [-1, 1]; the first three are the raw picture. */
  features: Tensor;
  /** (B, 1, R, R) mean distance along the unit rays. */
  depth: Tensor;
  /** (B, 1, R, R) share of light that is stopped. */
  opacity: Tensor;
}

/** Same random numbers for every picture of a size, wherever it stands in a batch. */
const SEED = 1989;

/**
 * Renders planes.
 *
 * @param planes (B, 3, C, H, W)
 * @param labels (B, 25) cameras
 */
export function render(
  generator: Generator,
  planes: Tensor,
  labels: Tensor,
  options: RenderOptions = {},
): Rendering {
  const { config } = generator, device = planes.device;
  const resolution = options.resolution ?? config.neural_rendering_resolution;
  const batch = labels.shape[0], count = resolution * resolution;
  const samples = sampleCounts(generator, options.sampleFactor ?? 1);
  const noise = options.noise ?? fixedNoise(device, count, samples);
  const rays = cameraRays(labels, resolution);
  const limits = rayLimits(generator, rays);
  const flat = permute(planes, [0, 1, 3, 4, 2]);
  const decoder = decoderOf(generator);
  const chunks = chunkRays(
    count,
    samples.coarse + samples.fine,
    decoder,
    device.maxTensorBytes,
  );
  const views: Tensor[] = [], depths: Tensor[] = [];
  for (let b = 0; b < batch; b++) {
    const own = batch === 1
      ? flat
      : slice(flat, [b, 0, 0, 0, 0], [1, ...flat.shape.slice(1)]);
    for (const [start, size] of chunks) {
      const of = (t: Tensor) => part(t, b, start, size);
      const run = { rays: of(rays), limits: of(limits) };
      const t = placeSamples(generator, own, decoder, run, {
        jitter: of(noise.jitter),
        u: of(noise.u),
      });
      const march = (p: Tensor, ...weights: Tensor[]) =>
        marchRays(generator, p, decoderFrom(weights), run.rays, t);
      const inputs = [own, ...decoderTensors(decoder)] as const;
      depths.push(t);
      views.push(
        chunks.length === 1
          ? march(...inputs)
          : checkpoint(march as (...t: Tensor[]) => Tensor, inputs),
      );
    }
  }
  const seen = views.length === 1 ? views[0] : concat(views, 0);
  return unpack(
    permute(reshape(seen, [batch, count, -1]), [0, 2, 1]),
    resolution,
    extremes(depths),
  );
}

/** (B, colours + 2, rays) as pictures. */
function unpack(seen: Tensor, side: number, limits: Tensor): Rendering {
  const [batch, rows] = seen.shape, colours = rows - 2;
  const picture = (first: number, n: number) =>
    reshape(slice(seen, [0, first, 0], [batch, n, side * side]), [
      batch,
      n,
      side,
      side,
    ]);
  const opacity = picture(colours + 1, 1);
  return {
    features: picture(0, colours),
    depth: expectedDepth(picture(colours, 1), opacity, limits),
    opacity,
  };
}

/** (2): the nearest and the farthest of ascending depths. */
function extremes(depths: readonly Tensor[]): Tensor {
  const device = depths[0].device;
  return device.withoutTape(() => {
    using scope = device.scope();
    const ends = depths.map((t) => {
      const [rays, samples] = t.shape;
      const near = negate(slice(t, [0, 0], [rays, 1]));
      const far = slice(t, [0, samples - 1], [rays, 1]);
      return maxAlong(concat([near, far], 1), 0);
    });
    const both = maxAlong(concat(ends, 0), 0);
    const sign = device.tensor([-1, 1], [1, 2]);
    return scope.keep(reshape(multiply(both, sign), [2]));
  });
}

interface SampleCounts {
  coarse: number;
  fine: number;
}

function sampleCounts({ config }: Generator, factor: number): SampleCounts {
  return {
    coarse: config.depth_resolution * factor,
    fine: config.depth_resolution_importance * factor,
  };
}

function fixedNoise(
  device: Device,
  rays: number,
  { coarse, fine }: SampleCounts,
): RayNoise {
  const random = new Random(device, SEED);
  return {
    jitter: random.uniform([1, rays, coarse]),
    // a generator without importance samples does not look at it
    u: random.uniform([1, rays, Math.max(1, fine)]),
  };
}

/** Rays [start, start + size) of one picture, or of the one that serves them all, as (size, ...). */
function part(t: Tensor, batch: number, start: number, size: number): Tensor {
  const [pictures, rays, width] = t.shape;
  if (pictures === 1 && rays === size) return reshape(t, [size, width]);
  const from = pictures === 1 ? 0 : batch;
  return reshape(slice(t, [from, start, 0], [1, size, width]), [size, width]);
}

/** Runs of rays for which no tensor exceeds the binding limit: [start, size]. */
function chunkRays(
  rays: number,
  samples: number,
  decoder: DecoderWeights,
  limit: number,
): [number, number][] {
  const width = Math.max(...decoder.w2.shape);
  const most = Math.max(1, Math.floor(limit / (samples * width * 4)));
  const chunks = Math.ceil(rays / most), size = Math.ceil(rays / chunks);
  return Array.from(
    { length: chunks },
    (_, k) => [k * size, Math.min(size, rays - k * size)],
  );
}

/** What a generator says of points in space. */
export interface PointSamples {
  /** (B, N, 1) density before its activation. */
  sigma: Tensor;
  /** (B, N, C) colours and features, as the ray marcher takes them. */
  rgb: Tensor;
}

/**
 * Density and colours at points (EG3D's `sample_mixed`).
 *
 * @param planes (B, 3, C, H, W)
 * @param points (B, N, 3) in world units
 */
export function samplePoints(
  generator: Generator,
  planes: Tensor,
  points: Tensor,
): PointSamples {
  const [batch, count] = points.shape, decoder = decoderOf(generator);
  const heads = Array.from({ length: batch }, (_, b) => {
    const of = (t: Tensor) =>
      slice(t, t.shape.map((_, k) => k === 0 ? b : 0), [
        1,
        ...t.shape.slice(1),
      ]);
    const own = permute(of(planes), [0, 1, 3, 4, 2]);
    return decodeTriplane(own, of(points), decoder, volume(generator));
  });
  const raw = reshape(concat(heads, 0), [batch, count, -1]);
  const colours = raw.shape[2] - 1;
  return {
    sigma: slice(raw, [0, 0, 0], [batch, count, 1]),
    rgb: affine(
      sigmoid(slice(raw, [0, 0, 1], [batch, count, colours])),
      1.002,
      -0.001,
    ),
  };
}
