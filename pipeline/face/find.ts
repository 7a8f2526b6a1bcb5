/**
 * Finds the faces of a picture and their meshes: the detector proposes, the mesh network confirms.
 *
 * @module
 */
import type { Device } from "../../engine/mod.ts";
import { PantomimeError } from "../errors.ts";
import type { Picture } from "../media/picture.ts";
import {
  type DetectedFace,
  type DetectOptions,
  FaceDetector,
} from "./detect.ts";
import {
  type FaceLandmarks,
  LandmarkFinder,
  MIN_PRESENCE,
  regionOfFace,
} from "./landmarks.ts";

/** The networks that find and follow faces. */
export interface FaceNetworks {
  /** Finds faces. */
  readonly detector: FaceDetector;
  /** Measures their meshes. */
  readonly landmarks: LandmarkFinder;
}

/** A face that both networks agree on. */
export interface FoundFace {
  /** As the detector saw it. */
  readonly detected: DetectedFace;
  /** Its mesh. */
  readonly landmarks: FaceLandmarks;
}

/**
 * Loads both networks from their npm package. Their weights belong to the scope that is open, or
 * else to the caller, who disposes of them.
 *
 * @throws {WeightsError} when the package is missing or damaged
 */
export async function loadFaceNetworks(device: Device): Promise<FaceNetworks> {
  return {
    detector: await FaceDetector.load(device),
    landmarks: await LandmarkFinder.load(device),
  };
}

/**
 * All faces of a picture with their meshes, the largest first; none is an empty list.
 *
 * @throws {EngineError} when the device fails
 */
export async function findFaces(
  { detector, landmarks }: FaceNetworks,
  picture: Picture,
  options: Pick<DetectOptions, "thorough"> = {},
): Promise<FoundFace[]> {
  const meshes = new Map<DetectedFace, FaceLandmarks>();
  await detector.detect(picture, {
    ...options,
    accept: async (face) => {
      const found = await landmarks.find(picture, regionOfFace(face));
      // Two detections may lead to one face.
      const known = [...meshes.values()].some((mesh) => sameFace(mesh, found));
      if (known || found.presence < MIN_PRESENCE) return false;
      meshes.set(face, found);
      return true;
    },
  });
  return [...meshes]
    .map(([detected, landmarks]) => ({ detected, landmarks }))
    .sort((a, b) => b.landmarks.region.side - a.landmarks.region.side);
}

function sameFace(
  { region: a }: FaceLandmarks,
  { region: b }: FaceLandmarks,
): boolean {
  return Math.hypot(a.x - b.x, a.y - b.y) < 0.25 * Math.max(a.side, b.side);
}

/**
 * The face of a picture that is meant: the largest, or the one with this number, counted from 1 by
 * size; and how many there are.
 *
 * @param name what messages call the picture
 * @throws {PantomimeError} when there is no face, or no face of that number
 */
export async function findFace(
  networks: FaceNetworks,
  picture: Picture,
  name: string,
  number = 1,
): Promise<FoundFace & { readonly count: number }> {
  const faces = await findFaces(networks, picture);
  if (faces.length === 0) {
    throw new PantomimeError(
      `No face was found in "${name}"; use a picture in which eyes, nose and mouth of a face are clearly visible.`,
    );
  }
  const face = faces[number - 1];
  if (face) return { ...face, count: faces.length };
  throw new PantomimeError(
    faces.length === 1
      ? `There is only one face in "${name}", no face ${number}; leave the number out.`
      : `There are only ${faces.length} faces in "${name}", no face ${number}; they are counted from 1, the largest first.`,
  );
}
