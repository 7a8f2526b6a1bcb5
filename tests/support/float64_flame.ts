/**
 * FLAME in plain TypeScript and float64, vertex by vertex, with the published
 * way of taking the length of a rotation (1e-8 added to each number).
 *
 * @module
 */
import type { NumberArray } from "../../engine/ops/conformance.ts";
import { formula } from "../../engine/ops/formula.ts";
import type { WeightTensor } from "../../weights/mod.ts";

/** Joints: root, neck, jaw, two eyes. */
export const PARENTS = [-1, 0, 1, 1, 1];
const STORED = 400, FIRST_EXPRESSION = 300;

/** A head of few vertices by formula, in the published layout. */
export function smallFlame(vertices: number): Map<string, WeightTensor> {
  const tensor = (name: string, shape: number[], scale = 1, shift = 0) => ({
    shape,
    data: formula(`flame ${name}`, shape, scale, shift),
  });
  const weights = tensor("weights", [vertices, 5], 0.5, 0.5);
  for (let v = 0; v < vertices; v++) {
    const row = weights.data.subarray(5 * v, 5 * v + 5);
    const total = row.reduce((a, b) => a + b, 0);
    row.forEach((w, j) => row[j] = w / total);
  }
  const faces = formula("faces", [3 * vertices], 0.5, 0.5)
    .map((v) => Math.floor(v * vertices));
  return new Map([
    ["v_template", tensor("template", [vertices, 3], 0.1)],
    ["shapedirs", tensor("shapes", [vertices, 3, STORED], 0.01)],
    ["posedirs", tensor("poses", [vertices, 3, 36], 0.01)],
    ["J_regressor", tensor("joints", [5, vertices], 2 / vertices)],
    ["weights", weights],
    ["f", { shape: [vertices, 3], data: faces }],
    ["kintree_table", {
      shape: [2, 5],
      // the root's parent is 2^32 - 1, which float32 rounds
      data: Float32Array.of(2 ** 32 - 1, 0, 1, 1, 1, 0, 1, 2, 3, 4),
    }],
  ]);
}

type Matrix = number[][];

const product = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) =>
    b[0].map((_, c) => row.reduce((sum, v, k) => sum + v * b[k][c], 0))
  );

function rotation(r: number[]): Matrix {
  const angle = Math.hypot(...r.map((v) => v + 1e-8));
  const [x, y, z] = r.map((v) => v / angle);
  const k = [[0, -z, y], [z, 0, -x], [-y, x, 0]], squared = product(k, k);
  return k.map((row, i) =>
    row.map((v, j) =>
      (i === j ? 1 : 0) + Math.sin(angle) * v +
      (1 - Math.cos(angle)) * squared[i][j]
    )
  );
}

/** Vertices of one head: (V, 3). */
export function flameReference(
  model: ReadonlyMap<string, WeightTensor>,
  betas: ArrayLike<number>,
  shapes: number,
  pose: ArrayLike<number>,
): NumberArray {
  const of = (name: string) => model.get(name)!.data;
  const count = model.get("v_template")!.shape[0];
  const turns = PARENTS.map((_, j) =>
    rotation(Array.from(pose).slice(3 * j, 3 * j + 3))
  );
  const bends = turns.slice(1).flat().flat()
    .map((v, k) => v - (k % 9 % 4 === 0 ? 1 : 0));
  const component = (k: number) =>
    k < shapes ? k : FIRST_EXPRESSION + k - shapes;
  const shaped = Array.from(of("v_template"), (v, row) => {
    for (let k = 0; k < betas.length; k++) {
      v += of("shapedirs")[STORED * row + component(k)] * betas[k];
    }
    return v;
  });
  const joints = PARENTS.map((_, j) =>
    [0, 1, 2].map((axis) =>
      shaped.reduce(
        (sum, v, row) =>
          row % 3 === axis
            ? sum + v * of("J_regressor")[j * count + Math.floor(row / 3)]
            : sum,
        0,
      )
    )
  );
  const posed = shaped.map((v, row) =>
    bends.reduce((sum, b, k) => sum + b * of("posedirs")[36 * row + k], v)
  );
  const worlds: Matrix[] = [];
  PARENTS.forEach((parent, j) => {
    const from = parent < 0 ? [0, 0, 0] : joints[parent];
    const local = turns[j].map((row, i) => [...row, joints[j][i] - from[i]]);
    const matrix = [...local, [0, 0, 0, 1]];
    worlds.push(parent < 0 ? matrix : product(worlds[parent], matrix));
  });
  const data = new Float64Array(3 * count);
  for (let v = 0; v < count; v++) {
    for (let j = 0; j < 5; j++) {
      const rest = [0, 1, 2].map((i) => [posed[3 * v + i] - joints[j][i]]);
      const moved = product(worlds[j], [...rest, [1]]);
      for (let i = 0; i < 3; i++) {
        data[3 * v + i] += of("weights")[5 * v + j] * moved[i][0];
      }
    }
  }
  return { shape: [count, 3], data };
}
