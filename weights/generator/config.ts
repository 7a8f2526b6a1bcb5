/**
 * @file Every size and switch of a tri-plane generator, whoever trained it: the embedded mannequin, a converted
 * checkpoint, or an EG3D pickle read as it was published.
 */
import { WeightsError } from "../errors.ts";

/** One block of the superresolution module. */
export interface SuperresolutionBlock {
  /** Pixels of a side of what it gives. */
  readonly resolution: number;
  /** 1 keeps the size, 2 doubles it before the block. */
  readonly up: number;
  /** Channels of what it gives. */
  readonly channels: number;
}

/** The superresolution module. */
export interface SuperresolutionConfig {
  /** Its synthesis blocks, all of them styled by the last w. */
  readonly blocks: readonly SuperresolutionBlock[];
  /** Pixels of a side of what the first block takes. */
  readonly input_resolution: number;
  /** Whether pictures of any other size are resized to `input_resolution`, or smaller ones only (EG3D's 4X). */
  readonly resize: "always" | "enlarge";
  /** Whether that resizing widens its filter when it reduces. */
  readonly antialias: boolean;
  /** Limit of its activations: 256 where it was trained in half precision. */
  readonly conv_clamp: number | null;
  /** Whether it was published to run in half precision. */
  readonly f16: boolean;
  /** Its noise. */
  readonly noise: "none" | "const" | "random";
}

/**
 * The planes that points are projected on: XY, XZ, ZX as published; XY, YZ, ZX; or any, by the two coordinates (0 is
 * x) that each sees.
 */
export type PlaneAxesConfig =
  | "published"
  | "corrected"
  | readonly (readonly [number, number])[];

/** Every size of a tri-plane generator. Lengths are world units; names are those of EG3D where it has them. */
export interface GeneratorConfig {
  /** Length of the latent z. */
  readonly z_dim: number;
  /** Length of a camera label: 16 + 9; 0 for a generator that knows of no camera. */
  readonly c_dim: number;
  /** Length of w. */
  readonly w_dim: number;
  /** Layers of the backbone that take a w. */
  readonly num_ws: number;
  /** Learning-rate multiplier of the mapping network's layers. */
  readonly mapping_lr_mul: number;
  /** What the mapping network sees: the camera label times `c_scale`, or zeros. */
  readonly conditioning: "camera" | "zero";
  /** Factor on the camera label. */
  readonly c_scale: number;
  /** Pixels of a side of a plane. */
  readonly plane_resolution: number;
  /** Features of a plane. */
  readonly plane_channels: number;
  /** Channels of the synthesis blocks by their resolution. */
  readonly channels: Readonly<Record<string, number>>;
  /** Limit of the backbone's activations. */
  readonly conv_clamp: number | null;
  /** Whether the backbone was trained with noise; without, layers whose strength is zero skip it. */
  readonly noise: boolean;
  /** Hidden width of the decoder. */
  readonly decoder_hidden: number;
  /** Colour features that the decoder gives beside the density. */
  readonly decoder_output: number;
  /** Learning-rate multiplier of the decoder's layers. */
  readonly decoder_lr_mul: number;
  /** Planes that points are projected on. */
  readonly plane_axes: PlaneAxesConfig;
  /** Pixels of a side of what the volume renderer sees. */
  readonly neural_rendering_resolution: number;
  /** Pixels of a side of the picture. */
  readonly img_resolution: number;
  /** Distance from the camera at which rays begin; `auto`: where they enter the box. */
  readonly ray_start: number | "auto";
  /** Distance from the camera at which rays end; `auto`: where they leave the box. */
  readonly ray_end: number | "auto";
  /** Side of the cube that the planes span. */
  readonly box_warp: number;
  /** Coarse samples of a ray. */
  readonly depth_resolution: number;
  /** Importance samples of a ray. */
  readonly depth_resolution_importance: number;
  /** Whether coarse samples are evenly spaced in 1 / distance. */
  readonly disparity_space_sampling: boolean;
  /** Whether rays that pass through are white; black otherwise. */
  readonly white_back: boolean;
  /** The superresolution module. */
  readonly superresolution: SuperresolutionConfig;
  /** The cameras it was trained with: they look at `pivot` from `radius`; normalised intrinsics. */
  readonly camera: {
    readonly pivot: readonly [number, number, number];
    readonly radius: number;
    readonly fx: number;
    readonly cx: number;
    readonly cy: number;
  };
  /** "mannequin": the axes of z mean what the mannequin's README says. */
  readonly semantics?: string;
}

const DEFAULTS = {
  mapping_lr_mul: 0.01,
  conditioning: "camera",
  c_scale: 1,
  conv_clamp: null,
  decoder_lr_mul: 1,
  plane_axes: "published",
  disparity_space_sampling: false,
  white_back: false,
} as const;

