/**
 * Every conformance case: one list for conformance, gradient checks and bench.
 *
 * @module
 */
import { adamCases } from "../optim/adam.cases.ts";
import { randomCases } from "../random.cases.ts";
import { biasActCases } from "./bias_act.cases.ts";
import type { OperatorCase } from "./conformance.ts";
import { conv2dCases } from "./conv2d.cases.ts";
import { elementwiseCases } from "./elementwise.cases.ts";
import { interpolateCases } from "./interpolate.cases.ts";
import { matmulCases } from "./matmul.cases.ts";
import { movementCases } from "./movement.cases.ts";
import { normCases } from "./norm.cases.ts";
import { poolCases } from "./pool.cases.ts";
import { rasterCases } from "./raster.cases.ts";
import { reduceCases } from "./reduce.cases.ts";
import { upfirdn2dCases } from "./upfirdn2d.cases.ts";

/** Cases by family. */
export const families: Readonly<Record<string, readonly OperatorCase[]>> = {
  elementwise: elementwiseCases,
  movement: movementCases,
  reduce: reduceCases,
  matmul: matmulCases,
  conv2d: conv2dCases,
  bias_act: biasActCases,
  upfirdn2d: upfirdn2dCases,
  interpolate: interpolateCases,
  pool: poolCases,
  norm: normCases,
  raster: rasterCases,
  random: randomCases,
  optim: adamCases,
};

/** Every case. */
export const cases: readonly OperatorCase[] = Object.values(families).flat();
