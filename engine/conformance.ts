/**
 * Holds operators to double precision: value, gradients along random
 * directions, adjoints of linear operators, numbers that no kernel writes, NaN
 * and infinity. The engine's own operators are held to it by
 * `deno task conformance`; this is the same for a kernel of one's own.
 *
 * ```ts
 * import { checkCase, map } from "@pantomime/pantomime/conformance";
 * import { defineOperator, multiply, openDevice, square } from "@pantomime/pantomime/engine";
 * import { defineKernel } from "@pantomime/pantomime/kernels";
 *
 * const cube = defineOperator({
 *   name: "cube",
 *   kernel: defineKernel("example.cube", `
 * struct Params { n: u32, scale: f32 }
 * @group(0) @binding(0) var<storage, read> x: array<f32>;
 * @group(0) @binding(1) var<storage, read_write> y: array<f32>;
 * @group(0) @binding(2) var<uniform> params: Params;
 * @compute @workgroup_size(64)
 * fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
 *   let i = id.x + id.y * groups.x * 64u;
 *   if (i < params.n) { y[i] = params.scale * x[i] * x[i] * x[i]; }
 * }`),
 *   backward: ({ gradient, inputs, settings }) => ({
 *     x: multiply(gradient, multiply(square(inputs.x), inputs.x.device.full([1], 3 * settings.scale))),
 *   }),
 *   reference: ({ x }, { scale }) => map(x, (v) => scale * v ** 3),
 * });
 *
 * // numbers that no kernel writes are NaN on a poisoned device
 * using device = await openDevice({ poison: true });
 * for (const shape of [[1], [5, 7], [3, 65]]) {
 *   const { failures } = await checkCase(device, cube.case(`[${shape}]`, { x: { shape } }, { scale: 2 }));
 *   if (failures.length > 0) throw new Error(failures.join("; "));
 * }
 * ```
 *
 * @module
 */
export {
  type CaseInput,
  type CaseResult,
  checkCase,
  type NonFinite,
  type NumberArray,
  type OperatorCase,
  relativeError,
  TOLERANCE,
} from "./ops/conformance.ts";
export { formula } from "./ops/formula.ts";
export { build, map, reader, zip } from "./ops/reference.ts";
