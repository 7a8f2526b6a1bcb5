/**
 * Which methods compute a convolution of a shape on a kind of device; of each
 * list the first is taken without tuning.
 *
 * @module
 */
import { bestRows, type Variant } from "../matmul/matmul.ts";
import { type Method, SIMPLE, TILE_METHODS } from "../method.ts";
import { isDepthwise } from "./depthwise.ts";
import {
  backwardWalks,
  forwardWalk,
  type Geometry,
  type Walk,
} from "./walk.ts";
import { type Direction, winogradApplies, winogradPays } from "./winograd.ts";

/** Fewest channels for which a tile beats one invocation per 4. */
const NARROW = { simple: Infinity, lanes: 1, tiles: 8 };
/** The same where the tile's columns are numbers of the weight. */
const NARROW_WEIGHT = { simple: Infinity, lanes: 2, tiles: 8 };
/** Heights of row blocks that are worth trying. */
const HEIGHTS = [16, 12, 8, 4];
const MAX_GROUPS = 65535;

/**
 * Ways to compute the convolution.
 *
 * @param bytes the most that the device binds
 */
export function forwardMethods(
  c: Geometry,
  variant: Variant,
  bytes: number,
): readonly Method[] {
  return pixelMethods(c, forwardWalk(c), variant, "forward", bytes);
}

/** Ways to compute its gradient by the image; see {@linkcode forwardMethods}. */
export function backwardDataMethods(
  c: Geometry,
  variant: Variant,
  bytes: number,
): readonly Method[] {
  return pixelMethods(c, backwardWalks(c)[0], variant, "data", bytes);
}

/** Ways to compute its gradient by the weight; see {@linkcode forwardMethods}. */
export function backwardWeightMethods(
  c: Geometry,
  variant: Variant,
  bytes: number,
): readonly Method[] {
  const own: Method[] = isDepthwise(c) ? [{ kernels: "depthwise" }] : [];
  if (c.groups > MAX_GROUPS) return [...own, SIMPLE];
  const direct = directMethods(c.cout, variant);
  const rest = c.cout < NARROW_WEIGHT[variant]
    ? [SIMPLE, ...direct]
    : [...direct, SIMPLE];
  return [...own, ...withWinograd(rest, c, variant, "weight", bytes)];
}

function pixelMethods(
  c: Geometry,
  walk: Walk,
  variant: Variant,
  direction: "forward" | "data",
  bytes: number,
): readonly Method[] {
  const own: Method[] = isDepthwise(c) ? [{ kernels: "depthwise" }] : [];
  // pixels are divided in floating point, and z counts the images
  const fits = walk.oh * walk.ow < 2 ** 24 && c.n * c.groups <= MAX_GROUPS;
  if (!fits) return [...own, SIMPLE];
  const direct = directMethods(walk.rows, variant);
  const rest = walk.rows < NARROW[variant]
    ? [SIMPLE, ...direct]
    : [...direct, SIMPLE];
  return [...own, ...withWinograd(rest, c, variant, direction, bytes)];
}

/** Winograd's method first where it pays, last where it only applies. */
function withWinograd(
  others: readonly Method[],
  c: Geometry,
  variant: Variant,
  direction: Direction,
  bytes: number,
): readonly Method[] {
  if (!winogradApplies(c, variant, direction, bytes)) return others;
  const method: Method = { kernels: "winograd" };
  return winogradPays(c, direction) ? [method, ...others] : [...others, method];
}

/** The kernels of the device in their specialisations for `rows` channels. */
function directMethods(rows: number, variant: Variant): readonly Method[] {
  if (variant === "simple") return [];
  if (variant === "tiles") return TILE_METHODS;
  const best = bestRows(rows);
  const others = HEIGHTS.filter((h) => h !== best && h < 2 * rows);
  return [best, ...others].map((h) => ({ kernels: "lanes", rows: h }));
}
