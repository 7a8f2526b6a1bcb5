/**
 * The canonical FaceMesh: where FaceMesh sees its 468 points on the mean neutral head, in the
 * generator's world (x right, y up, z to the frontal camera; the point between the eyes near
 * (0, 0.019, 0.17)). Measured from the renders of known camera by `measure_canonical.ts`.
 *
 * @module
 */
import canonical from "./canonical.json" with { type: "json" };

/** How many points FaceMesh gives. */
export const POINTS = 468;

/** Mean neutral face, 468 x (x, y, z) in world units, left-right symmetric. */
export const CANONICAL: Float64Array = Float64Array.from(
  canonical.points,
  (value) => value * canonical.unit,
);

/** For each point the index of its mirror image; points of the middle are their own. */
export const MIRROR: readonly number[] = mirrorOf(CANONICAL);

/**
 * Points that expressions hardly move: nose, bridge, eye corners, the rims below the eyes, forehead
 * above the brows, temples, cheek bones and the angles of the jaw. Head poses are fitted on them.
 */
export const RIGID_POINTS: readonly number[] = [
  ...[168, 6, 197, 195, 5, 4, 1, 19, 2, 98, 327, 94, 97, 326, 64, 294], // nose
  ...[129, 358, 115, 344, 220, 440, 45, 275],
  ...[8, 9, 193, 417, 122, 351, 196, 419, 3, 248, 174, 399, 188, 412, 245, 465], // bridge
  ...[33, 133, 362, 263], // eye corners
  ...[119, 120, 121, 118, 117, 111, 348, 349, 350, 347, 346, 340], // below the eyes
  ...[230, 450, 231, 451, 229, 449],
  ...[
    10,
    151,
    67,
    297,
    109,
    338,
    103,
    332,
    54,
    284,
    108,
    337,
    69,
    299,
    104,
    333,
  ], // forehead
  ...[127, 356, 234, 454, 162, 389, 21, 251, 93, 323, 139, 368, 71, 301], // temples
  ...[116, 345, 123, 352, 227, 447, 137, 366, 50, 280, 101, 330, 36, 266], // cheek bones
  ...[205, 425, 187, 411],
  ...[132, 361, 58, 288, 172, 397], // angles of the jaw
];

/** Pairs each point with the one nearest to its reflection in the plane x = 0. */
function mirrorOf(points: ArrayLike<number>): number[] {
  const nearest = (i: number): number => {
    let best = i;
    let bestDistance = Infinity;
    for (let j = 0; j < points.length / 3; j++) {
      const distance = Math.hypot(
        points[3 * i] + points[3 * j],
        points[3 * i + 1] - points[3 * j + 1],
        points[3 * i + 2] - points[3 * j + 2],
      );
      if (distance < bestDistance) [best, bestDistance] = [j, distance];
    }
    return best;
  };
  return Array.from({ length: points.length / 3 }, (_, i) => nearest(i));
}
