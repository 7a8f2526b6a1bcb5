/**
 * Conformance cases of Adam, with its float64 reference.
 *
 * @module
 */
import type { NumberArray, OperatorCase } from "../ops/conformance.ts";
import { affine } from "../ops/elementwise.ts";
import { concat } from "../ops/movement.ts";
import type { Tensor } from "../tensor.ts";
import { Adam, type AdamOptions } from "./adam.ts";

/** Parameters after each of `rates.length` steps along the same gradient. */
function adamReference(
  x: NumberArray,
  g: NumberArray,
  rates: readonly number[],
  { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamOptions,
): NumberArray {
  const data = Float64Array.from(x.data), n = data.length;
  const m = new Float64Array(n), v = new Float64Array(n);
  const path = new Float64Array(n * rates.length);
  rates.forEach((rate, t) => {
    for (let k = 0; k < n; k++) {
      m[k] = beta1 * m[k] + (1 - beta1) * g.data[k];
      v[k] = beta2 * v[k] + (1 - beta2) * g.data[k] ** 2;
      const mean = m[k] / (1 - beta1 ** (t + 1));
      data[k] -= rate * mean /
        (Math.sqrt(v[k] / (1 - beta2 ** (t + 1))) + epsilon);
    }
    path.set(data, t * n);
  });
  return { data: path, shape: [rates.length, n] };
}

function adamSteps(
  x: Tensor,
  g: Tensor,
  rates: readonly number[],
  options: AdamOptions,
): Tensor {
  // in place, so on a copy
  const parameter = affine(x, 1);
  using adam = new Adam([parameter], options);
  return concat(
    rates.map((rate) => {
      adam.step([g], rate);
      return affine(parameter, 1).view([1, x.size]);
    }),
    0,
  );
}

function adamCase(
  name: string,
  count: number,
  rates: number[],
  options: AdamOptions = {},
): OperatorCase {
  return {
    operator: "Adam",
    name,
    inputs: {
      x: { shape: [count], differentiable: false },
      g: { shape: [count], scale: 0.1, differentiable: false },
    },
    run: (t) => adamSteps(t.x, t.g, rates, options),
    reference: (a) => adamReference(a.x, a.g, rates, options),
  };
}

/** Cases of {@linkcode Adam}. */
export const adamCases: OperatorCase[] = [
  adamCase("one number", 1, [0.1]),
  adamCase("three steps", 131, [0.1, 0.05, 0.025]),
  adamCase("more than a workgroup takes", 1025, [0.1]),
  adamCase("other decays", 67, [0.01, 0.01], {
    beta1: 0.5,
    beta2: 0.9,
    epsilon: 1e-3,
  }),
];

// four numbers at a time
const many = adamCase("16004 copies, one step", 1049, [0.1]);

/** Cases of more than 65,535 workgroups; see `ops/wide.cases.ts`. */
export const wideAdamCases: OperatorCase[] = [{
  ...many,
  run: (t) => many.run(t).view([t.x.size]),
  reference: (a) => ({ data: many.reference(a).data, shape: [1049] }),
  copies: 16_004,
}];
