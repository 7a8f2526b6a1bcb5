/**
 * Conformance cases of random numbers, with their reference in integers.
 *
 * @module
 */
import type { OperatorCase } from "./ops/conformance.ts";
import { Random } from "./random.ts";

const WORD = 1n << 32n;

/** PCG's output hash, straight from its definition. */
function pcg(v: bigint): bigint {
  const state = (v * 747796405n + 2891336453n) % WORD;
  const shifted = state >> ((state >> 28n) + 4n);
  const word = ((shifted ^ state) * 277803737n) % WORD;
  return (word >> 22n) ^ word;
}

function uniformCase(
  seed: number,
  stream: number,
  count: number,
): OperatorCase {
  return {
    operator: "Random.uniform",
    name: `${count} of seed ${seed}, stream ${stream}`,
    inputs: { like: { shape: [count], differentiable: false } },
    run: ({ like }) => {
      const random = new Random(like.device, seed);
      for (let k = 0; k < stream; k++) random.uniform([1]);
      return random.uniform(like.shape);
    },
    reference: () => {
      const start = pcg((BigInt(stream) + pcg(BigInt(seed))) % WORD);
      return {
        data: Float64Array.from(
          { length: count },
          (_, i) => Number(pcg((BigInt(i) + start) % WORD) >> 8n) / 2 ** 24,
        ),
        shape: [count],
      };
    },
    tolerance: 0,
  };
}

/** Cases of {@linkcode Random}. */
export const randomCases: OperatorCase[] = [
  uniformCase(0, 0, 1),
  uniformCase(1, 0, 1000),
  uniformCase(4294967295, 2, 257),
];

/** Cases of more than 65,535 workgroups; see `ops/wide.cases.ts`. */
export const wideRandomCases: OperatorCase[] = [uniformCase(5, 1, 65_537 * 64)];
