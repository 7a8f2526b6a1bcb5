/**
 * How many neighbouring numbers an invocation of an elementwise kernel takes.
 *
 * @module
 */
import { type Device, linearWorkgroups } from "../device.ts";

/** The part of a launch that depends on it. */
export interface Neighbours {
  /** The kernel's `STEP`. */
  step: number;
  /** Workgroups for n numbers. */
  workgroups: [number, number];
}

/**
 * Invocations for n numbers: of 16 neighbours on a CPU, which runs few long
 * ones twice as fast as many short ones, and of one on a GPU, whose lanes read
 * neighbouring numbers together.
 */
export function neighbours(device: Device, n: number): Neighbours {
  const step = device.profile === "cpu" ? 16 : 1;
  return { step, workgroups: linearWorkgroups(n, 64 * step) };
}
