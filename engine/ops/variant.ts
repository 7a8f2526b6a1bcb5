/**
 * Which of its kernels an operator runs on a device.
 *
 * @module
 */
import type { Variant } from "../../kernels/matmul/matmul.ts";
import type { Device } from "../device.ts";

/**
 * Kernels for a device: shared-memory tiles on a GPU; on a CPU kernels for
 * subgroups of 8 lanes where it has them, otherwise the simple ones.
 */
export function variantOf(device: Device): Variant {
  if (device.profile === "gpu") return "tiles";
  const { subgroupMinSize, subgroupMaxSize } = device.info;
  const granted = device.gpu.features.has("subgroups" as GPUFeatureName);
  return granted && subgroupMinSize === 8 && subgroupMaxSize === 8
    ? "lanes"
    : "simple";
}
