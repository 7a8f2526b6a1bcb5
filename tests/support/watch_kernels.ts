/**
 * Which kernels a device runs.
 *
 * @module
 */
import type { Device } from "../../engine/mod.ts";

/** Names seen so far; stops watching when disposed. */
export interface KernelWatch extends Disposable {
  /** Kernels that were launched. */
  readonly names: ReadonlySet<string>;
}

/** Notes the name of every kernel that the device launches. */
export function watchKernels(device: Device): KernelWatch {
  const names = new Set<string>(), run = device.run;
  device.run = (kernel, launch) => {
    names.add(kernel.name);
    run.call(device, kernel, launch);
  };
  return {
    names,
    [Symbol.dispose]: () => {
      device.run = run;
    },
  };
}
