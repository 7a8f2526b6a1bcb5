/**
 * The face mesh: 468 points of a face in a picture, with FaceMesh.
 *
 * Source: Kartynnik et al. 2019, "Real-time Facial Surface Geometry from Monocular Video on Mobile
 * GPUs"; regions as in MediaPipe's face landmark graph: a square of 1.5 times the face's extent,
 * turned so that the eyes are level. The weights come with `@vladmandic/human`.
 *
 * @module
 */
import { affine, concat, type Device, flip } from "../../engine/mod.ts";
import type { Picture } from "../media/picture.ts";
import { MIRROR } from "./canonical.ts";
import { type DetectedFace, rollOf } from "./detect.ts";
import { Network } from "./network.ts";
import {
  fromRegion,
  type Point,
  type Region,
  regionAround,
  sampleRegion,
} from "./region.ts";

/** Number of points of the mesh. */
export const LANDMARK_COUNT = 468;

/** The outer corner of the right eye (at the picture's left) and of the left eye. */
const EYE_CORNERS = [33, 263] as const;

/** A face's mesh in a picture. */
export interface FaceLandmarks {
  /**
   * x, y, z of each point. x and y in pixels from the picture's upper left corner; z in pixels as
   * well, relative to the head's centre and smaller towards the camera. The mesh's depth axis is
   * the picture's: turning the head in the picture plane does not change z.
   */
  readonly points: Float32Array;
  /** How sure the network is that this is a face, 0 to 1. */
  readonly presence: number;
  /** Where the network looked. */
  readonly region: Region;
}

/** FaceMesh on a device. */
export class LandmarkFinder {
  readonly #network: Network;

  /** Use {@linkcode LandmarkFinder.load}. */
  constructor(network: Network) {
    this.#network = network;
  }

  /**
   * Loads the network from its npm package.
   *
   * @throws {WeightsError} when the package is missing or damaged
   */
  static async load(device: Device): Promise<LandmarkFinder> {
    return new LandmarkFinder(await Network.load(device, "facemesh"));
  }

  /**
   * The mesh of the face in a region, looked at `passes` times: each pass looks where the one
   * before saw the face, so that size, place and turn of the region settle. The last pass looks at
   * the mirror image as well and takes the mean, which steadies the points.
   *
   * @param region from {@linkcode regionOfFace}, or from {@linkcode regionOfLandmarks} of the
   * frame before
   * @returns the last pass that saw a face, or the first; its presence is lowered when the pass
   * after it saw none
   * @throws {EngineError} when the device fails
   */
  async find(
    picture: Picture,
    region: Region,
    passes = 3,
  ): Promise<FaceLandmarks> {
    let found = await this.#look(picture, region, passes === 1);
    for (let pass = 2; pass <= passes; pass++) {
      const next = regionOfLandmarks(found.points);
      const again = await this.#look(picture, next, pass === passes);
      if (again.presence < MIN_PRESENCE) {
        // Hardly a face: the next look would go astray, and the first one is to be doubted.
        const presence = (found.presence + again.presence) / 2;
        return { ...found, presence };
      }
      found = again;
    }
    return found;
  }

  /** Releases the network. */
  [Symbol.dispose](): void {
    this.#network.release();
  }

  async #look(
    picture: Picture,
    region: Region,
    mirrored: boolean,
  ): Promise<FaceLandmarks> {
    const device = this.#network.device;
    const [, size] = this.#network.inputSize;
    const pixels = sampleRegion(picture, region, size);
    using _scope = device.scope();
    const outputs = device.withoutTape(() => {
      const one = device.tensor(pixels, [1, 3, size, size]);
      const both = mirrored ? concat([one, flip(one, [3])], 0) : one;
      // The network was trained on [0, 1].
      const x = affine(both, 1 / 255);
      return this.#network.run(x, ["output_mesh", "output_faceflag"]);
    });
    const [meshes, flags] = await device.read(...outputs);
    const mesh = mirrored ? averageOfMirrors(meshes, size) : meshes;
    const presence = flags.reduce((sum, flag) => sum + flag, 0) / flags.length;
    return { points: toPicture(mesh, region, size), presence, region };
  }
}

/** Mean of a mesh and of the mirror image's mesh, which follows it. */
function averageOfMirrors(meshes: Float32Array, size: number): Float32Array {
  const mesh = new Float32Array(3 * LANDMARK_COUNT);
  for (let k = 0; k < LANDMARK_COUNT; k++) {
    const other = 3 * (LANDMARK_COUNT + MIRROR[k]);
    mesh[3 * k] = (meshes[3 * k] + size - meshes[other]) / 2;
    for (const axis of [1, 2]) {
      mesh[3 * k + axis] = (meshes[3 * k + axis] + meshes[other + axis]) / 2;
    }
  }
  return mesh;
}

/** A lower presence is taken for no face. */
export const MIN_PRESENCE = 0.5;

/** Where to look for the mesh of a detected face. */
export function regionOfFace(face: DetectedFace): Region {
  const { x, y, side } = face;
  return { x, y, side: 1.5 * side, angle: rollOf(face) };
}

/** Where to look for the mesh next, given where it is now. */
export function regionOfLandmarks(points: Float32Array): Region {
  const [right, left] = EYE_CORNERS.map((k) => landmark(points, k));
  const angle = Math.atan2(left[1] - right[1], left[0] - right[0]);
  const all = Array.from(
    { length: LANDMARK_COUNT },
    (_, k) => landmark(points, k),
  );
  return regionAround(all, angle, 1.5);
}

/** Point k of a mesh, in the picture. */
export function landmark(points: Float32Array, k: number): Point {
  return [points[3 * k], points[3 * k + 1]];
}

/** From pixels of the network's input to pixels of the picture; z is scaled alike. */
function toPicture(
  mesh: Float32Array,
  region: Region,
  size: number,
): Float32Array {
  const points = new Float32Array(mesh.length);
  for (let k = 0; k < mesh.length; k += 3) {
    const [x, y] = fromRegion(region, mesh[k] / size, mesh[k + 1] / size);
    points.set([x, y, mesh[k + 2] * region.side / size], k);
  }
  return points;
}
