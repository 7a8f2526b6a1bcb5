/**
 * Mouth inpainting (method, section 5.2): a feathered hole around the opened
 * mouth is filled with stage C's render, everything else is the edited photo.
 *
 * @module
 */
import type { FrameTarget } from "./targets.ts";

/** Settings of {@linkcode inpaintMouth}, in shares of the picture's side. */
export interface InpaintSettings {
  /** How far the hole is widened; published: 16 / 512. */
  margin: number;
  /** Sigma of the feather; published: 3 / 512. */
  feather: number;
  /**
   * Share of the hole's own dark that stays, 0 as published. A generator whose
   * open mouths are soft would otherwise fill the mouth with skin.
   */
  cavity: number;
}

/** Where the feather's kernel ends, in sigmas; published: 9 pixels wide at a sigma of 3. */
const FEATHER_REACH = 4 / 3;

/** The published settings. */
export const PUBLISHED_INPAINTING: InpaintSettings = {
  margin: 16 / 512,
  feather: 3 / 512,
  cavity: 0,
};

/**
 * B' edited + (1 - B') render, with B' = blur(erode(1 - hole)), of which
 * `cavity` leaves a share unfilled.
 *
 * @param target frame of side S
 * @param render (3, S, S) in [-1, 1]
 * @returns (3, S, S)
 */
export function inpaintMouth(
  target: FrameTarget,
  render: Float32Array,
  side: number,
  settings: InpaintSettings,
): Float32Array {
  const wide = dilate(
    target.hole.map((v) => v > 0.5 ? 1 : 0),
    side,
    settings.margin * side,
  );
  const sigma = settings.feather * side;
  const feathered = blur(wide, side, sigma, FEATHER_REACH * sigma);
  const pixels = side * side;
  return target.edited.map((v, k) => {
    const fill = (1 - settings.cavity) * feathered[k % pixels];
    return (1 - fill) * v + fill * render[k];
  });
}

/** Largest value within a square of half-width `radius` pixels, axis by axis. */
export function dilate(
  mask: Float32Array,
  side: number,
  radius: number,
): Float32Array {
  const reach = Math.round(radius);
  return alongBothAxes(mask, side, (line, k) => {
    let largest = 0;
    for (let d = -reach; d <= reach; d++) {
      largest = Math.max(largest, line(k + d));
    }
    return largest;
  });
}

/**
 * Gaussian blur; values beyond the border repeat the border.
 *
 * @param extent how many pixels the kernel has on each side of its middle: the published ones end early
 */
export function blur(
  mask: Float32Array,
  side: number,
  sigma: number,
  extent: number,
): Float32Array {
  if (sigma <= 0) return mask;
  const reach = Math.round(extent);
  const taps = Array.from(
    { length: 2 * reach + 1 },
    (_, k) => Math.exp(-0.5 * ((k - reach) / sigma) ** 2),
  );
  const total = taps.reduce((a, b) => a + b);
  return alongBothAxes(mask, side, (line, k) => {
    let sum = 0;
    taps.forEach((tap, d) => sum += tap * line(k + d - reach));
    return sum / total;
  });
}

type Line = (k: number) => number;

function alongBothAxes(
  mask: Float32Array,
  side: number,
  value: (line: Line, k: number) => number,
): Float32Array {
  const inside = (k: number) => Math.min(side - 1, Math.max(0, k));
  const rows = new Float32Array(mask.length),
    both = new Float32Array(mask.length);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      rows[y * side + x] = value((k) => mask[y * side + inside(k)], x);
    }
  }
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      both[y * side + x] = value((k) => rows[inside(k) * side + x], y);
    }
  }
  return both;
}
