/**
 * Follows one face through the frames of a performance.
 *
 * @module
 */
import type { Picture } from "../media/picture.ts";
import { type FaceNetworks, findFaces, type FoundFace } from "./find.ts";
import {
  type FaceLandmarks,
  MIN_PRESENCE,
  regionOfLandmarks,
} from "./landmarks.ts";
import type { Region } from "./region.ts";

/** Options of {@linkcode trackFace}. */
export interface TrackOptions {
  /** Which face to follow, counted from 1 by size in the first frame that has faces. */
  readonly face?: number;
}

/**
 * The mesh of one face in each frame, null where it cannot be seen.
 *
 * The mesh of the frame before says where to look, which is fast and keeps to one person; when the
 * face is lost, the detector looks for it in the whole frame and the nearest face is followed.
 *
 * @param frames of any sizes, in order
 * @throws {EngineError} when the device fails
 */
export async function* trackFace(
  networks: FaceNetworks,
  frames: Iterable<Picture> | AsyncIterable<Picture>,
  options: TrackOptions = {},
): AsyncGenerator<FaceLandmarks | null> {
  let last: FaceLandmarks | null = null;
  let seen = false;
  for await (const frame of frames) {
    let found: FaceLandmarks | null = seen && last
      ? await follow(networks, frame, last)
      : null;
    if (!found) {
      // A face that was seen before is not small; many frames may pass without it.
      const faces = await findFaces(networks, frame, { thorough: !last });
      const face: FoundFace | undefined = last
        ? nearest(faces, last.region)
        : faces[(options.face ?? 1) - 1];
      found = face?.landmarks ?? null;
    }
    seen = found !== null;
    last = found ?? last;
    yield found;
  }
}

/** Two passes, so that a quick movement does not leave the region behind. */
async function follow(
  { landmarks }: FaceNetworks,
  frame: Picture,
  last: FaceLandmarks,
): Promise<FaceLandmarks | null> {
  const found = await landmarks.find(frame, regionOfLandmarks(last.points), 2);
  return found.presence < MIN_PRESENCE ? null : found;
}

function nearest(
  faces: readonly FoundFace[],
  { x, y }: Region,
): FoundFace | undefined {
  const distance = ({ landmarks: { region } }: FoundFace) =>
    Math.hypot(region.x - x, region.y - y);
  return faces.toSorted((a, b) => distance(a) - distance(b))[0];
}
