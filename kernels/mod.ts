/**
 * The WGSL kernels of the engine, and what it takes to define one's own.
 *
 * @module
 */
export { catalog, type CatalogEntry, type KernelProfile } from "./catalog.ts";
export {
  type Constants,
  defineKernel,
  type Kernel,
  KernelDefinitionError,
  type ParamField,
  specialise,
  type StorageBinding,
} from "./kernel.ts";
