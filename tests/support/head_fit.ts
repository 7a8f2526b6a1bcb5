/**
 * The codes that DECA would find, found by least squares: shape, expression,
 * pose and camera for which the head of `head_mesh.ts` lies on FaceMesh's
 * points.
 *
 * @module
 */
import { POINTS } from "../../pipeline/face/canonical.ts";
import {
  apply,
  fitSimilarity,
  quaternionFromRotation,
  solve,
  transpose,
  type Vec3,
} from "../../pipeline/face/linear.ts";
import type { DecaCodes } from "../../pipeline/transfer/deca/codes.ts";
import { decaCrop } from "../../pipeline/transfer/deca/crop.ts";
import type { WeightTensor } from "../../weights/mod.ts";

/** Components that are fitted: shapes, and the smile. */
const COMPONENTS = [...Array.from({ length: 60 }, (_, k) => k), 300];
/** Weight of the wish for small coefficients, and of FaceMesh's flattened depth. */
const RIDGE = 2e-6, DEPTH = 0.3;

/** Codes of a face whose head `model` is of. */
export function fitCodes(
  model: ReadonlyMap<string, WeightTensor>,
  landmarks: ArrayLike<number>,
): DecaCodes {
  const template = model.get("v_template")!.data.subarray(0, 3 * POINTS);
  const basis = COMPONENTS.map((k) => component(model, k));
  // picture axes (y down, z away) to the head's
  const target = Float64Array.from(
    { length: 3 * POINTS },
    (_, k) => k % 3 === 0 ? landmarks[k] : -landmarks[k],
  );
  const all = Array.from({ length: POINTS }, (_, i) => i);
  let coefficients = basis.map(() => 0);
  let shaped = Float64Array.from(template);
  let fit = fitSimilarity(shaped, target, all);
  for (let round = 0; round < 3; round++) {
    const back = transpose(fit.rotation);
    const wanted = all.flatMap((i) => {
      const p = [0, 1, 2].map((axis) =>
        (target[3 * i + axis] - fit.translation[axis]) / fit.scale
      );
      const [x, y, z] = apply(back, p as unknown as Vec3);
      return [
        x - template[3 * i],
        y - template[3 * i + 1],
        z - template[3 * i + 2],
      ];
    });
    coefficients = leastSquares(basis, wanted);
    shaped = Float64Array.from(
      template,
      (v, row) =>
        basis.reduce((sum, b, k) => sum + coefficients[k] * b[row], v),
    );
    fit = fitSimilarity(shaped, target, all);
  }
  const shape = new Float32Array(100), exp = new Float32Array(50);
  coefficients.forEach((v, k) => {
    if (COMPONENTS[k] < 300) shape[COMPONENTS[k]] = v;
    else exp[COMPONENTS[k] - 300] = v;
  });
  const root = rootOf(model, shaped);
  const turned = apply(fit.rotation, root);
  const { left, top, size } = decaCrop(landmarks);
  const half = size * 1024 / 1023 / 2, s = fit.scale;
  return {
    shape,
    exp,
    pose: Float32Array.of(...axisAngle(fit.rotation), 0, 0, 0),
    // FLAME turns about its root, so that the root stays where it is
    cam: Float32Array.of(
      s / half,
      (fit.translation[0] - left - half) / s + turned[0] - root[0],
      (fit.translation[1] + top + half) / s + turned[1] - root[1],
    ),
  };
}

function component(
  model: ReadonlyMap<string, WeightTensor>,
  k: number,
): Float32Array {
  const { data, shape } = model.get("shapedirs")!;
  return Float32Array.from(
    { length: 3 * POINTS },
    (_, row) => data[row * shape[2] + k],
  );
}

function leastSquares(basis: Float32Array[], wanted: number[]): number[] {
  const weight = (row: number) => row % 3 === 2 ? DEPTH : 1;
  const inner = (a: ArrayLike<number>, b: ArrayLike<number>) => {
    let sum = 0;
    for (let row = 0; row < wanted.length; row++) {
      sum += weight(row) * a[row] * b[row];
    }
    return sum;
  };
  const normal = basis.map((a, i) =>
    basis.map((b, j) => inner(a, b) + (i === j ? RIDGE : 0))
  );
  return [...solve(normal, basis.map((a) => inner(a, wanted)))];
}

function rootOf(
  model: ReadonlyMap<string, WeightTensor>,
  shaped: Float64Array,
): Vec3 {
  const { data } = model.get("J_regressor")!;
  const at = (axis: number) =>
    Array.from({ length: POINTS }, (_, v) => data[v] * shaped[3 * v + axis])
      .reduce((a, b) => a + b, 0);
  return [at(0), at(1), at(2)];
}

function axisAngle(rotation: readonly number[]): number[] {
  const [x, y, z, w] = quaternionFromRotation(rotation);
  const sine = Math.hypot(x, y, z), sign = w < 0 ? -1 : 1;
  const angle = 2 * Math.atan2(sine, Math.abs(w));
  return [x, y, z].map((v) => sine > 0 ? sign * v / sine * angle : 0);
}
