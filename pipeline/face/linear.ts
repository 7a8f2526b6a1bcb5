/**
 * The small linear algebra of heads and cameras, in float64: 3-vectors, 3x3 rotations (row-major,
 * length 9), quaternions (x, y, z, w), small dense systems and the similarity fit of two point sets.
 *
 * @module
 */

/** Three coordinates. */
export type Vec3 = readonly [number, number, number];

/** A unit quaternion (x, y, z, w). */
export type Quaternion = readonly [number, number, number, number];

/** A row-major 3x3 matrix, nine numbers. */
export type Mat3 = readonly number[];

/** The 3x3 identity. */
export const IDENTITY3: Mat3 = [1, 0, 0, 0, 1, 0, 0, 0, 1];

/** a . b */
export function dot(a: Vec3, b: Vec3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/** a x b */
export function cross(a: Vec3, b: Vec3): Vec3 {
  return [
    a[1] * b[2] - a[2] * b[1],
    a[2] * b[0] - a[0] * b[2],
    a[0] * b[1] - a[1] * b[0],
  ];
}

/** a / |a| */
export function normalise(a: Vec3): Vec3 {
  const length = Math.hypot(...a);
  return [a[0] / length, a[1] / length, a[2] / length];
}

/** m v */
export function apply(m: Mat3, v: Vec3): Vec3 {
  return [
    m[0] * v[0] + m[1] * v[1] + m[2] * v[2],
    m[3] * v[0] + m[4] * v[1] + m[5] * v[2],
    m[6] * v[0] + m[7] * v[1] + m[8] * v[2],
  ];
}

/** a b */
export function multiply(a: Mat3, b: Mat3): Mat3 {
  const out = new Array<number>(9).fill(0);
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      for (let k = 0; k < 3; k++) out[3 * i + j] += a[3 * i + k] * b[3 * k + j];
    }
  }
  return out;
}

/** The transpose; of a rotation, the inverse. */
export function transpose(m: Mat3): Mat3 {
  return [m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8]];
}

/** Rotation by |v| radians about v (Rodrigues). */
export function rotationFromVector(v: Vec3): Mat3 {
  const angle = Math.hypot(...v);
  if (angle < 1e-12) return IDENTITY3;
  const s = Math.sin(angle / 2) / angle;
  return rotationFromQuaternion([
    v[0] * s,
    v[1] * s,
    v[2] * s,
    Math.cos(angle / 2),
  ]);
}

/** The rotation of a unit quaternion. */
export function rotationFromQuaternion([x, y, z, w]: Quaternion): Mat3 {
  return [
    1 - 2 * (y * y + z * z),
    2 * (x * y - z * w),
    2 * (x * z + y * w),
    2 * (x * y + z * w),
    1 - 2 * (x * x + z * z),
    2 * (y * z - x * w),
    2 * (x * z - y * w),
    2 * (y * z + x * w),
    1 - 2 * (x * x + y * y),
  ];
}

/** The unit quaternion of a rotation, w >= 0. */
export function quaternionFromRotation(m: Mat3): Quaternion {
  // The eigenvector to eigenvalue 3 of Bar-Itzhack's matrix: stable for every rotation.
  const k = [
    [m[0] - m[4] - m[8], m[3] + m[1], m[6] + m[2], m[7] - m[5]],
    [m[3] + m[1], m[4] - m[0] - m[8], m[7] + m[5], m[2] - m[6]],
    [m[6] + m[2], m[7] + m[5], m[8] - m[0] - m[4], m[3] - m[1]],
    [m[7] - m[5], m[2] - m[6], m[3] - m[1], m[0] + m[4] + m[8]],
  ];
  const [x, y, z, w] = largestEigenvector(k);
  return w < 0 ? [-x, -y, -z, -w] : [x, y, z, w];
}

/** Spherical interpolation from a (t = 0) to b (t = 1), along the shorter arc. */
export function slerp(a: Quaternion, b: Quaternion, t: number): Quaternion {
  let cosine = a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3];
  const sign = cosine < 0 ? -1 : 1;
  cosine = Math.min(1, Math.abs(cosine));
  const angle = Math.acos(cosine);
  const wa = angle < 1e-6 ? 1 - t : Math.sin((1 - t) * angle) / Math.sin(angle);
  const wb = sign * (angle < 1e-6 ? t : Math.sin(t * angle) / Math.sin(angle));
  const q = a.map((v, i) => wa * v + wb * b[i]);
  const length = Math.hypot(...q);
  return [q[0] / length, q[1] / length, q[2] / length, q[3] / length];
}

/** The angle in degrees of the rotation that turns a into b. */
export function rotationAngle(a: Mat3, b: Mat3): number {
  const [x, y, z, w] = quaternionFromRotation(multiply(transpose(a), b));
  return 2 * Math.atan2(Math.hypot(x, y, z), w) * 180 / Math.PI;
}

/** Eigenvector of the largest eigenvalue of a symmetric matrix (cyclic Jacobi). */
export function largestEigenvector(
  symmetric: readonly (readonly number[])[],
): number[] {
  const n = symmetric.length;
  const a = symmetric.map((row) => [...row]);
  const v = a.map((_, i) => a.map((_, j) => i === j ? 1 : 0));
  for (let sweep = 0; sweep < 30; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        off += Math.abs(a[p][q]);
        jacobiRotate(a, v, p, q);
      }
    }
    if (off < 1e-14) break;
  }
  let best = 0;
  for (let i = 1; i < n; i++) if (a[i][i] > a[best][best]) best = i;
  return v.map((row) => row[best]);
}

