/**
 * Which part of a FLAME head is its face, softly (method, section 3.4): the
 * published picture `uv_face_eye_mask.png` on the texture map, or, where it is
 * not at hand, a region of the template itself.
 *
 * @module
 */
import { PantomimeError } from "../../errors.ts";
import { readBytes } from "../../media/files.ts";
import { explainDecodeError, plainBytes } from "../../media/picture.ts";
import { loadSharp } from "../../media/sharp.ts";
import type { HeadTopology } from "./topology.ts";

/** Opacity of a head's surface, 0 to 1: of its vertices, or a picture of its texture map. */
export type FaceMask = VertexMask | MapMask;

/** Opacity of each vertex, linear between them. */
export interface VertexMask {
  /** Tells the two apart. */
  readonly kind: "vertices";
  /** (V). */
  readonly opacity: Float32Array;
}

/** Opacity of each texel, bilinear between their centres. */
export interface MapMask {
  /** Tells the two apart. */
  readonly kind: "map";
  /** Texels of a side. */
  readonly side: number;
  /** (side, side), from the upper left corner. */
  readonly opacity: Float32Array;
  /** Where the head's triangles lie on it. */
  readonly topology: HeadTopology;
}

/** The published mask is enlarged to this many texels, each repeated, before it is read bilinearly. */
const MAP_SIDE = 1024;

/**
 * Reads the published mask: its first channel, whatever its opacity.
 *
 * @throws {PantomimeError} when it cannot be read or is not square
 */
export async function readMapMask(
  path: string,
  topology: HeadTopology,
): Promise<MapMask> {
  const bytes = await readBytes(path), sharp = await loadSharp();
  const { data, info } = await sharp(bytes).extractChannel(0)
    .raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true })
    .catch((error) => {
      throw explainDecodeError(error, path);
    });
  if (info.width !== info.height) {
    throw new PantomimeError(
      `"${path}" is ${info.width}x${info.height} pixels, but a mask of the texture map is square; give DECA's uv_face_eye_mask.png.`,
    );
  }
  return mapMask(plainBytes(data), info.width, topology);
}

/** As {@linkcode readMapMask}, from (side, side) bytes. */
export function mapMask(
  bytes: Uint8Array,
  side: number,
  topology: HeadTopology,
): MapMask {
  const nearest = (k: number) => Math.floor(k * side / MAP_SIDE);
  const opacity = Float32Array.from(
    { length: MAP_SIDE * MAP_SIDE },
    (_, k) =>
      bytes[
        nearest(Math.floor(k / MAP_SIDE)) * side + nearest(k % MAP_SIDE)
      ] / 255,
  );
  return { kind: "map", side: MAP_SIDE, opacity, topology };
}

/**
 * The lower edge of the face around a head's vertical axis: degrees from
 * straight ahead, and height above the eyes in distances between the eyes. The
 * 17 landmarks of the jaw on ICT-FaceKit's mean head.
 */
const JAW_LINE = [
  [0, -1.73],
  [9.5, -1.68],
  [21.6, -1.63],
  [34.5, -1.51],
  [48.6, -1.24],
  [58, -0.9],
  [63.5, -0.6],
  [68.6, -0.29],
  [70.7, 0.05],
] as const;

/** Degrees to the side at which the face begins to fade, and where it ends: the ears begin at 79. */
const SIDES = [68, 78] as const;

/** The same for its height, in distances between the eyes: the hair begins at about 1.15. */
const HAIRLINE = [0.9, 1.15] as const;

/** Where the face fades in at the edge of the jaw, from below it to it. */
const JAW_FADE = [-0.12, 0] as const;

/**
 * The face as a region of the template: in front of the ears, between jaw and
 * hairline, eyes included and lids not cut out, as in the published mask. All
 * lengths are relative to the distance of the eyes; the axis goes through the
 * middle of the head, from front to back, above the eyes.
 *
 * @param template (V, 3), x to the person's left, y up, z to the viewer
 * @param eyes (2, 3): the joints of the eyes
 */
export function templateMask(
  template: ArrayLike<number>,
  eyes: ArrayLike<number>,
): VertexMask {
  const unit = Math.hypot(
    ...[0, 1, 2].map((axis) => eyes[axis] - eyes[3 + axis]),
  );
  const middle = (axis: number) => (eyes[axis] + eyes[3 + axis]) / 2;
  const [x, y] = [middle(0), middle(1)], z = axisDepth(template, y);
  const opacity = Float32Array.from(
    { length: template.length / 3 },
    (_, v) => {
      const height = (template[3 * v + 1] - y) / unit;
      const side = Math.abs(
        Math.atan2(template[3 * v] - x, template[3 * v + 2] - z),
      ) * 180 / Math.PI;
      return (1 - ramp(side, SIDES)) * (1 - ramp(height, HAIRLINE)) *
        ramp(height - jawLine(side), JAW_FADE);
    },
  );
  return { kind: "vertices", opacity };
}

/** Half-way between the front and the back of what is above the eyes. */
function axisDepth(template: ArrayLike<number>, eyes: number): number {
  let front = -Infinity, back = Infinity;
  for (let k = 0; k < template.length; k += 3) {
    if (template[k + 1] < eyes) continue;
    front = Math.max(front, template[k + 2]);
    back = Math.min(back, template[k + 2]);
  }
  return (front + back) / 2;
}

/** Height of the jaw's edge at an angle, linear between the landmarks. */
function jawLine(degrees: number): number {
  const next = JAW_LINE.findIndex(([at]) => degrees < at);
  if (next < 0) return JAW_LINE[JAW_LINE.length - 1][1];
  const [from, low] = JAW_LINE[next - 1], [to, high] = JAW_LINE[next];
  return low + (high - low) * (degrees - from) / (to - from);
}

/** 0 below the first bound, 1 above the second, smooth between. */
function ramp(value: number, [low, high]: readonly [number, number]): number {
  const t = Math.min(1, Math.max(0, (value - low) / (high - low)));
  return t * t * (3 - 2 * t);
}
