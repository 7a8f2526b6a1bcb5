/**
 * The published crop (method 2.2): five points of a face are laid over five points of a mean head by
 * a weak-perspective fit ("pose from orthography and scaling"); its scale and shift give the crop,
 * its rotation is left in the picture. Everything is kept as published, the rounding to whole pixels
 * and the black beyond the edges included, so that crops match those of other programs.
 *
 * Pantomime's own crop (`crop.ts`) comes out of the camera fit instead; `framing.ts` says which
 * generator wants which.
 *
 * @module
 */
import { PantomimeError } from "../errors.ts";
import { crop, type Picture, resize } from "../media/picture.ts";
import { solve } from "./linear.ts";
import type { Placement } from "./pose.ts";
import type { Point } from "./region.ts";

/**
 * Left eye, right eye (as the picture shows them), tip of the nose, left and right corner of the
 * mouth: pixels of the picture, y down.
 */
export type FivePoints = readonly [Point, Point, Point, Point, Point];

/**
 * The five points on the mean head of the Basel Face Model, x right, y up, z to the viewer; they are
 * the means that stock Deep3DFaceRecon takes of its 68 reference points.
 */
export const REFERENCE_POINTS: readonly (readonly [number, number, number])[] =
  [
    [-0.31148657, 0.29036078, 0.13377953],
    [0.30979887, 0.28972036, 0.13179526],
    [0.0032535, -0.04617932, 0.55244243],
    [-0.25216928, -0.38133916, 0.22405732],
    [0.2484662, -0.38128236, 0.22235769],
  ];

/** A weak-perspective fit: x = R1 . X + tx, y = R2 . X + ty. */
export interface WeakPerspective {
  /** (|R1| + |R2|) / 2: pixels for one unit of the head. */
  readonly scale: number;
  /** Where the head's origin appears, in the axes of the points. */
  readonly translation: Point;
}

/**
 * The least-squares fit of eight unknowns to points of a head.
 *
 * @param points two coordinates of each point
 * @param head the same points of the head
 * @throws {RangeError} when there are fewer than four points or not as many of both
 */
export function fitWeakPerspective(
  points: readonly Point[],
  head: readonly (readonly [number, number, number])[] = REFERENCE_POINTS,
): WeakPerspective {
  if (points.length !== head.length || points.length < 4) {
    throw new RangeError(
      `${points.length} points cannot be fitted to ${head.length} of a head`,
    );
  }
  const rows = head.map((p) => [...p, 1]);
  const normal = [0, 1, 2, 3].map((a) =>
    [0, 1, 2, 3].map((b) => rows.reduce((sum, r) => sum + r[a] * r[b], 0))
  );
  const fitted = [0, 1].map((axis) =>
    solve(
      normal,
      [0, 1, 2, 3].map((a) =>
        rows.reduce((sum, r, k) => sum + r[a] * points[k][axis], 0)
      ),
    )
  );
  const [first, second] = fitted.map(([x, y, z]) => Math.hypot(x, y, z));
  return {
    scale: (first + second) / 2,
    translation: [fitted[0][3], fitted[1][3]],
  };
}

/** What is cut out of the picture after it was scaled to `width` x `height`. */
export interface ScaledCrop {
  /** Pixels of the scaled picture's width. */
  readonly width: number;
  /** Pixels of its height. */
  readonly height: number;
  /** First column of the crop; may be negative. */
  readonly left: number;
  /** First row of the crop; may be negative. */
  readonly top: number;
  /** Side of the crop. */
  readonly side: number;
}

/** Side of the crop before anything is cut off or scaled down. */
const CROP_SIDE = 1024;

/** What the generator's crop keeps of it, in the middle. */
const GAN_WINDOW = 700;

/** Side of the generator's pictures. */
const GAN_SIDE = 512;

/** Pixels of the crop for one unit of the head in the generator's pictures. */
export const GAN_RESCALE = 300;

/** Side of the pose network's input. */
const POSE_SIDE = 224;

/** The same for the pose network: 102 pixels for a unit after scaling 1024 to 224. */
export const POSE_RESCALE = 466.285;

/**
 * Where the published crop lies.
 *
 * @param width pixels of the picture
 * @param height pixels of the picture
 * @param rescale pixels for one unit of the head: {@linkcode GAN_RESCALE} or {@linkcode POSE_RESCALE}
 */
