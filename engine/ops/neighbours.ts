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

/** Numbers that an invocation takes on a CPU. */
const CPU_STEP = 16;

/**
 * Invocations for n numbers: of 16 neighbours on a CPU, which runs few long
 * ones twice as fast as many short ones, and of one on a GPU, whose lanes read
 * neighbouring numbers together.
 */
export function neighbours(device: Device, n: number): Neighbours {
  return launch(n, device.profile === "cpu" ? CPU_STEP : 1);
}

/** The same for a kernel that takes vec4 of numbers; `count` of them hold all. */
export function neighbouringVectors(
  device: Device,
  n: number,
): Neighbours & { count: number } {
  const count = Math.ceil(n / 4);
  return {
    count,
    ...launch(count, device.profile === "cpu" ? CPU_STEP / 4 : 1),
  };
}

function launch(n: number, step: number): Neighbours {
  return { step, workgroups: linearWorkgroups(n, 64 * step) };
}
