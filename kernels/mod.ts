/**
 * The WGSL kernels of the engine, and what it takes to define one's own.
 *
 * {@linkcode defineKernel} reads the bindings, parameters and constants of a kernel from its text;
 * `Device.run` launches it, and `defineOperator` of `@pantomime/pantomime/engine` makes an operator
 * of it that is differentiated with the others. {@linkcode catalog} is the table of the engine's own.
 *
 * ```ts
 * import { openDevice } from "@pantomime/pantomime/engine";
 * import { defineKernel } from "@pantomime/pantomime/kernels";
 *
 * const scaled = defineKernel("example.scaled", `
 * override FACTOR: f32 = 2.0;
 * struct Params { n: u32 }
 * @group(0) @binding(0) var<storage, read> x: array<f32>;
 * @group(0) @binding(1) var<storage, read_write> y: array<f32>;
 * @group(0) @binding(2) var<uniform> params: Params;
 * @compute @workgroup_size(64)
 * fn main(@builtin(global_invocation_id) id: vec3u) {
 *   if (id.x < params.n) { y[id.x] = FACTOR * x[id.x]; }
 * }`);
 *
 * using device = await openDevice();
 * const x = device.tensor([1, 2, 3], [3]), y = device.empty([3]);
 * device.run(scaled, { tensors: { x, y }, params: { n: 3 }, constants: { FACTOR: 10 }, workgroups: [1] });
 * console.log(await y.data()); // 10, 20, 30
 * ```
 *
 * @module
 */
export { catalog, type CatalogEntry, type KernelProfile } from "./catalog.ts";
export {
  type Constants,
  defineKernel,
  type Dtype,
  dtypesOf,
  type Kernel,
  KernelDefinitionError,
  type ParamField,
  specialise,
  type StorageBinding,
} from "./kernel.ts";