export function publishedCrop(
  width: number,
  height: number,
  points: FivePoints,
  rescale: number,
): ScaledCrop {
  const upright = points.map(([x, y]): Point => [x, height - 1 - y]);
  const { scale, translation: [tx, ty] } = fitWeakPerspective(upright);
  const s = rescale / scale;
  const w = Math.trunc(width * s), h = Math.trunc(height * s);
  const half = CROP_SIDE / 2;
  return {
    width: w,
    height: h,
    left: Math.trunc(w / 2 - half + (tx - width / 2) * s),
    top: Math.trunc(h / 2 - half + (height / 2 - ty) * s),
    side: CROP_SIDE,
  };
}

/**
 * Where the crop of {@linkcode ganCrop} lies in the picture.
 *
 * @param width pixels of the picture
 * @param height pixels of the picture
 */
export function publishedPlacement(
  width: number,
  height: number,
  points: FivePoints,
): Placement {
  const whole = publishedCrop(width, height, points, GAN_RESCALE);
  const half = CROP_SIDE / 2, scale = width / whole.width;
  return {
    x: (whole.left + half) * scale,
    y: (whole.top + half) * scale,
    side: GAN_WINDOW * scale,
    angle: 0,
  };
}

/**
 * The crop that generators trained as published are shown: 512 pixels, the middle 700 of 1024.
 *
 * @throws {PantomimeError} when the face is too small to be enlarged so far
 */
export async function ganCrop(
  picture: Picture,
  points: FivePoints,
): Promise<Picture> {
  const { width, height } = picture;
  const whole = publishedCrop(width, height, points, GAN_RESCALE);
  const cut = (CROP_SIDE - GAN_WINDOW) / 2;
  const middle = await cropScaled(picture, {
    ...whole,
    left: whole.left + cut,
    top: whole.top + cut,
    side: GAN_WINDOW,
  });
  return await resize(middle, GAN_SIDE, GAN_SIDE);
}

/**
 * The crop that the pose network is shown: 224 pixels.
 *
 * @throws {PantomimeError} when the face is too small to be enlarged so far
 */
export async function poseCrop(
  picture: Picture,
  points: FivePoints,
): Promise<Picture> {
  const { width, height } = picture;
  const whole = publishedCrop(width, height, points, POSE_RESCALE);
  return await resize(await cropScaled(picture, whole), POSE_SIDE, POSE_SIDE);
}

/** Pixels of a scaled picture that are still made. */
const MOST_PIXELS = 120_000_000;

/** Scales the whole picture (Lanczos), as published, and cuts; black beyond the edges. */
async function cropScaled(
  picture: Picture,
  { width, height, left, top, side }: ScaledCrop,
): Promise<Picture> {
  if (width * height > MOST_PIXELS) {
    throw new PantomimeError(
      `The picture would have to be enlarged to ${width}x${height} pixels for its face to fill the crop; cut it down first.`,
    );
  }
  const data = new Uint8Array(3 * side * side);
  const x0 = Math.max(0, left), x1 = Math.min(width, left + side);
  const y0 = Math.max(0, top), y1 = Math.min(height, top + side);
  if (x0 >= x1 || y0 >= y1) return { width: side, height: side, data };
  const scaled = await resize(picture, width, height);
  const seen = crop(scaled, {
    left: x0,
    top: y0,
    width: x1 - x0,
    height: y1 - y0,
  });
  for (let y = 0; y < seen.height; y++) {
    const row = seen.data.subarray(
      3 * y * seen.width,
      3 * (y + 1) * seen.width,
    );
    data.set(row, 3 * ((y0 - top + y) * side + x0 - left));
  }
  return { width: side, height: side, data };
}

/** FaceMesh's points that stand for the five: corners of both eyes, tip of the nose, mouth. */
const EYE_CORNERS = [[33, 133], [263, 362]] as const;
const NOSE_TIP = 1;
const MOUTH_CORNERS = [61, 291] as const;

/**
 * The five points of a face that FaceMesh has found; the published method takes them from MTCNN.
 *
 * @param landmarks 468 x (x, y, z) in pixels of the picture
 */
export function fivePoints(landmarks: ArrayLike<number>): FivePoints {
  const at = (i: number): Point => [landmarks[3 * i], landmarks[3 * i + 1]];
  const eye = ([a, b]: readonly [number, number]): Point => [
    (at(a)[0] + at(b)[0]) / 2,
    (at(a)[1] + at(b)[1]) / 2,
  ];
  return [
    eye(EYE_CORNERS[0]),
    eye(EYE_CORNERS[1]),
    at(NOSE_TIP),
    at(MOUTH_CORNERS[0]),
    at(MOUTH_CORNERS[1]),
  ];
}
