/**
 * What DECA's encoder says about a face, and how a target's expression goes to
 * the source (method, sections 3.2 and 11.1). Albedo and light are not kept:
 * they would only be seen where the face's mask is half transparent.
 *
 * @module
 */
import type { Device } from "../../../engine/mod.ts";
import type { Picture } from "../../media/picture.ts";
import { decaCrop, warpCrop } from "./crop.ts";
import { DECA_SIDE, type DecaEncoder, decaParts } from "./encoder.ts";

/** Shape, expression, pose and camera of one face. */
export interface DecaCodes {
  /** 100 coefficients of FLAME's shape components. */
  readonly shape: Float32Array;
  /** 50 coefficients of FLAME's expression components. */
  readonly exp: Float32Array;
  /** Axis times angle of the head (3) and of the jaw (3). */
  readonly pose: Float32Array;
  /** Scale and translation (x, y) of the orthographic camera. */
  readonly cam: Float32Array;
}

/** What a target gives to the source. */
export interface FlameExpression {
  /** 50 coefficients of FLAME's expression components. */
  readonly exp: Float32Array;
  /** Axis times angle of the jaw. */
  readonly jaw: Float32Array;
}

/** Where the jaw begins in a pose. */
const JAW = 3;

/** Frames that the published smoothing averages. */
const WINDOW = 5;

/**
 * The codes of a face.
 *
 * @param points FaceMesh's points of the face, 468 x (x, y, z) in pixels of the picture
 */
export async function encodeFace(
  device: Device,
  encoder: DecaEncoder,
  picture: Picture,
  points: ArrayLike<number>,
): Promise<DecaCodes> {
  using _scope = device.scope();
  const pixels = warpCrop(picture, decaCrop(points), DECA_SIDE);
  const parts = device.withoutTape(() => {
    const x = device.tensor(pixels, [1, 3, DECA_SIDE, DECA_SIDE]);
    return decaParts(encoder.codes(x));
  });
  const [shape, exp, pose, cam] = await device.read(
    parts.shape,
    parts.exp,
    parts.pose,
    parts.cam,
  );
  return { shape, exp, pose, cam };
}

/** The expression of a face. */
export function expressionOf({ exp, pose }: DecaCodes): FlameExpression {
  return { exp, jaw: pose.slice(JAW) };
}

/**
 * The source with a target's expression and jaw: everything else stays, and
 * nothing is measured from the target's face at rest.
 */
export function transferExpression(
  source: DecaCodes,
  { exp, jaw }: FlameExpression,
): DecaCodes {
  return {
    ...source,
    exp,
    pose: Float32Array.of(...source.pose.subarray(0, JAW), ...jaw),
  };
}

/**
 * An expression on the way from the source's own to a target's, or beyond, and
 * then added to. The published one is the target's: `scale` 1.
 *
 * @param add by index of the component, from 0
 */
export function changeExpression(
  own: FlameExpression,
  target: FlameExpression,
  scale: number,
  add: ReadonlyMap<number, number> = new Map(),
): FlameExpression {
  const towards = (from: Float32Array, to: Float32Array) =>
    to.map((v, k) => from[k] + scale * (v - from[k]));
  return {
    exp: towards(own.exp, target.exp).map((v, k) => v + (add.get(k) ?? 0)),
    jaw: towards(own.jaw, target.jaw),
  };
}

/**
 * The published smoothing: frame i is the mean of five, the last of which it
 * is; the first five share their mean.
 */
export function smoothExpressions(
  frames: readonly FlameExpression[],
): FlameExpression[] {
  return frames.map((_, i) => {
    const start = Math.max(0, i - WINDOW + 1);
    const window = frames.slice(start, start + WINDOW);
    const mean = (of: (frame: FlameExpression) => Float32Array) =>
      of(frames[i]).map((_, k) =>
        window.reduce((sum, frame) => sum + of(frame)[k], 0) / window.length
      );
    return { exp: mean(({ exp }) => exp), jaw: mean(({ jaw }) => jaw) };
  });
}
