/**
 * Heads out of a generator: pictures, orbits, depth and normal maps, meshes.
 *
 * @module
 */
import { join } from "@std/path";
import { type Device, openDevice, type Tensor } from "../engine/mod.ts";
import {
  type GeneratorConfig,
  loadMannequin,
  type PlaneAxesConfig,
  readGenerator,
} from "../weights/mod.ts";
import type { RunContext } from "./context.ts";
import { planes } from "./generator/backbone.ts";
import { sphereCamera } from "./generator/cameras.ts";
import { mapping } from "./generator/mapping.ts";
import { depthPicture, normalPicture } from "./generator/maps.ts";
import { headMesh } from "./generator/mesh.ts";
import { Painter, type PrecisionWish } from "./generator/painter.ts";
import { RandomState } from "./generator/random_state.ts";
import { type Generator, loadGenerator } from "./generator/state.ts";
import type { NoiseMode } from "./generator/synthesis.ts";
import { writeAnimations } from "./media/animation.ts";
import { ensureFolder, writeFileAtomic } from "./media/files.ts";
import { gridOf } from "./media/grid.ts";
import { meshEncoder, writeMesh } from "./media/mesh.ts";
import { type Picture, writePicture } from "./media/picture.ts";
import { pictureOf } from "./results.ts";

/** What {@linkcode runGenerate} can be asked for. */
export interface GenerateOptions {
  /** Weights; the mannequin when left out. */
  generator?: string;
  /** Folder for the results. */
  out: string;
  /** Heads, by the seeds of NumPy's `RandomState`, as published scripts name them. */
  seeds: readonly number[];
  /** Distance from the average head: 1 as trained, 0 the average. */
  trunc: number;
  /** Layers, from the coarsest, that are truncated; all when left out. */
  truncCutoff?: number;
  /** Angles of the cameras in degrees, one picture for each pair of yaw and pitch. */
  yaw: readonly number[];
  /** Degrees above the head. */
  pitch: readonly number[];
  /** Pixels of a side of what the volume renderer sees; the generator's own when left out. */
  neuralResolution?: number;
  /** Factor on the samples of a ray. */
  samples: number;
  /** Noise of the backbone. */
  noise: NoiseMode;
  /** Planes that points are projected on; the generator's own when left out. */
  planeAxes?: PlaneAxesConfig;
  /** Arithmetic of the superresolution module. */
  precision: PrecisionWish;
  /** Depth and normal maps as well. */
  maps: boolean;
  /** Frames of an orbit around each head; 0 for none. */
  orbit: number;
  /** Name of a mesh file, .ply or .glb. */
  mesh?: string;
  /** Grid points along a side of the mesh's box. */
  meshResolution: number;
  /** Density that counts as surface. */
  meshLevel: number;
}

/** What an option is when nobody says otherwise. */
export function defaultGenerateOptions(): GenerateOptions {
  return {
    out: "heads",
    seeds: [0, 1, 2, 3],
    trunc: 0.7,
    yaw: [-25, 0, 25],
    pitch: [0],
    samples: 1,
    noise: "const",
    precision: "auto",
    maps: false,
    orbit: 0,
    meshResolution: 256,
    meshLevel: 10,
  };
}

const ORBIT_FPS = 24;
/** How far an orbit swings, in degrees. */
const ORBIT_YAW = 35, ORBIT_PITCH = 12;

/** Figures of a run, as in `report.json`. */
export interface GenerateReport {
  /** Files and folders written, the ones to look at first in front. */
  readonly files: readonly string[];
  /** Largest memory held on the GPU, in bytes. */
  readonly peakGpuBytes: number;
  /** Median seconds of a picture from planes that were there already. */
  readonly secondsPerPicture: number;
  /** Arithmetic that the superresolution module ended up with. */
  readonly precision: "f16" | "f32";
}

/**
 * Draws heads and writes them into the folder `options.out`.
 *
 * @throws {WeightsError} when the generator cannot be read
 * @throws {PantomimeError} when something cannot be written
 * @throws {DOMException} `AbortError` when the context's signal fires
 */
export async function runGenerate(
  options: GenerateOptions,
  context: RunContext,
): Promise<GenerateReport> {
  await ensureFolder(options.out);
  if (options.mesh) meshEncoder(options.mesh); // a wrong name is told before the work
  const weights = options.generator
    ? await readGenerator(options.generator)
    : await loadMannequin();
  const config = withWishes(weights.config, options);
  using device = await openDevice();
  const generator = loadGenerator(device, { ...weights, config });
  const painter = new Painter(
    generator,
    options.precision,
    (line) => context.progress.warn(line),
  );
  const run: Run = { options, context, device, generator, painter, files: [] };
  const began = performance.now();
  await draw(run);
  const report: GenerateReport = {
    files: run.files,
    peakGpuBytes: device.memory.peak,
    secondsPerPicture: painter.secondsPerPicture,
    precision: painter.precision,
  };
  await writeReport(run, report, (performance.now() - began) / 1000);
  return report;
}

interface Run {
  readonly options: GenerateOptions;
  readonly context: RunContext;
  readonly device: Device;
  readonly generator: Generator;
  readonly painter: Painter;
  readonly files: string[];
}

function withWishes(
  config: GeneratorConfig,
  { planeAxes, neuralResolution, samples }: GenerateOptions,
): GeneratorConfig {
  return {
    ...config,
    plane_axes: planeAxes ?? config.plane_axes,
    neural_rendering_resolution: neuralResolution ??
      config.neural_rendering_resolution,
    depth_resolution: config.depth_resolution * samples,
    depth_resolution_importance: config.depth_resolution_importance * samples,
  };
}

