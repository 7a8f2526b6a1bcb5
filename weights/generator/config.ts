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

/** Fields that every file has. */
type Required =
  | typeof SIZES[number]
  | "channels"
  | "ray_start"
  | "ray_end"
  | "camera";

/** A configuration as files hold it: what is as published may be left out. */
type StoredConfig =
  & Pick<GeneratorConfig, Required>
  & Partial<Omit<GeneratorConfig, Required | "superresolution">>
  & {
    readonly superresolution:
      & Pick<SuperresolutionConfig, "blocks">
      & Partial<Omit<SuperresolutionConfig, "blocks">>;
    /** Of the mannequin, which was trained without noise: 0. */
    readonly noise_strength?: number;
  };

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

/** Fields without a default, all of them numbers. */
const SIZES = [
  "z_dim",
  "c_dim",
  "w_dim",
  "num_ws",
  "plane_resolution",
  "plane_channels",
  "decoder_hidden",
  "decoder_output",
  "neural_rendering_resolution",
  "img_resolution",
  "box_warp",
  "depth_resolution",
  "depth_resolution_importance",
] as const;

/**
 * Reads a configuration as it stands in a file's metadata; what an older file leaves out is as published.
 * @param source Name used in error messages.
 * @throws {WeightsError} When it is not JSON, lacks a size, or asks for something that does not exist.
 */
export function parseGeneratorConfig(
  text: string | undefined,
  source: string,
): GeneratorConfig {
  const raw = objectOf(text, source);
  for (const name of SIZES) {
    if (typeof raw[name] !== "number") {
      throw new WeightsError(
        `${source} is not a generator that can be used: its config has no number ${name}.`,
      );
    }
  }
  if (raw.clamp_mode !== undefined && raw.clamp_mode !== "softplus") {
    throw new WeightsError(
      `${source} limits densities by ${raw.clamp_mode}; only softplus is known.`,
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
