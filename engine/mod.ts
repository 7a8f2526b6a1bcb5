/**
 * The tensor engine: a device, tensors, operators in hand-written WGSL, and
 * reverse-mode differentiation. It needs no permission and knows nothing of
 * faces.
 *
 * ```ts
 * import { Adam, gradients, matmul, mean, openDevice, square, subtract } from "@pantomime/pantomime/engine";
 *
 * using device = await openDevice();
 * const x = device.tensor([1, 0, 0, 1, 1, 1], [3, 2]), y = device.tensor([1, 2, 3], [3, 1]);
 * const w = device.zeros([2, 1]).track(); // track: to be differentiated by
 * using adam = new Adam([w], { rate: 0.1 });
 * for (let step = 0; step < 200; step++) {
 *   using _scope = device.scope(); // what is made in it is released with it
 *   const loss = mean(square(subtract(matmul(x, w), y)));
 *   adam.step(gradients(loss, [w]));
 * }
 * console.log(await w.data()); // close to 1 and 2
 * ```
 *
 * - tensors: {@linkcode Device.tensor}, {@linkcode Device.zeros}, {@linkcode Tensor.data};
 *   {@linkcode Device.scope} and {@linkcode Scope.keep} say how long they live;
 * - derivatives: {@linkcode Tensor.track}, {@linkcode gradients}, {@linkcode checkpoint};
 * - a kernel of one's own: {@linkcode defineOperator}, or {@linkcode Device.run} and
 *   {@linkcode record}; `@pantomime/pantomime/conformance` holds it to a reference;
 * - errors: {@linkcode EngineError} and the classes derived from it.
 *
 * @module
 */
export * from "./errors.ts";
export {
  Device,
  type DeviceOptions,
  type Launch,
  linearWorkgroups,
  type MemoryUse,
  openDevice,
  type TileProfile,
} from "./device.ts";
export type {
  Constants,
  Dtype,
  Kernel,
  ParamField,
  StorageBinding,
} from "../kernels/kernel.ts";
export { adapterKey } from "./adapter_key.ts";
export {
  Autotuner,
  type Choices,
  chosen,
  type Stopwatch,
  type Tunable,
  type TuneCache,
  type Tuned,
} from "./autotune.ts";
export type { PooledBuffer } from "./pool.ts";
export type { KernelTime } from "./profiler.ts";
export { type Scope, type Shape, type TapeNode, Tensor } from "./tensor.ts";
export {
  checkpoint,
  firstDerivative,
  type GradientOptions,
  gradients,
  record,
} from "./tape.ts";
export {
  type BackwardCall,
  defineOperator,
  type OperatorDefinition,
  type Settings,
  type UserOperator,
} from "./define_operator.ts";
export type {
  CaseInput,
  NonFinite,
  NumberArray,
  OperatorCase,
} from "./ops/conformance.ts";
export * from "./ops/mod.ts";
export { normals, Random } from "./random.ts";
export { Adam, type AdamOptions, type Moments } from "./optim/adam.ts";
