/**
 * The aligned portrait: a picture resampled into the generator's framing (method 2.2's GAN crop).
 *
 * The crop comes out of the camera fit (`pose.ts`): scale, place and turn are those for which the
 * canonical mesh, seen by the fitted camera, falls on the face. Seen from the front the eyes then lie
 * at 46.8 % of the height with the pupils 22 % of the width apart. The head's roll is taken out by
 * turning the crop, because the generator's training cameras have none.
 *
 * Where the crop reaches beyond the picture, the picture is mirrored and blurred more the farther
 * out (the release leaves black corners; FFHQ's own alignment mirrors and blurs).
 *
 * @module
 */
import type { Picture } from "../media/picture.ts";
import type { Cam2World, CameraAngles } from "./camera.ts";
import { fitCamera, type Placement } from "./pose.ts";

/** A face in the generator's framing. */
export interface AlignedPortrait {
  /** The square crop. */
  readonly picture: Picture;
  /** Where the crop lies in the original picture. */
  readonly placement: Placement;
  /** The camera from which the generator sees this face, row-major 4x4; no roll in this framing. */
  readonly cam2world: Cam2World;
  /** The head's pose in the original picture, degrees. */
  readonly angles: CameraAngles;
  /** FaceMesh's points in pixels of the crop, 468 x (x, y, z). */
  readonly landmarks: Float64Array;
  /** How much larger the head is than in this framing, where the crop is another's; 1 when left out. */
  readonly headScale?: number;
}

/** Fits camera and crop to a face and resamples the picture to `size` x `size`. */
export function alignPortrait(
  picture: Picture,
  landmarks: ArrayLike<number>,
  size: number,
): AlignedPortrait {
  const { cam2world, angles, placement } = fitCamera(landmarks);
  return {
    picture: cropPicture(picture, placement, size),
    placement,
    cam2world,
    angles,
    landmarks: landmarksInCrop(landmarks, placement, size),
  };
}

/** Landmarks of the picture (468 x 3, pixels) in pixels of the crop; depth is scaled alike. */
export function landmarksInCrop(
  landmarks: ArrayLike<number>,
  { x, y, side, angle }: Placement,
  size: number,
): Float64Array {
  const [c, s, k] = [Math.cos(angle), Math.sin(angle), size / side];
  const out = new Float64Array(landmarks.length);
  for (let i = 0; i < out.length; i += 3) {
    const [dx, dy] = [landmarks[i] - x, landmarks[i + 1] - y];
    out[i] = size / 2 + k * (c * dx + s * dy);
    out[i + 1] = size / 2 + k * (-s * dx + c * dy);
    out[i + 2] = k * landmarks[i + 2];
  }
  return out;
}

/** Resamples the crop at `placement` to `size` x `size` pixels. */
export function cropPicture(
  picture: Picture,
  { x, y, side, angle }: Placement,
  size: number,
): Picture {
  const [c, s, step] = [Math.cos(angle), Math.sin(angle), side / size];
  const taps = Math.max(1, Math.ceil(step));
  const levels = pyramid(picture);
  const data = new Uint8ClampedArray(3 * size * size);
  const colour = new Float64Array(3);
  for (let j = 0; j < size; j++) {
    for (let i = 0; i < size; i++) {
      colour.fill(0);
      for (let tap = 0; tap < taps * taps; tap++) {
        const u = (i + (tap % taps + 0.5) / taps - size / 2) * step;
        const v = (j + (Math.floor(tap / taps) + 0.5) / taps - size / 2) * step;
        addSample(levels, x + c * u - s * v, y + s * u + c * v, colour);
      }
      for (let k = 0; k < 3; k++) {
        data[3 * (j * size + i) + k] = colour[k] / (taps * taps);
      }
    }
  }
  return { width: size, height: size, data };
}

/**
 * Puts a crop back where it was taken from.
 *
 * @param picture the original picture; it is copied
 * @param crop square, any size
 * @param mask opacity of each pixel of the crop, 0 to 1; all opaque when left out
 */
