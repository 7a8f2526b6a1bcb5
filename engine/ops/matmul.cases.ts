/**
 * Conformance cases of the matrix product.
 *
 * @module
 */
import type { NumberArray, OperatorCase } from "./conformance.ts";
import { matmul, type MatmulOptions } from "./matmul.ts";

/** The product straight from its definition. */
export function matmulReference(
  a: NumberArray,
  b: NumberArray,
  options: MatmulOptions = {},
): NumberArray {
  const { transposeA = false, transposeB = false } = options;
  const [ah, aw] = a.shape.slice(-2), [bh, bw] = b.shape.slice(-2);
  const m = transposeA ? aw : ah, k = transposeA ? ah : aw;
  const n = transposeB ? bh : bw;
  const ba = a.shape.length === 3 ? a.shape[0] : 1;
  const bb = b.shape.length === 3 ? b.shape[0] : 1;
  const batch = Math.max(ba, bb);
  const y = new Float64Array(batch * m * n);
  for (let z = 0; z < batch; z++) {
    const ia = ba > 1 ? z * ah * aw : 0, ib = bb > 1 ? z * bh * bw : 0;
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let c = 0; c < k; c++) {
          sum += a.data[ia + (transposeA ? c * aw + i : i * aw + c)] *
            b.data[ib + (transposeB ? j * bw + c : c * bw + j)];
        }
        y[(z * m + i) * n + j] = sum;
      }
    }
  }
  const flat = a.shape.length === 2 && b.shape.length === 2;
  return { data: y, shape: flat ? [m, n] : [batch, m, n] };
}

function matmulCase(
  name: string,
  a: number[],
  b: number[],
  options: MatmulOptions = {},
): OperatorCase {
  return {
    operator: "matmul",
    name,
    inputs: { a: { shape: a }, b: { shape: b } },
    run: (t) => matmul(t.a, t.b, options),
    reference: (r) => matmulReference(r.a, r.b, options),
    linear: ["a", "b"],
  };
}

/** Conformance cases of {@linkcode matmul}. */
export const matmulCases: OperatorCase[] = [
  matmulCase("1x1x1", [1, 1], [1, 1]),
  matmulCase("row by matrix", [1, 17], [17, 33]),
  matmulCase("matrix by column", [19, 23], [23, 1]),
  matmulCase("odd", [5, 7], [7, 3]),
  matmulCase("across tiles", [65, 33], [33, 67]),
  matmulCase("whole tiles", [64, 64], [64, 64]),
  matmulCase("one more than a tile", [65, 17], [17, 65]),
  matmulCase("one less than a tile", [63, 15], [15, 63]),
  matmulCase("a transposed, across tiles", [33, 65], [33, 67], {
    transposeA: true,
  }),
  matmulCase("b transposed, across tiles", [65, 33], [67, 33], {
    transposeB: true,
  }),
  matmulCase("batch of 3 across tiles", [3, 65, 33], [3, 33, 67]),
  matmulCase("decoder", [515, 16], [16, 64]),
  matmulCase("decoder, second layer", [515, 64], [64, 33]),
  matmulCase("long inner axis", [5, 4099], [4099, 9]),
  matmulCase("a transposed", [13, 18], [13, 21], { transposeA: true }),
  matmulCase("b transposed", [18, 13], [21, 13], { transposeB: true }),
  matmulCase("both transposed", [13, 18], [21, 13], {
    transposeA: true,
    transposeB: true,
  }),
  matmulCase("a transposed, long inner axis", [2051, 12], [2051, 20], {
    transposeA: true,
  }),
  matmulCase("batch of 3", [3, 9, 11], [3, 11, 10]),
  matmulCase("batch of 3, b transposed", [3, 36, 20], [3, 34, 20], {
    transposeB: true,
  }),
  matmulCase("batch of 3, a transposed", [3, 20, 36], [3, 20, 34], {
    transposeA: true,
  }),
  matmulCase("shared right side", [3, 9, 11], [11, 10]),
  matmulCase("shared left side", [9, 11], [3, 11, 10]),
  matmulCase("shared right side, both transposed", [3, 11, 9], [10, 11], {
    transposeA: true,
    transposeB: true,
  }),
  matmulCase("batch of 1 by batch of 3", [1, 4, 5], [3, 5, 6]),
];