/** Whether a value out of a file is what a field holds. */
type Check = (value: unknown) => boolean;

const isNumber: Check = Number.isFinite;
const isCount: Check = (value) =>
  Number.isSafeInteger(value) && Number(value) >= 0;
const isSize: Check = (value) => isCount(value) && value !== 0;
const isLength: Check = (value) => isNumber(value) && Number(value) > 0;
const isLimit: Check = (value) => value === "auto" || isNumber(value);
const isFactor: Check = (value) => value === 1 || value === 2;

function optional(check: Check): Check {
  return (value) => value === undefined || check(value);
}

/** Lists of this length, or of any but none. */
function isListOf(check: Check, length?: number): Check {
  return (value) =>
    Array.isArray(value) && value.every((item) => check(item)) &&
    (length === undefined ? value.length > 0 : value.length === length);
}

/** Objects with these fields; what else they have does not matter. */
function isObjectOf(checks: Readonly<Record<string, Check>>): Check {
  return (value) =>
    typeof value === "object" && value !== null &&
    Object.entries(checks).every(([name, fits]) =>
      fits((value as Record<string, unknown>)[name])
    );
}

/** Channels by resolution. */
const isChannels: Check = (value) => {
  const blocks = Object.entries(value ?? {});
  return blocks.length > 0 &&
    blocks.every(([resolution, channels]) =>
      isSize(Number(resolution)) && isSize(channels)
    );
};

/** What every file has, and numbers that it may have. */
const FIELDS = {
  z_dim: isSize,
  c_dim: isCount,
  w_dim: isSize,
  num_ws: isSize,
  mapping_lr_mul: optional(isNumber),
  c_scale: optional(isNumber),
  plane_resolution: isSize,
  plane_channels: isSize,
  channels: isChannels,
  decoder_hidden: isSize,
  decoder_output: isSize,
  decoder_lr_mul: optional(isNumber),
  neural_rendering_resolution: isSize,
  img_resolution: isSize,
  ray_start: isLimit,
  ray_end: isLimit,
  box_warp: isLength,
  depth_resolution: isSize,
  depth_resolution_importance: isCount,
  superresolution: isObjectOf({
    blocks: isListOf(
      isObjectOf({ resolution: isSize, up: isFactor, channels: isSize }),
    ),
    input_resolution: optional(isSize),
  }),
  camera: isObjectOf({
    pivot: isListOf(isNumber, 3),
    radius: isLength,
    fx: isLength,
    cx: isNumber,
    cy: isNumber,
  }),
} as const satisfies Partial<Record<keyof GeneratorConfig, Check>>;

/** Fields that every file has. */
type RequiredField = Exclude<keyof typeof FIELDS, keyof typeof DEFAULTS>;

/** A configuration as files hold it: what is as published may be left out. */
type StoredConfig =
  & Omit<Pick<GeneratorConfig, RequiredField>, "superresolution">
  & Partial<Omit<GeneratorConfig, RequiredField>>
  & {
    readonly superresolution:
      & Pick<SuperresolutionConfig, "blocks">
      & Partial<Omit<SuperresolutionConfig, "blocks">>;
    /** Of the mannequin, which was trained without noise: 0. */
    readonly noise_strength?: number;
  };

/**
 * Reads a configuration as it stands in a file's metadata; what an older file leaves out is as published.
 * @param source Name used in error messages.
 * @throws {WeightsError} When it is not JSON, lacks a size or has an impossible one, or asks for something that does not
 * exist.
 */
export function parseGeneratorConfig(
  text: string | undefined,
  source: string,
): GeneratorConfig {
  const raw = objectOf(text, source);
  for (const [name, fits] of Object.entries(FIELDS)) {
    if (!fits(raw[name])) {
      throw new WeightsError(
        `${source} is not a generator that can be used: its config has no valid ${name}.`,
      );
    }
  }
  if (raw.clamp_mode !== undefined && raw.clamp_mode !== "softplus") {
    throw new WeightsError(
      `${source} has another clamp_mode than softplus, which alone is known.`,
    );
  }
  const given = raw as unknown as StoredConfig;
  const { blocks } = given.superresolution;
  return {
    ...DEFAULTS,
    noise: given.noise_strength !== 0,
    ...given,
    superresolution: {
      input_resolution: blocks[0].resolution / blocks[0].up,
      resize: "always",
      antialias: true,
      conv_clamp: null,
      f16: false,
      noise: "none",
      ...given.superresolution,
    },
  };
}

function objectOf(
  text: string | undefined,
  source: string,
): Record<string, unknown> {
  try {
    const value = JSON.parse(text ?? "");
    if (value?.superresolution?.blocks?.length > 0) return value;
  } catch {
    // said below
  }
  throw new WeightsError(
    `${source} is not a generator: its metadata has no config.`,
  );
}
