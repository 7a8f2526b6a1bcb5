/**
 * An avatar: a tuned generator with what is needed to show it again, with
 * another motion or from another side, without inverting.
 *
 * @module
 */
import type { Device } from "../engine/mod.ts";
import {
  encodeSafetensors,
  fromFloat32,
  generatorWeights,
  readSafetensors,
  type StoredTensor,
  toFloat32,
} from "../weights/mod.ts";
import { PantomimeError } from "./errors.ts";
import type { Cam2World } from "./face/camera.ts";
import { type Generator, loadGenerator } from "./generator/state.ts";
import { writeFileAtomic } from "./media/files.ts";
import { formatMotion, parseMotion } from "./reenactment/motion_file.ts";
import type { Motion } from "./reenactment/motion.ts";

/** A head that can be shown. */
export interface Avatar {
  /** Tuned generator. */
  generator: Generator;
  /** Camera of the source portrait. */
  camera: Cam2World;
  /** w of the portrait itself. */
  source: Float32Array;
  /** w of each frame of `motion`. */
  ws: readonly Float32Array[];
  /** The performance that the w were found for. */
  motion: Motion;
  /** (S, S): 1 where any frame's face was drawn. */
  faceMask: Float32Array;
  /** RGB bytes of the aligned portrait of side S, interleaved. */
  portrait: Uint8Array;
}

const FORMAT = "pantomime-avatar";

/**
 * Writes an avatar as f16 safetensors, whole or not at all.
 *
 * @throws {PantomimeError} when the place cannot be written to
 */
export async function saveAvatar(
  device: Device,
  path: string,
  avatar: Avatar,
): Promise<void> {
  const { generator, camera, source, ws, motion, faceMask, portrait } = avatar;
  const names = [...generator.state.keys()];
  const data = await device.read(...generator.state.values());
  const tensors = new Map<string, StoredTensor>();
  const put = (
    name: string,
    shape: readonly number[],
    values: ArrayLike<number>,
    dtype: "F16" | "F32" | "U8",
  ) =>
    tensors.set(
      name,
      fromFloat32({ shape, data: Float32Array.from(values) }, dtype),
    );
  names.forEach((name, k) =>
    put(name, generator.state.get(name)!.shape, data[k], "F16")
  );
  const width = source.length, side = Math.sqrt(faceMask.length);
  put("avatar.source", [width], source, "F32");
  put("avatar.ws", [ws.length, width], ws.flatMap((w) => [...w]), "F32");
  put("avatar.camera", [4, 4], camera, "F32");
  put(
    "avatar.face_mask",
    [side, side],
    faceMask.map((v) => v > 0.5 ? 1 : 0),
    "U8",
  );
  put("avatar.portrait", [side, side, 3], portrait, "U8");
  const metadata = {
    format: FORMAT,
    config: JSON.stringify(generator.config),
    motion: formatMotion(motion),
  };
  await writeFileAtomic(path, encodeSafetensors({ metadata, tensors }));
}

/**
 * Reads an avatar; its generator lives until `releaseGenerator`.
 *
 * @throws {PantomimeError} when the file is not an avatar
 */
export async function loadAvatar(
  device: Device,
  path: string,
): Promise<Avatar> {
  const file = await readSafetensors(path);
  if (file.metadata.format !== FORMAT) {
    throw new PantomimeError(
      `"${path}" is not an avatar: give the avatar.safetensors that an earlier run of animate wrote.`,
    );
  }
  const read = (name: string) => {
    const stored = file.tensors.get(`avatar.${name}`);
    if (!stored) {
      throw new PantomimeError(
        `"${path}" lacks avatar.${name}: write it again with animate.`,
      );
    }
    return toFloat32(stored);
  };
  const weights = generatorWeights(file, path);
  const tensors = new Map(
    [...weights.tensors].filter(([name]) => !name.startsWith("avatar.")),
  );
  const { shape: [count, width], data } = read("ws");
  return {
    generator: loadGenerator(device, {
      config: weights.config,
      tensors,
    }),
    camera: [...read("camera").data],
    source: read("source").data,
    ws: Array.from(
      { length: count },
      (_, k) => data.slice(k * width, (k + 1) * width),
    ),
    motion: parseMotion(file.metadata.motion ?? "", path),
    faceMask: read("face_mask").data,
    portrait: Uint8Array.from(read("portrait").data),
  };
}
