/**
 * What keeps some of a head's vertices from moving as the others do: eyes that
 * stay the source's, brows that move further (method, sections 3.2 and 3.3).
 * Both are regions of FLAME's template, which is in metres, x to the person's
 * left, y up.
 *
 * @module
 */
import type { WeightTensor } from "../../../weights/mod.ts";

/** Heights of the two rectangles around the eyes; both ends belong to them. */
const EYE_HEIGHTS = [0.011, 0.034] as const;

/** Brows and forehead begin at this height. */
const BROWS = 0.038;

/** The rectangles' sides; as published, the left eye's lacks its outer edge. */
function besideNose(x: number): boolean {
  return (-0.052 <= x && x <= -0.014) || (0.014 <= x && x < 0.053);
}

/**
 * Vertices whose place in the template lies in one of the two rectangles, at
 * any depth: lids, eyeballs and the skin around them.
 *
 * @param template (V, 3)
 */
export function eyeVertices(template: ArrayLike<number>): number[] {
  const vertices: number[] = [];
  for (let v = 0; 3 * v < template.length; v++) {
    const x = template[3 * v], y = template[3 * v + 1];
    const high = EYE_HEIGHTS[0] <= y && y <= EYE_HEIGHTS[1];
    if (high && besideNose(x)) vertices.push(v);
  }
  return vertices;
}

/**
 * Vertices with some of them where they are on another head of the same pose.
 *
 * @param vertices (V, 3); it is changed
 * @param from (V, 3)
 */
export function freeze(
  vertices: Float32Array,
  from: Float32Array,
  frozen: readonly number[],
): void {
  for (const v of frozen) {
    vertices.set(from.subarray(3 * v, 3 * v + 3), 3 * v);
  }
}

/**
 * FLAME's components with the expression of brows and forehead multiplied; 2
 * in the release's `--scale_expressions`.
 *
 * @param components (V, 3, C)
 * @param template (V, 3)
 * @param first where expressions begin among the components
 */
export function scaleBrows(
  { shape, data }: WeightTensor,
  template: ArrayLike<number>,
  first: number,
  scale: number,
): WeightTensor {
  const count = shape[2];
  const scaled = data.map((value, k) => {
    const vertex = Math.floor(k / (3 * count));
    const brow = template[3 * vertex + 1] >= BROWS;
    return brow && k % count >= first ? scale * value : value;
  });
  return { shape, data: scaled };
}
