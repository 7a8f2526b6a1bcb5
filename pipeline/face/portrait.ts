/**
 * Stage A: a photograph to an aligned portrait with its camera.
 *
 * @module
 */
import { PantomimeError } from "../errors.ts";
import type { Progress } from "../context.ts";
import { readPicture } from "../media/picture.ts";
import type { AlignedPortrait } from "./crop.ts";
import { type FaceNetworks, findFace } from "./find.ts";
import { alignAs, type Framing } from "./framing.ts";

/** Faces whose aligned crop has a side below this share of the generator's are refused. */
const SMALLEST_SHARE = 0.4;

/** How a portrait is taken. */
export interface PortraitOptions {
  /** Which heads the generator knows; the mannequin's when left out. */
  readonly framing?: Framing;
  /** Pixels that the head has to span; two fifths of the crop's side when left out. */
  readonly smallest?: number;
}

/**
 * Reads a photograph, finds its face and crops it as the generator frames heads.
 *
 * @param path picture file
 * @param side pixels of the crop's side
 * @param face which face, counted from 1 by size; the largest when absent
 * @throws {PantomimeError} when there is no such face, or it is too small
 */
export async function loadPortrait(
  networks: FaceNetworks,
  path: string,
  side: number,
  face: number | undefined,
  progress: Progress,
  { framing = "mannequin", smallest = SMALLEST_SHARE * side }: PortraitOptions =
    {},
): Promise<AlignedPortrait> {
  const picture = await readPicture(path);
  const found = await findFace(networks, picture, path, face);
  if (found.count > 1 && face === undefined) {
    progress.note(
      `${found.count} faces are in "${path}"; the largest is animated (--face 2 takes the next one).`,
    );
  }
  const portrait = alignAs(framing, picture, found.landmarks.points, side);
  const pixels = (portrait.headScale ?? 1) * portrait.placement.side;
  if (pixels < smallest) {
    throw new PantomimeError(
      `The face in "${path}" is too small (its head spans ${
        Math.round(pixels)
      } pixels, ${Math.ceil(smallest)} are needed); use a larger picture.`,
    );
  }
  return portrait;
}
