/**
 * How large a head is in the picture and where, which generators learn with their training set. Those
 * trained as published know the published crop (method 2.2); the mannequin's heads are smaller and
 * lie lower in it, because its crop comes out of the camera fit (`crop.ts`). A portrait is framed for
 * the generator that is to show it, and frames that were framed for another are framed anew.
 *
 * @module
 */
import type { Picture } from "../media/picture.ts";
import {
  aimedCamera,
  type Cam2World,
  type CameraAngles,
  cameraFromAngles,
  cameraRotation,
  normaliseCamera,
  project,
} from "./camera.ts";
import { CANONICAL, RIGID_POINTS } from "./canonical.ts";
import {
  type AlignedPortrait,
  alignPortrait,
  cropPicture,
  landmarksInCrop,
} from "./crop.ts";
import { fitCamera, type Placement } from "./pose.ts";
import { fivePoints, publishedPlacement } from "./pos.ts";

/** Which heads a generator was shown. */
export type Framing = "mannequin" | "published";

/** Fits camera and crop to a face for generators of this framing; see {@linkcode alignPortrait}. */
export function alignAs(
  framing: Framing,
  picture: Picture,
  landmarks: ArrayLike<number>,
  size: number,
): AlignedPortrait {
  return framing === "mannequin"
    ? alignPortrait(picture, landmarks, size)
    : alignPublished(picture, landmarks, size);
}

/**
 * The published crop, of any size and with its surroundings instead of black. The head's roll stays
 * in the camera. Its rotation is that of the camera fit, where the published method asks a network.
 */
function alignPublished(
  picture: Picture,
  landmarks: ArrayLike<number>,
  size: number,
): AlignedPortrait {
  const { angles, placement: own } = fitCamera(landmarks, { roll: "camera" });
  const { width, height } = picture;
  const placement = publishedPlacement(width, height, fivePoints(landmarks));
  return {
    picture: cropPicture(picture, placement, size),
    placement,
    cam2world: publishedCamera(angles),
    angles,
    landmarks: landmarksInCrop(landmarks, placement, size),
    headScale: own.side / placement.side,
  };
}

/** Where the head's origin lies for the pose network: the point that the crop is centred on. */
const HEAD_ORIGIN = [0, 0.006, 0.161] as const;

/**
 * The camera of the published crop for a head pose (method 2.3): the crop has the head's origin in
 * its middle and at the network's distance of 10, which is 2.7 in the world; then the distance from
 * the world's origin is made 2.7.
 */
export function publishedCamera(angles: CameraAngles): Cam2World {
  const [a, b, c, , d, e, f, , g, h, i] = cameraFromAngles(angles);
  const centre = [c, f, i].map((forward, k) => HEAD_ORIGIN[k] - 2.7 * forward);
  return normaliseCamera([
    ...[a, b, c, centre[0]],
    ...[d, e, f, centre[1]],
    ...[g, h, i, centre[2]],
    ...[0, 0, 0, 1],
  ]);
}

/**
 * The camera that shows a head in this pose, for generators of this framing: the mannequin's are aimed
 * at one point, the others hold the head's origin in the middle.
 */
export function cameraAt(framing: Framing, angles: CameraAngles): Cam2World {
  return framing === "mannequin"
    ? cameraFromAngles(angles)
    : publishedCamera(angles);
}

/** The framing of a generator, by what its configuration says of its heads. */
export function framingOf(
  { semantics }: { readonly semantics?: string },
): Framing {
  return semantics === "mannequin" ? "mannequin" : "published";
}

/**
 * A camera of the published framing for generators of this one: the mannequin's are all aimed at one
 * point, so that only the rotation is kept.
 */
export function cameraAs(framing: Framing, camera: Cam2World): Cam2World {
  return framing === "mannequin" ? aimedCamera(cameraRotation(camera)) : camera;
}

/**
 * Where the mannequin's crop lies in a picture that a camera is known for: the canonical head seen by
 * it falls on the landmarks, by least squares over place and size.
 *
 * @param camera aimed as the mannequin's are; its roll stays
 * @param landmarks FaceMesh's points, 468 x (x, y, z) in pixels of the picture
 */
export function placementUnder(
  camera: Cam2World,
  landmarks: ArrayLike<number>,
): Placement {
  const pairs = RIGID_POINTS.map((i) => {
    const [u, v] = project(camera, [
      CANONICAL[3 * i],
      CANONICAL[3 * i + 1],
      CANONICAL[3 * i + 2],
    ]);
    return [u - 0.5, v - 0.5, landmarks[3 * i], landmarks[3 * i + 1]];
  });
  const mean = [0, 1, 2, 3].map((k) =>
    pairs.reduce((sum, pair) => sum + pair[k], 0) / pairs.length
  );
  let together = 0, spread = 0;
  for (const pair of pairs) {
    const [u, v, x, y] = pair.map((value, k) => value - mean[k]);
    together += u * x + v * y;
    spread += u * u + v * v;
  }
  const side = together / spread;
  return {
    x: mean[2] - side * mean[0],
    y: mean[3] - side * mean[1],
    side,
    angle: 0,
  };
}
