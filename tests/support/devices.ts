/**
 * Devices as conformance needs them: poisoned, and of every kind that kernels
 * are written for.
 *
 * @module
 */
import { type Device, openDevice, type TileProfile } from "../../engine/mod.ts";

/**
 * A kind of device: `plain` is a CPU whose driver offers no subgroups of eight
 * lanes, so that the kernels that need nothing are run.
 */
export type DeviceKind = TileProfile | "plain";

/** Every kind. */
export const DEVICE_KINDS: readonly DeviceKind[] = ["cpu", "plain", "gpu"];

/** Families of cases in which such a CPU runs other kernels. */
export const PLAIN_FAMILIES = ["matmul", "conv2d", "triplane", "f16", "nn"];

/** Opens a device on which numbers that no kernel writes are NaN. */
export async function openPoisoned(kind: DeviceKind): Promise<Device> {
  if (kind !== "plain") return openDevice({ profile: kind, poison: true });
  const device = await openDevice({ profile: "cpu", poison: true });
  const { vendor, architecture, description } = device.info;
  const info = { vendor, architecture, description, subgroupMinSize: 0 };
  return Object.defineProperty(device, "info", { value: info });
}