/** Every head: its pictures, then whatever else was asked for. */
async function draw(run: Run): Promise<void> {
  const { options, context, device, generator } = run;
  const { seeds, yaw, pitch, orbit, mesh } = options;
  const views = pitch.flatMap((p) => yaw.map((y) => [y, p] as const));
  const each = views.length + orbit + (mesh ? 1 : 0);
  const stage = context.progress.stage("Drawing", seeds.length * each);
  let done = 0;
  const tick = () => {
    context.signal.throwIfAborted();
    stage.update(++done);
  };
  const rows: Record<Map, Picture[][]> = { image: [], depth: [], normal: [] };
  for (const seed of seeds) {
    using _scope = device.scope();
    const head = device.withoutTape(() => headOf(generator, seed, options));
    const row: Record<Map, Picture[]> = { image: [], depth: [], normal: [] };
    for (const [y, p] of views) {
      const pictures = await look(run, head, y, p);
      for (const kind of MAPS) {
        if (pictures[kind]) row[kind].push(pictures[kind]);
      }
      await writeViews(run, pictures, `${nameOf(seed)}_yaw${y}_pitch${p}`);
      tick();
    }
    for (const kind of MAPS) rows[kind].push(row[kind]);
    if (orbit > 0) await writeOrbit(run, head, seed, tick);
    if (mesh) {
      await writeHeadMesh(run, head, seed);
      tick();
    }
  }
  await writeGrids(run, rows);
  stage.finish();
}

type Map = "image" | "depth" | "normal";
const MAPS: readonly Map[] = ["image", "depth", "normal"];

/** One head on the device. */
interface Head {
  readonly ws: Tensor;
  readonly planes: Tensor;
}

function headOf(
  generator: Generator,
  seed: number,
  { trunc, truncCutoff, noise }: GenerateOptions,
): Head {
  const { config } = generator;
  const { device } = generator.state.values().next().value!;
  const z = device.tensor(new RandomState(seed).normals(config.z_dim), [
    1,
    config.z_dim,
  ]);
  const frontal = device.tensor(sphereCamera(config), [1, 25]);
  const ws = mapping(generator, z, frontal, {
    truncationPsi: trunc,
    truncationCutoff: truncCutoff,
  });
  return { ws, planes: planes(generator, ws, { noise }) };
}

/** A head from one side: the picture and, if asked for, its maps. */
async function look(
  { options, generator, painter }: Run,
  { ws, planes }: Head,
  yaw: number,
  pitch: number,
): Promise<Partial<Record<Map, Picture>> & { image: Picture }> {
  const label = sphereCamera(generator.config, yaw, pitch);
  const { image, depth } = await painter.paint(planes, ws, label);
  if (!options.maps) return { image: pictureOf(image) };
  const signed = (map: Float32Array) => pictureOf(map.map((v) => 2 * v - 1));
  return {
    image: pictureOf(image),
    depth: signed(depthPicture(depth)),
    normal: signed(normalPicture(depth, label)),
  };
}

const nameOf = (seed: number) => `seed${String(seed).padStart(4, "0")}`;

async function writeViews(
  { options }: Run,
  pictures: Partial<Record<Map, Picture>>,
  name: string,
): Promise<void> {
  for (const kind of MAPS) {
    const picture = pictures[kind];
    if (!picture) continue;
    const folder = join(options.out, kind === "image" ? "images" : kind);
    await Deno.mkdir(folder, { recursive: true });
    await writePicture(join(folder, `${name}.png`), picture);
  }
}

async function writeGrids(
  { options, files }: Run,
  rows: Record<Map, Picture[][]>,
): Promise<void> {
  const names = { image: "grid", depth: "depth", normal: "normal" };
  const grids: string[] = [];
  for (const kind of MAPS) {
    if (rows[kind].every((row) => row.length === 0)) continue;
    const path = join(options.out, `${names[kind]}.png`);
    await writePicture(path, gridOf(rows[kind]));
    grids.push(path);
  }
  files.unshift(...grids, join(options.out, "images"));
}

/** A swing to both sides with a little nodding, as an animation that loops. */
async function writeOrbit(
  run: Run,
  head: Head,
  seed: number,
  tick: () => void,
): Promise<void> {
  const { orbit, out } = run.options, frames: Picture[] = [];
  for (let k = 0; k < orbit; k++) {
    const turn = 2 * Math.PI * k / orbit;
    const yaw = ORBIT_YAW * Math.sin(turn),
      pitch = ORBIT_PITCH * Math.cos(turn);
    frames.push((await look(run, head, yaw, pitch)).image);
    tick();
  }
  const folder = join(out, "orbit", nameOf(seed));
  await Deno.mkdir(folder, { recursive: true });
  run.files.push(...await writeAnimations(folder, frames, ORBIT_FPS));
}

/** `head.ply`, or `head_seed0001.ply` when there are several heads. */
async function writeHeadMesh(
  { options, generator, files }: Run,
  { planes }: Head,
  seed: number,
): Promise<void> {
  const { mesh, meshResolution, meshLevel, seeds } = options;
  const path = seeds.length === 1
    ? mesh!
    : mesh!.replace(/(\.\w+)$/, `_${nameOf(seed)}$1`);
  await writeMesh(
    path,
    await headMesh(generator, planes, {
      resolution: meshResolution,
      level: meshLevel,
    }),
  );
  files.push(path);
}

async function writeReport(
  { options, device, generator }: Run,
  report: GenerateReport,
  seconds: number,
): Promise<void> {
  const { description, vendor } = device.info;
  const content = {
    adapter: { description, vendor, profile: device.profile },
    options,
    config: generator.config,
    seconds,
    ...report,
  };
  await writeFileAtomic(
    join(options.out, "report.json"),
    JSON.stringify(content, null, 2) + "\n",
  );
}