/** One Jacobi rotation that zeroes a[p][q], accumulated in v. */
function jacobiRotate(
  a: number[][],
  v: number[][],
  p: number,
  q: number,
): void {
  if (Math.abs(a[p][q]) < 1e-300) return;
  const theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1);
  const s = t * c;
  const turn = (m: number[][], i: number, j: number, k: number, l: number) => {
    const x = m[i][j];
    const y = m[k][l];
    m[i][j] = c * x - s * y;
    m[k][l] = s * x + c * y;
  };
  for (let i = 0; i < a.length; i++) turn(a, i, p, i, q);
  for (let i = 0; i < a.length; i++) turn(a, p, i, q, i);
  for (let i = 0; i < a.length; i++) turn(v, i, p, i, q);
}

/** Solves A x = b by Gaussian elimination with partial pivoting. A: n rows of n; b: n. */
export function solve(
  matrix: readonly (readonly number[])[],
  right: readonly number[],
): number[] {
  const n = right.length;
  const rows = matrix.map((row, i) => [...row, right[i]]);
  for (let c = 0; c < n; c++) {
    let pivot = c;
    for (let r = c + 1; r < n; r++) {
      if (Math.abs(rows[r][c]) > Math.abs(rows[pivot][c])) pivot = r;
    }
    [rows[c], rows[pivot]] = [rows[pivot], rows[c]];
    for (let r = c + 1; r < n; r++) {
      const factor = rows[r][c] / rows[c][c];
      for (let k = c; k <= n; k++) rows[r][k] -= factor * rows[c][k];
    }
  }
  const x = new Array<number>(n).fill(0);
  for (let r = n - 1; r >= 0; r--) {
    let sum = rows[r][n];
    for (let k = r + 1; k < n; k++) sum -= rows[r][k] * x[k];
    x[r] = sum / rows[r][r];
  }
  return x;
}

/** p -> scale * rotation * p + translation. */
export interface Similarity3 {
  /** Size of the result over the size of the argument. */
  readonly scale: number;
  /** Rotation, row-major 3x3. */
  readonly rotation: Mat3;
  /** Translation, added last. */
  readonly translation: Vec3;
}

/**
 * The least-squares similarity that takes `from` to `to` (Horn 1987, unit quaternions).
 *
 * @param from points, x y z interleaved
 * @param to points in the same order
 * @param indices which points take part
 * @param weights one weight for each index; equal when left out
 */
export function fitSimilarity(
  from: ArrayLike<number>,
  to: ArrayLike<number>,
  indices: readonly number[],
  weights?: readonly number[],
): Similarity3 {
  const weight = (k: number) => weights?.[k] ?? 1;
  const a = centroid(from, indices, weight);
  const b = centroid(to, indices, weight);
  const m = new Array<number>(9).fill(0); // sum of (from - a) (to - b)^T
  let spread = 0;
  indices.forEach((index, k) => {
    for (let i = 0; i < 3; i++) {
      const x = from[3 * index + i] - a[i];
      spread += weight(k) * x * x;
      for (let j = 0; j < 3; j++) {
        m[3 * i + j] += weight(k) * x * (to[3 * index + j] - b[j]);
      }
    }
  });
  const rotation = rotationOfCovariance(m);
  const turned = multiply(rotation, m);
  const scale = (turned[0] + turned[4] + turned[8]) / spread;
  const moved = apply(rotation, a);
  const translation: Vec3 = [
    b[0] - scale * moved[0],
    b[1] - scale * moved[1],
    b[2] - scale * moved[2],
  ];
  return { scale, rotation, translation };
}

/** Horn's rotation for the covariance sum(from to^T). */
function rotationOfCovariance(m: Mat3): Mat3 {
  const [xx, xy, xz, yx, yy, yz, zx, zy, zz] = m;
  const [w, x, y, z] = largestEigenvector([
    [xx + yy + zz, yz - zy, zx - xz, xy - yx],
    [yz - zy, xx - yy - zz, xy + yx, zx + xz],
    [zx - xz, xy + yx, yy - xx - zz, yz + zy],
    [xy - yx, zx + xz, yz + zy, zz - xx - yy],
  ]);
  return rotationFromQuaternion([x, y, z, w]);
}

function centroid(
  points: ArrayLike<number>,
  indices: readonly number[],
  weight: (k: number) => number,
): Vec3 {
  const sum = [0, 0, 0];
  let total = 0;
  indices.forEach((index, k) => {
    total += weight(k);
    for (let i = 0; i < 3; i++) sum[i] += weight(k) * points[3 * index + i];
  });
  return [sum[0] / total, sum[1] / total, sum[2] / total];
}

/** Applies a similarity to every point, x y z interleaved. */
export function transformPoints(
  t: Similarity3,
  points: ArrayLike<number>,
): Float64Array {
  const out = new Float64Array(points.length);
  for (let i = 0; i < points.length; i += 3) {
    const p = apply(t.rotation, [points[i], points[i + 1], points[i + 2]]);
    for (let k = 0; k < 3; k++) out[i + k] = t.scale * p[k] + t.translation[k];
  }
  return out;
}
