/** What the tests of generator and inversion share: the mannequin in small, and made-up latents. */
import type { Device, Tensor } from "../../engine/mod.ts";
import { formula } from "../../engine/ops/formula.ts";
import { cameraFromAngles, cameraLabel } from "../../pipeline/face/camera.ts";
import {
  type Generator,
  loadGenerator,
} from "../../pipeline/generator/state.ts";
import {
  encodeSafetensors,
  fromFloat32,
  type GeneratorWeights,
  loadMannequin,
} from "../../weights/mod.ts";

/** How small a mannequin is. */
export interface SmallSizes {
  /** Pixels of a side of its planes: a power of two from 8 to 64. */
  planes: number;
  /** Pixels of a side of its pictures; rays are half as many. */
  side: number;
}

/** A tenth of the work, still something like a head. */
export const SMALL: SmallSizes = { planes: 32, side: 64 };

/** Hardly a head; for what is true of any generator. */
export const TINY: SmallSizes = { planes: 8, side: 32 };

/** The mannequin without its finest planes, seen with fewer rays of 8 + 8 samples. */
export async function smallMannequin(
  { planes, side }: SmallSizes = SMALL,
): Promise<GeneratorWeights> {
  const { config, tensors } = await loadMannequin();
  const resolutions = Object.keys(config.channels).map(Number);
  const kept = resolutions.filter((resolution) => resolution <= planes);
  const left = resolutions.filter((resolution) => resolution > planes);
  const [first, second] = config.superresolution.blocks;
  return {
    config: {
      ...config,
      channels: Object.fromEntries(kept.map((r) => [r, config.channels[r]])),
      plane_resolution: planes,
      num_ws: config.num_ws - 2 * left.length,
      neural_rendering_resolution: side / 2,
      img_resolution: side,
      depth_resolution: 8,
      depth_resolution_importance: 8,
      superresolution: {
        ...config.superresolution,
        input_resolution: side / 2,
        blocks: [
          { ...first, resolution: side / 2 },
          { ...second, resolution: side },
        ],
      },
    },
    tensors: new Map(
      [...tensors].filter(([name]) =>
        !left.some((r) => name.startsWith(`backbone.synthesis.b${r}.`))
      ),
    ),
  };
}

/** The small mannequin on a device, for as long as that is open. */
export async function smallGenerator(
  device: Device,
  sizes: SmallSizes = SMALL,
): Promise<Generator> {
  const weights = await smallMannequin(sizes);
  return device.unscoped(() => loadGenerator(device, weights));
}

/** The small mannequin as a file for `--generator`. */
export async function smallMannequinFile(
  sizes: SmallSizes = SMALL,
): Promise<Uint8Array> {
  const { config, tensors } = await smallMannequin(sizes);
  return encodeSafetensors({
    metadata: { config: JSON.stringify(config) },
    tensors: new Map(
      [...tensors].map(([name, tensor]) => [name, fromFloat32(tensor, "F16")]),
    ),
  });
}

/** (1, 25): a camera by its angles in degrees. */
export function labelAt(
  device: Device,
  yaw = 0,
  pitch = 0,
): Tensor {
  return device.tensor(cameraLabel(cameraFromAngles({ yaw, pitch, roll: 0 })), [
    1,
    25,
  ]);
}

/** (1, z_dim): a latent by name. */
export function latent(
  device: Device,
  generator: Generator,
  name: string,
): Tensor {
  const { z_dim } = generator.config;
  return device.tensor(formula(name, [1, z_dim], Math.sqrt(3)), [1, z_dim]);
}
