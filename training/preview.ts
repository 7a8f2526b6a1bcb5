/**
 * Preview sheets: heads as they should look, above what the generator draws.
 *
 * @module
 */
import { gridOf } from "../pipeline/media/grid.ts";
import { type Picture, writePicture } from "../pipeline/media/picture.ts";
import { depthPicture } from "../pipeline/generator/maps.ts";
import { pictureOf } from "../pipeline/results.ts";
import type { Drawn } from "./heldout.ts";
import { type Shots, viewOf } from "./shots.ts";

/** Distances that are shown white and black. */
const NEAR = 2.35, FAR = 3;

/** Targets, renders and their distances, row below row, a column for each view. */
export function previewSheet(shots: Shots, drawn: readonly Drawn[]): Picture {
  const shown = drawn.slice(0, shots.heads * shots.views);
  return gridOf([
    shown.map((_, k) => pictureOf(viewOf(shots, k).picture)),
    shown.map(({ image }) => pictureOf(image)),
    shown.map(({ depth }) => enlarged(depth, shots.side)),
  ]);
}

/**
 * Writes a sheet.
 *
 * @throws {PantomimeError} when the disk is full or the place cannot be written to
 */
export async function writePreview(
  path: string,
  shots: Shots,
  drawn: readonly Drawn[],
): Promise<void> {
  await writePicture(path, previewSheet(shots, drawn));
}

/** Distances in shades of grey, each pixel as large as it is in the picture. */
function enlarged(depth: Float32Array, side: number): Picture {
  const grey = depthPicture(depth, { near: NEAR, far: FAR });
  const own = Math.sqrt(depth.length), factor = side / own;
  const planar = Float32Array.from({ length: 3 * side * side }, (_, k) => {
    const plane = Math.floor(k / side ** 2), at = k % side ** 2;
    const row = Math.floor(Math.floor(at / side) / factor);
    const column = Math.floor((at % side) / factor);
    return 2 * grey[(plane * own + row) * own + column] - 1;
  });
  return pictureOf(planar);
}
