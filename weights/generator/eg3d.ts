/**
 * @file EG3D's own description of a generator, as its checkpoints hold it, and what it says in the terms of
 * `GeneratorConfig`. Sizes are read off the parameters' shapes; what shapes cannot tell comes from the rendering
 * options and, where the module tree is at hand, from the modules' attributes (method, sections 10.1 to 10.7).
 */
import { WeightsError } from "../errors.ts";
import {
  type GeneratorConfig,
  parseGeneratorConfig,
  type PlaneAxesConfig,
  type SuperresolutionBlock,
  type SuperresolutionConfig,
} from "./config.ts";

/** What a checkpoint says of its generator. */
export interface Eg3dDescription {
  /** Name used in error messages. */
  readonly source: string;
  /** Shapes of parameters and buffers by state name. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** The generator's `rendering_kwargs`. */
  readonly renderingKwargs: Readonly<Record<string, unknown>>;
  /** The generator's `neural_rendering_resolution`. */
  readonly neuralRenderingResolution: number;
  /** Name of the generator's class, where it is known; `SRPosedGenerator` is the pre-release one. */
  readonly className?: string;
  /** The renderer's 3 x 3 x 3 `plane_axes`, row-major, where they are stored. */
  readonly planeAxes?: ArrayLike<number>;
  /** An attribute of the module at a path such as `superresolution.block0.conv0`. */
  readonly attribute?: (module: string, name: string) => unknown;
}

/** Focal length of every published face model, in units of the picture's width. */
const FOCAL_LENGTH = 4.2647;

/** A published superresolution class: how it differs from the others. */
interface SuperresolutionClass {
  readonly input_resolution: number;
  readonly img_resolution: number;
  /** Whether the first block keeps the size. */
  readonly noUp: boolean;
  readonly resize: "always" | "enlarge";
  readonly antialias?: false;
}

const HYBRID_8X = {
  input_resolution: 128,
  img_resolution: 512,
  noUp: false,
  resize: "always",
} as const;

/** By the class name behind `Superresolution`. */
const SUPERRESOLUTION: Readonly<Record<string, SuperresolutionClass>> = {
  Hybrid2X: {
    input_resolution: 64,
    img_resolution: 128,
    noUp: true,
    resize: "always",
  },
  Hybrid4X: {
    input_resolution: 128,
    img_resolution: 256,
    noUp: true,
    resize: "enlarge",
  },
  Hybrid8X: HYBRID_8X,
  Hybrid8XDC: HYBRID_8X,
  Hybrid8XDoubleCap: HYBRID_8X,
  HybridDeepfp32: {
    input_resolution: 128,
    img_resolution: 256,
    noUp: true,
    resize: "enlarge",
    antialias: false,
  },
};

/** Limit of activations in layers that were trained in half precision. */
const F16_CLAMP = 256;

/**
 * The configuration of an EG3D generator.
 * @throws {WeightsError} When a parameter is missing, a size is impossible, or the network is of a kind that EG3D does
 * not have.
 */
export function eg3dConfig(description: Eg3dDescription): GeneratorConfig {
  const { source, renderingKwargs: options, className } = description;
  const shape = shapeReader(description);
  const attribute = description.attribute ?? (() => undefined);
  const prerelease = className === "SRPosedGenerator";
  const mapping = "backbone.mapping", synthesis = "backbone.synthesis";
  requireKnown(options, source);
  const resolutions = blockResolutions(description);
  const finest = resolutions.at(-1)!;
  const planes = shape(`${synthesis}.b${finest}.torgb.weight`)[0];
  const [w_dim, joined] = shape(`${mapping}.fc0.weight`);
  const embed = description.shapes.get(`${mapping}.embed.weight`);
  const [hidden] = shape("decoder.net.0.weight");
  const [outputs] = shape("decoder.net.2.weight");
  const number = (name: string, otherwise: number) =>
    Number(options[name] ?? otherwise);
  const config: GeneratorConfig = {
    z_dim: joined - (embed?.[0] ?? 0),
    c_dim: embed?.[1] ?? 0,
    w_dim,
    num_ws: 2 * resolutions.length,
    mapping_lr_mul: Number(attribute(`${mapping}.fc0`, "bias_gain") ?? 0.01),
    conditioning: options.c_gen_conditioning_zero ? "zero" : "camera",
    // the public code scales by 0 where the option is missing, the pre-release not at all
    c_scale: prerelease ? 1 : number("c_scale", 0),
    plane_resolution: finest,
    plane_channels: planes / 3,
    channels: Object.fromEntries(
      resolutions.map((r) => [r, shape(`${synthesis}.b${r}.conv1.weight`)[0]]),
    ),
    conv_clamp: clampOf(
      attribute(`${synthesis}.b${finest}.conv1`, "conv_clamp"),
    ),
    noise: true,
    decoder_hidden: hidden,
    decoder_output: outputs - 1,
    decoder_lr_mul: Number(
      attribute("decoder.net.0", "bias_gain") ??
        (prerelease ? 0.3 : number("decoder_lr_mul", 1)),
    ),
    plane_axes: axesOf(description),
    neural_rendering_resolution: description.neuralRenderingResolution,
    ray_start: limitOf(options.ray_start, 2.25),
    ray_end: limitOf(options.ray_end, 3.3),
    box_warp: number("box_warp", 1),
    depth_resolution: number("depth_resolution", 48),
    depth_resolution_importance: number("depth_resolution_importance", 48),
    disparity_space_sampling: options.disparity_space_sampling === true,
    white_back: options.white_back === true,
    ...superresolutionOf(description, prerelease),
    camera: {
      pivot: pivotOf(options.avg_camera_pivot),
      radius: number("avg_camera_radius", 2.7),
      fx: FOCAL_LENGTH,
      cx: 0.5,
      cy: 0.5,
    },
  };
  // Checked as what is read from a converted file will be.
  return parseGeneratorConfig(JSON.stringify(config), source);
}

