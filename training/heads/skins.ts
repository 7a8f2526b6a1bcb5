/**
 * Skins as a space: each skin lies at a point of four standard normals, and a
 * latent's skin is a blend of those around it.
 *
 * @module
 */

/** Axes of the space. */
const AXES = 4;
/** On which side of each axis the skin lies that is farthest out: as the mannequin was trained. */
const SIDES: readonly number[] = [-1, 1, 1, -1];
/** How near a skin has to be to matter: a squared distance. */
const REACH = 0.7;

/**
 * Where skins lie: their principal components (of the logarithms of their
 * colours), scaled to a spread of one.
 *
 * @param skins colours in [0, 1], of as many numbers each
 * @returns four coordinates of each skin
 */
export function skinPlaces(skins: readonly Float32Array[]): number[][] {
  const logs = skins.map((s) =>
    Float64Array.from(s, (x) => Math.log(x + 0.02))
  );
  const mean = logs[0].map((_, i) =>
    logs.reduce((sum, row) => sum + row[i], 0) / logs.length
  );
  const centred = logs.map((row) => row.map((x, i) => x - mean[i]));
  const gram = centred.map((a) =>
    centred.map((b) => a.reduce((sum, x, i) => sum + x * b[i], 0))
  );
  const axes = eigenvectors(gram).slice(0, AXES).map((axis, k) => {
    const farthest = axis.reduce((a, b) => Math.abs(b) > Math.abs(a) ? b : a);
    const side = Math.sign(farthest) * SIDES[k] * Math.sqrt(skins.length);
    return axis.map((x) => x * side);
  });
  return skins.map((_, k) => axes.map((axis) => axis[k]));
}

/** Shares of the skins at a place; they sum to 1. */
export function skinShares(
  places: readonly (readonly number[])[],
  at: readonly number[],
): number[] {
  const scores = places.map((place) =>
    -place.reduce((sum, x, k) => sum + (x - at[k]) ** 2, 0) / REACH
  );
  const top = Math.max(...scores);
  const shares = scores.map((s) => Math.exp(s - top));
  const total = shares.reduce((a, b) => a + b, 0);
  return shares.map((s) => s / total);
}

/** Eigenvectors of a symmetric matrix, of the largest eigenvalue first (Jacobi's rotations). */
function eigenvectors(matrix: readonly (readonly number[])[]): number[][] {
  const n = matrix.length;
  const a = matrix.map((row) => [...row]);
  const vectors = a.map((_, i) => a.map((_, j) => i === j ? 1 : 0));
  for (let sweep = 0; sweep < 30; sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) rotate(a, vectors, p, q);
    }
  }
  return vectors.map((vector, k) => ({ vector, value: a[k][k] }))
    .sort((x, y) => y.value - x.value).map(({ vector }) => vector);
}

/** Makes a[p][q] zero; rows of `vectors` are the eigenvectors so far. */
function rotate(
  a: number[][],
  vectors: number[][],
  p: number,
  q: number,
): void {
  if (a[p][q] === 0) return;
  const angle = 0.5 * Math.atan2(2 * a[p][q], a[p][p] - a[q][q]);
  const c = Math.cos(angle), s = Math.sin(angle);
  const turn = (x: number, y: number) => [c * x + s * y, c * y - s * x];
  for (const row of a) [row[p], row[q]] = turn(row[p], row[q]);
  for (let k = 0; k < a.length; k++) {
    [a[p][k], a[q][k]] = turn(a[p][k], a[q][k]);
    [vectors[p][k], vectors[q][k]] = turn(vectors[p][k], vectors[q][k]);
  }
}
