/**
 * A name for an adapter and the kernels that run on it.
 *
 * @module
 */
import { catalog } from "../kernels/catalog.ts";
import type { Device } from "./device.ts";

/**
 * What choices hold for: the adapter as it names itself (WebGPU tells no more
 * of the driver), the kernel profile, the Deno that compiles the kernels, and
 * the kernels.
 */
export function adapterKey(device: Device): string {
  const { vendor, architecture, device: model, description } = device.info;
  const { subgroupMinSize = 0, subgroupMaxSize = 0 } = device.info;
  return [
    ...[vendor, architecture, model, description],
    `subgroups ${subgroupMinSize} to ${subgroupMaxSize}`,
    `${device.profile} kernels`,
    `Deno ${Deno.version.deno}`,
    `kernels ${kernelHash()}`,
  ].filter((part) => part).join(", ");
}

/** FNV-1a over the WGSL of every kernel. */
function kernelHash(): string {
  let hash = 0x811c9dc5;
  for (const { kernel } of catalog) {
    for (let k = 0; k < kernel.source.length; k++) {
      hash = Math.imul(hash ^ kernel.source.charCodeAt(k), 0x01000193);
    }
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}
