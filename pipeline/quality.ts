/**
 * How good a result is, measured on its own pictures.
 *
 * @module
 */
import {
  type Cam2World,
  cameraDifference,
  cameraFromAngles,
} from "./face/camera.ts";
import { type FaceDescriber, identitySimilarity } from "./face/description.ts";
import type { FaceNetworks } from "./face/find.ts";
import { fitCamera } from "./face/pose.ts";
import { trackFace } from "./face/track.ts";
import type { Picture } from "./media/picture.ts";
import { recordMotion } from "./reenactment/motion.ts";

/** Figures of `report.json`. */
export interface Quality {
  /** Decibels between the source's view and the aligned portrait. */
  sourcePsnr: number | null;
  /** Mean cosine similarity of the frames' face descriptors to the source's. */
  identity: number | null;
  /** Mean angle between the head pose of the frames and the pose asked for. */
  poseErrorDegrees: number | null;
  /** Correlation of the frames' mouth opening with the performance's. */
  mouthCorrelation: number | null;
  /** Frames in which a face was found. */
  framesWithFace: number;
}

/** What the frames are measured against. */
export interface Expectation {
  /** The aligned portrait. */
  portrait: Picture;
  /** Camera asked for, one a frame. */
  cameras: readonly Cam2World[];
  /** Mouth opening asked for, one a frame. */
  mouthOpening: readonly number[];
  /** {@linkcode psnr} of the source's view, if it was rendered. */
  sourcePsnr: number | null;
}

/** 10 log10(255^2 / mean squared error) of the bytes of two pictures. */
export function psnr(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += (a[k] - b[k]) ** 2;
  return 10 * Math.log10(255 ** 2 * a.length / sum);
}

/**
 * Measures frames with the face networks.
 *
 * @param onFrame called after each frame
 */
export async function measureQuality(
  networks: FaceNetworks,
  describer: FaceDescriber,
  frames: readonly Picture[],
  expected: Expectation,
  onFrame: (done: number) => void,
): Promise<Quality> {
  const meshes = [];
  for await (const found of trackFace(networks, frames)) {
    meshes.push(found?.points ?? null);
    onFrame(meshes.length);
  }
  const seen = meshes.flatMap((points, k) => points ? [{ k, points }] : []);
  const common = {
    sourcePsnr: expected.sourcePsnr,
    framesWithFace: seen.length,
  };
  if (seen.length === 0) {
    return {
      ...common,
      identity: null,
      poseErrorDegrees: null,
      mouthCorrelation: null,
    };
  }
  const errors = seen.map(({ k, points }) => {
    const { angles } = fitCamera(points, { roll: "camera" });
    return cameraDifference(cameraFromAngles(angles), expected.cameras[k]);
  });
  const opened = recordMotion(seen.map(({ points }) => points), 1).frames;
  return {
    ...common,
    identity: await meanIdentity(
      networks,
      describer,
      frames,
      seen,
      expected.portrait,
    ),
    poseErrorDegrees: mean(errors),
    mouthCorrelation: correlation(
      opened.map(({ mouthOpening }) => mouthOpening),
      seen.map(({ k }) => expected.mouthOpening[k]),
    ),
  };
}

async function meanIdentity(
  networks: FaceNetworks,
  describer: FaceDescriber,
  frames: readonly Picture[],
  seen: readonly { k: number; points: Float32Array }[],
  portrait: Picture,
): Promise<number | null> {
  const [own] = await Array.fromAsync(trackFace(networks, [portrait]));
  if (!own) return null;
  const source = await describer.describe(portrait, own.points);
  const similarities = [];
  for (const { k, points } of seen) {
    const { descriptor } = await describer.describe(frames[k], points);
    similarities.push(identitySimilarity(source.descriptor, descriptor));
  }
  return mean(similarities);
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/** Pearson's correlation; null when either side does not vary. */
export function correlation(
  a: readonly number[],
  b: readonly number[],
): number | null {
  const ma = mean(a), mb = mean(b);
  let ab = 0, aa = 0, bb = 0;
  a.forEach((v, k) => {
    ab += (v - ma) * (b[k] - mb);
    aa += (v - ma) ** 2;
    bb += (b[k] - mb) ** 2;
  });
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : null;
}
