/**
 * Linear blend skinning: rotations of joints carry the vertices around them
 * (Loper et al. 2015; FLAME, Li et al. 2017; method, section 11.3).
 *
 * @module
 */
import {
  add,
  affine,
  concat,
  divide,
  matmul,
  multiply,
  reshape,
  sin,
  slice,
  sqrt,
  square,
  subtract,
  sum,
  sumOfSquares,
  type Tensor,
} from "../../../engine/mod.ts";

/**
 * Added to squared angles. It changes a rotation by less than single precision
 * resolves, and keeps sin(a) / a and its derivative where a GPU's sine is good.
 */
const SMALL = 1e-7;

/** K of r, as the matrix that r (3) is multiplied by: [[0, -z, y], [z, 0, -x], [-y, x, 0]]. */
const CROSS = [
  [0, 0, 0, 0, 0, -1, 0, 1, 0],
  [0, 0, 1, 0, 0, 0, -1, 0, 0],
  [0, -1, 0, 1, 0, 0, 0, 0, 0],
];

/**
 * Rotation matrices by Rodrigues' formula: with a the length of r,
 * I + sin(a) / a K + (1 - cos(a)) / a^2 K^2, where K v = r x v.
 *
 * @param r (M, 3), axis times angle in radians
 * @returns (M, 3, 3)
 */
export function rotations(r: Tensor): Tensor {
  const device = r.device, count = r.shape[0], each = [count, 1, 1];
  const cross = device.tensor(CROSS.flat(), [3, 9]);
  const identity = device.tensor([1, 0, 0, 0, 1, 0, 0, 0, 1], [1, 3, 3]);
  const k = reshape(matmul(r, cross), [count, 3, 3]);
  const angle = sqrt(affine(sumOfSquares(r, 1), 1, SMALL));
  const once = sinc(angle);
  // 1 - cos(a) = 2 sin(a / 2)^2 does not cancel for small angles
  const twice = affine(square(sinc(affine(angle, 0.5))), 0.5);
  return add(
    add(identity, multiply(reshape(once, each), k)),
    multiply(reshape(twice, each), matmul(k, k)),
  );
}

const sinc = (angle: Tensor) => divide(sin(angle), angle);

/**
 * Where each joint carries what is attached to it: x goes to W_j x + t_j, with
 * W_j the product of the rotations from the root to joint j, and t_j such that
 * joint j stays attached to its parent.
 *
 * @param rotation (N, J, 3, 3), each relative to its parent
 * @param joints (N, J, 3) at rest
 * @param parents index of each joint's parent, smaller than its own; -1 for the root
 * @returns (N, J, 12): rows of (W_j | t_j)
 */
export function jointTransforms(
  rotation: Tensor,
  joints: Tensor,
  parents: readonly number[],
): Tensor {
  const batch = rotation.shape[0];
  const at = (j: number) =>
    reshape(slice(joints, [0, j, 0], [batch, 1, 3]), [batch, 3, 1]);
  const own = (j: number) =>
    reshape(slice(rotation, [0, j, 0, 0], [batch, 1, 3, 3]), [batch, 3, 3]);
  const turned: Tensor[] = [], moved: Tensor[] = [];
  parents.forEach((parent, j) => {
    const root = parent < 0;
    turned.push(root ? own(j) : matmul(turned[parent], own(j)));
    moved.push(
      root ? at(j) : add(
        moved[parent],
        matmul(turned[parent], subtract(at(j), at(parent))),
      ),
    );
  });
  const transforms = parents.map((_, j) => {
    const shift = subtract(moved[j], matmul(turned[j], at(j)));
    return reshape(concat([turned[j], shift], 2), [batch, 1, 12]);
  });
  return concat(transforms, 1);
}

/**
 * Each vertex moved by the weighted mean of its joints' transforms.
 *
 * @param vertices (N, V, 3) at rest
 * @param weights (V, J), rows summing to 1
 * @param transforms (N, J, 12) from {@linkcode jointTransforms}
 * @returns (N, V, 3)
 */
export function skin(
  vertices: Tensor,
  weights: Tensor,
  transforms: Tensor,
): Tensor {
  const [batch, count] = vertices.shape;
  const blended = matmul(weights, transforms);
  const ones = vertices.device.full([batch, count, 1], 1);
  const homogeneous = concat([vertices, ones], 2);
  return sum(
    multiply(
      reshape(blended, [batch, count, 3, 4]),
      reshape(homogeneous, [batch, count, 1, 4]),
    ),
    { axes: [3] },
  );
}