export function pasteCrop(
  picture: Picture,
  crop: Picture,
  { x, y, side, angle }: Placement,
  mask?: ArrayLike<number>,
): Picture {
  const [c, s, k] = [Math.cos(angle), Math.sin(angle), crop.width / side];
  const data = Uint8ClampedArray.from(picture.data);
  const level = { ...levelOf(crop), scale: 1 };
  const colour = new Float64Array(3);
  for (let j = 0; j < picture.height; j++) {
    for (let i = 0; i < picture.width; i++) {
      const [dx, dy] = [i + 0.5 - x, j + 0.5 - y];
      const u = crop.width / 2 + k * (c * dx + s * dy);
      const v = crop.width / 2 + k * (-s * dx + c * dy);
      if (u < 0 || v < 0 || u >= crop.width || v >= crop.width) continue;
      const opacity = mask?.[Math.floor(v) * crop.width + Math.floor(u)] ?? 1;
      if (opacity === 0) continue;
      colour.fill(0);
      addCubic(level, u, v, colour, 1);
      const at = 3 * (j * picture.width + i);
      for (let n = 0; n < 3; n++) {
        data[at + n] += opacity * (colour[n] - data[at + n]);
      }
    }
  }
  return { width: picture.width, height: picture.height, data };
}

/** One level of a pyramid; `scale` is how many original pixels one of its pixels spans. */
interface Level {
  readonly width: number;
  readonly height: number;
  readonly data: ArrayLike<number>;
  readonly scale: number;
}

function levelOf({ width, height, data }: Picture): Level {
  return { width, height, data, scale: 1 };
}

/** The picture and its halvings by 2x2 means, down to a few pixels. */
function pyramid(picture: Picture): Level[] {
  const levels = [levelOf(picture)];
  for (;;) {
    const last = levels[levels.length - 1];
    if (Math.min(last.width, last.height) < 8) return levels;
    levels.push(halved(last));
  }
}

function halved({ width, height, data, scale }: Level): Level {
  const [w, h] = [width >> 1, height >> 1];
  const out = new Float32Array(3 * w * h);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      for (let k = 0; k < 3; k++) {
        const at = 3 * (2 * y * width + 2 * x) + k;
        const sum = data[at] + data[at + 3] + data[at + 3 * width] +
          data[at + 3 * width + 3];
        out[3 * (y * w + x) + k] = sum / 4;
      }
    }
  }
  return { width: w, height: h, data: out, scale: 2 * scale };
}

/** Distance from x to the interval [0, length]. */
function outside(x: number, length: number): number {
  return Math.max(-x, x - length, 0);
}

/** x mirrored into [0, length]. */
function mirrored(x: number, length: number): number {
  const t = ((x % (2 * length)) + 2 * length) % (2 * length);
  return t > length ? 2 * length - t : t;
}

/** Adds the picture's colour at (x, y): cubic inside, mirrored and ever more blurred outside. */
function addSample(
  levels: readonly Level[],
  x: number,
  y: number,
  colour: Float64Array,
): void {
  const [{ width, height }] = levels;
  const away = Math.hypot(outside(x, width), outside(y, height));
  if (away === 0) return addCubic(levels[0], x, y, colour, 1);
  const [mx, my] = [mirrored(x, width), mirrored(y, height)];
  const blur = Math.min(Math.log2(1 + away / 4), levels.length - 1.001);
  const lower = Math.floor(blur);
  addCubic(levels[lower], mx, my, colour, 1 - (blur - lower));
  addCubic(levels[lower + 1], mx, my, colour, blur - lower);
}

/** Catmull-Rom weights of the four neighbours for a fraction t. */
function cubicWeights(t: number): readonly number[] {
  return [
    t * (-0.5 + t * (1 - 0.5 * t)),
    1 + t * t * (-2.5 + 1.5 * t),
    t * (0.5 + t * (2 - 1.5 * t)),
    t * t * (-0.5 + 0.5 * t),
  ];
}

/** Adds `weight` times a level's colour at (x, y) of the original picture, edges repeated. */
function addCubic(
  level: Level,
  x: number,
  y: number,
  colour: Float64Array,
  weight: number,
): void {
  const { width, height, data, scale } = level;
  const [u, v] = [x / scale - 0.5, y / scale - 0.5];
  const [u0, v0] = [Math.floor(u), Math.floor(v)];
  const [wx, wy] = [cubicWeights(u - u0), cubicWeights(v - v0)];
  for (let j = 0; j < 4; j++) {
    const row = Math.min(Math.max(v0 + j - 1, 0), height - 1) * width;
    for (let i = 0; i < 4; i++) {
      const at = 3 * (row + Math.min(Math.max(u0 + i - 1, 0), width - 1));
      const w = weight * wy[j] * wx[i];
      colour[0] += w * data[at];
      colour[1] += w * data[at + 1];
      colour[2] += w * data[at + 2];
    }
  }
}
