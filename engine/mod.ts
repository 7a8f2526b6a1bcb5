/**
 * The tensor engine: a device, tensors, operators in hand-written WGSL, and
 * reverse-mode differentiation.
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
export * from "./ops/mod.ts";
export { normals, Random } from "./random.ts";
export { Adam, type AdamOptions, type Moments } from "./optim/adam.ts";