type ShapeReader = (name: string) => readonly number[];

function shapeReader({ shapes, source }: Eg3dDescription): ShapeReader {
  return (name) => {
    const found = shapes.get(name);
    if (found) return found;
    throw new WeightsError(
      `${source} is no EG3D generator that can be used: it has no parameter ${name}.`,
    );
  };
}

function requireKnown(
  options: Readonly<Record<string, unknown>>,
  source: string,
): void {
  const mode = options.clamp_mode ?? "softplus";
  if (mode !== "softplus") {
    throw new WeightsError(
      `${source} limits densities by ${mode}; only softplus is known.`,
    );
  }
}

/** Sizes of the backbone's blocks, coarse to fine. */
function blockResolutions({ shapes, source }: Eg3dDescription): number[] {
  const found = [...shapes.keys()].flatMap((name) =>
    /^backbone\.synthesis\.b(\d+)\.conv1\.weight$/.exec(name)?.[1] ?? []
  ).map(Number).sort((a, b) => a - b);
  if (found.length === 0) {
    throw new WeightsError(
      `${source} is no tri-plane generator: it has no blocks backbone.synthesis.b4, b8 and so on.`,
    );
  }
  return found;
}

function superresolutionOf(
  description: Eg3dDescription,
  prerelease: boolean,
): Pick<GeneratorConfig, "img_resolution" | "superresolution"> {
  const { renderingKwargs: options, source } = description;
  const attribute = description.attribute ?? (() => undefined);
  const path = String(options.superresolution_module ?? "Hybrid8XDC");
  const name = path.split(".").at(-1)!.replace(/^Superresolution/, "");
  const known = SUPERRESOLUTION[name];
  if (!known) {
    throw new WeightsError(
      `${source} has a superresolution module ${path}; known are ${
        Object.keys(SUPERRESOLUTION).join(", ")
      }.`,
    );
  }
  const f16 = attribute("superresolution.block0", "use_fp16");
  const clamp = attribute("superresolution.block0.conv1", "conv_clamp");
  const blocks = superresolutionBlocks(description, known);
  const antialias = attribute("superresolution", "sr_antialias") ??
    options.sr_antialias ?? !prerelease;
  const superresolution: SuperresolutionConfig = {
    blocks,
    input_resolution: known.input_resolution,
    resize: known.resize,
    antialias: known.antialias ?? antialias === true,
    // every published generator was trained with four blocks in half precision
    conv_clamp: clamp === undefined ? F16_CLAMP : clampOf(clamp),
    f16: f16 === undefined ? true : f16 === true,
    noise: noiseOf(options.superresolution_noise_mode, source),
  };
  return { img_resolution: known.img_resolution, superresolution };
}

function superresolutionBlocks(
  description: Eg3dDescription,
  { input_resolution, img_resolution, noUp }: SuperresolutionClass,
): SuperresolutionBlock[] {
  const shape = shapeReader(description);
  const channels = (k: number) =>
    shape(`superresolution.block${k}.conv1.weight`)[0];
  const first = noUp ? input_resolution : 2 * input_resolution;
  return [
    { resolution: first, up: noUp ? 1 : 2, channels: channels(0) },
    { resolution: img_resolution, up: 2, channels: channels(1) },
  ];
}

function noiseOf(mode: unknown, source: string): "none" | "const" | "random" {
  if (mode === undefined) return "none";
  if (mode === "none" || mode === "const" || mode === "random") return mode;
  throw new WeightsError(
    `${source} has superresolution_noise_mode ${mode}; known are none, const and random.`,
  );
}

function clampOf(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

function limitOf(value: unknown, otherwise: number): number | "auto" {
  return value === "auto" ? value : Number(value ?? otherwise);
}

function pivotOf(value: unknown): [number, number, number] {
  const [x, y, z] = Array.isArray(value) ? value.map(Number) : [0, 0, 0.2];
  return [x, y, z];
}

function axesOf({ planeAxes, source }: Eg3dDescription): PlaneAxesConfig {
  if (!planeAxes) return "published";
  const seen = [0, 1, 2].map((plane) => projection(planeAxes, plane));
  if (seen.flat().includes(-1)) {
    throw new WeightsError(
      `${source} projects points on planes that are not those of two coordinates; such planes are not known.`,
    );
  }
  const code = seen.map((pair) => pair.join("")).join(" ");
  if (code === "01 02 20") return "published";
  return code === "01 12 20" ? "corrected" : seen;
}

/**
 * Which coordinates a plane sees. A plane's matrix is a permutation, whose inverse is its transpose: row j of the
 * matrix says which coordinate comes out at place j.
 */
function projection(
  axes: ArrayLike<number>,
  plane: number,
): [number, number] {
  const of = (row: number) =>
    [0, 1, 2].findIndex((column) => axes[plane * 9 + row * 3 + column] === 1);
  return [of(0), of(1)];
}
