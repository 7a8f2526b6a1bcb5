/**
 * Every conformance case: one list for conformance, gradient checks and bench.
 *
 * @module
 */
import { fullyConnectedCases } from "../nn/fully_connected.cases.ts";
import { modulatedConv2dCases } from "../nn/modulated_conv2d.cases.ts";
import { adamCases, wideAdamCases } from "../optim/adam.cases.ts";
import { randomCases, wideRandomCases } from "../random.cases.ts";
import { biasActCases } from "./bias_act.cases.ts";
import type { OperatorCase } from "./conformance.ts";
import { conv2dCases } from "./conv2d.cases.ts";
import { elementwiseCases } from "./elementwise.cases.ts";
import { f16Cases } from "./f16.cases.ts";
import { interpolateCases } from "./interpolate.cases.ts";
import { marchingCubesCases } from "./marching_cubes.cases.ts";
import { matmulCases } from "./matmul.cases.ts";
import { matmul } from "./matmul.ts";
import { movementCases } from "./movement.cases.ts";
import { normCases } from "./norm.cases.ts";
import { poolCases } from "./pool.cases.ts";
import { rasterCases, wideRasterCases } from "./raster.cases.ts";
import { raymarchCases, wideRaymarchCases } from "./raymarch.cases.ts";
import { reduceCases } from "./reduce.cases.ts";
import { build, reader } from "./reference.ts";
import { triplaneCases, wideTriplaneCases } from "./triplane.cases.ts";
import { upfirdn2dCases } from "./upfirdn2d.cases.ts";
import { wideOperatorCases } from "./wide.cases.ts";
import { widePictureCases } from "./wide_pictures.cases.ts";

/** More matrices than the fast kernels split: the simple one takes them on every device. */
const manyMatrices: OperatorCase = {
  operator: "matmul",
  name: "300 small matrices",
  inputs: { a: { shape: [300, 3, 5] }, b: { shape: [300, 5, 2] } },
  run: (t) => matmul(t.a, t.b),
  reference: ({ a, b }) => {
    const left = reader(a), right = reader(b);
    return build([300, 3, 2], ([z, m, n]) => {
      let sum = 0;
      for (let k = 0; k < 5; k++) sum += left(z, m, k) * right(z, k, n);
      return sum;
    });
  },
  linear: ["a", "b"],
};

/** Cases by family. */
export const families: Readonly<Record<string, readonly OperatorCase[]>> = {
  elementwise: elementwiseCases,
  movement: movementCases,
  reduce: reduceCases,
  matmul: [...matmulCases, manyMatrices],
  conv2d: conv2dCases,
  bias_act: biasActCases,
  upfirdn2d: upfirdn2dCases,
  interpolate: interpolateCases,
  pool: poolCases,
  norm: normCases,
  triplane: triplaneCases,
  raymarch: raymarchCases,
  f16: f16Cases,
  nn: [...modulatedConv2dCases, ...fullyConnectedCases],
  raster: [...rasterCases, ...marchingCubesCases],
  random: randomCases,
  optim: adamCases,
};

/** Cases of more than 65,535 workgroups. */
export const wideCases: readonly OperatorCase[] = [
  ...wideOperatorCases,
  ...widePictureCases,
  ...wideTriplaneCases,
  ...wideRaymarchCases,
  ...wideRasterCases,
  ...wideRandomCases,
  ...wideAdamCases,
];

/** Every case but those of {@linkcode wideCases}. */
export const cases: readonly OperatorCase[] = Object.values(families).flat();
