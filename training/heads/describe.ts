/**
 * What latents mean as numbers that a picture depends on one by one: a mapping
 * network that is first taught to lay them out has the axes of its heads.
 *
 * @module
 */
import type { Cast } from "./cast.ts";
import type { DescribedHeads } from "./interface.ts";
import { LATENT, normalShare, recipeOf } from "./latent.ts";
import { skinShares } from "./skins.ts";
import { HAIR_STYLES } from "./wardrobe.ts";

/** Describes latents of `width` numbers each. */
export function describe(
  cast: Cast,
  z: Float32Array,
  width: number,
): DescribedHeads {
  const rows: number[][] = [];
  for (let at = 0; at < z.length; at += width) {
    rows.push(describeOne(cast, z.subarray(at, at + width)));
  }
  return { width: rows[0].length, values: Float32Array.from(rows.flat()) };
}

function describeOne(cast: Cast, z: Float32Array): number[] {
  const recipe = recipeOf(z);
  const shares = skinShares(cast.skinPlaces, recipe.skin);
  const skin = [0, 1, 2].map((c) =>
    cast.skinMeans.reduce((sum, mean, k) => sum + shares[k] * mean[c], 0)
  );
  const styles = Array.from(
    { length: HAIR_STYLES.length + 1 },
    (_, k) => k === recipe.style ? 1 : 0,
  );
  const vivid = 1 - Math.abs(2 * normalShare(z[34]) - 1);
  return [
    ...z.subarray(0, 20),
    ...cast.expressions.weights(z),
    ...shares,
    ...skin,
    ...styles,
    ...recipe.hair.map(Math.log),
    recipe.brow,
    recipe.beard,
    recipe.light[0],
    recipe.light[1],
    recipe.ambient,
    normalShare(z[33]),
    normalShare(z[34]),
    vivid * Math.sin(2 * z[35]),
    vivid * Math.sin(2 * z[35] + 2.1),
    ...z.subarray(LATENT),
    ...(z.length > LATENT ? [recipe.glasses ? 1 : 0] : []),
  ];
}
