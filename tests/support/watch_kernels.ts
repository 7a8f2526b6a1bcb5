/**
 * Which kernels a device runs, and with how many workgroups.
 *
 * @module
 */
import type { Device } from "../../engine/mod.ts";

/** What was seen so far; stops watching when disposed. */
export interface KernelWatch extends Disposable {
  /** Kernels that were launched, each with the workgroups of its largest launch. */
  readonly groups: ReadonlyMap<string, number>;
}

/** Notes every kernel that the device launches. */
export function watchKernels(device: Device): KernelWatch {
  const groups = new Map<string, number>(), run = device.run;
  device.run = (kernel, launch) => {
    const [x, y = 1, z = 1] = launch.workgroups;
    const most = Math.max(groups.get(kernel.name) ?? 0, x * y * z);
    groups.set(kernel.name, most);
    run.call(device, kernel, launch);
  };
  return {
    groups,
    [Symbol.dispose]: () => {
      device.run = run;
    },
  };
}
