/**
 * How a row of the benchmark is timed.
 *
 * @module
 */
import type { Device } from "../engine/mod.ts";

/** Something to time. */
export interface Row {
  /** What `--only` picks, for instance `conv2d`. */
  readonly group: string;
  /** What it is, with its sizes. */
  readonly name: string;
  /** Multiplications and additions of the definition; null where they are not counted. */
  readonly operations: number | null;
  /** Makes what the row needs and returns what is timed. */
  readonly prepare: (device: Device) => Promise<Job> | Job;
}

/** Records the timed work; tensors made on the way are released by the caller. */
export type Job = () => void;

/** What a row came to. */
export interface Timing {
  /** Group of the row. */
  readonly group: string;
  /** Name of the row. */
  readonly name: string;
  /** Median of the time inside kernels, in milliseconds; null without timestamps. */
  readonly kernels: number | null;
  /** Median of the time from the first command to the last result. */
  readonly wall: number;
  /** Thousand million operations per second of kernel time. */
  readonly gflops: number | null;
  /** Time of the first run, which compiles kernels. */
  readonly first: number;
  /** Timed runs. */
  readonly runs: number;
}

/** The middle one of several numbers. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b), half = sorted.length >> 1;
  return sorted.length % 2
    ? sorted[half]
    : (sorted[half - 1] + sorted[half]) / 2;
}

/**
 * Times a row: one run that compiles, then `runs` by the clock and as many by
 * timestamps around each kernel, taken in turn since machines are shared.
 */
export async function measure(
  device: Device,
  row: Row,
  runs: number,
): Promise<Timing> {
  using _scope = device.scope();
  const job = await row.prepare(device);
  const once = () => {
    using _scope = device.scope();
    job();
  };
  const clocked = async () => {
    const start = performance.now();
    once();
    await device.finish();
    return performance.now() - start;
  };
  await device.finish();
  const first = await clocked(), wall: number[] = [], kernels: number[] = [];
  for (let k = 0; k < runs; k++) {
    wall.push(await clocked());
    const times = await device.profileKernels(once);
    if (!times) continue;
    kernels.push(times.reduce((sum, t) => sum + t.milliseconds, 0));
  }
  const inside = kernels.length > 0 ? median(kernels) : null;
  const { group, name, operations } = row;
  return {
    group,
    name,
    kernels: inside,
    wall: median(wall),
    gflops: operations && inside ? operations / inside / 1e6 : null,
    first,
    runs,
  };
}
