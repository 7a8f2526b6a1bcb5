/**
 * What the adapter can do at most: multiply-adds per second, and bytes copied.
 * Both are the best of several runs, since whatever disturbs them slows them.
 *
 * @module
 */
import { type Device, linearWorkgroups } from "../engine/mod.ts";
import { defineKernel, type Kernel } from "../kernels/mod.ts";
import type { Machine } from "./measure.ts";
import copySource from "./copy.wgsl" with { type: "text" };
import multiplyAddSource from "./multiply_add.wgsl" with { type: "text" };

/** Chains of multiply-adds in registers. */
export const multiplyAdd: Kernel = defineKernel(
  "bench.multiply_add",
  multiplyAddSource,
);
/** A copy by a kernel; the adapter's own may be faster. */
export const copyKernel: Kernel = defineKernel("bench.copy", copySource);

/** Multiply-adds of one invocation and step: 32 of four numbers. */
const PER_STEP = 128;
/** Runs, and copies in each. */
const RUNS = 12, COPIES = 8;
/** Sizes of a run on a CPU and on a GPU: invocations and steps; numbers copied. */
const SIZES = {
  cpu: { invocations: 2 ** 12, steps: 2 ** 9, numbers: 2 ** 22 },
  gpu: { invocations: 2 ** 18, steps: 2 ** 12, numbers: 2 ** 26 },
};

/** Measures the adapter. */
export async function measureMachine(device: Device): Promise<Machine> {
  return {
    gflops: await multiplyAdds(device),
    gbytes: await copies(device),
  };
}

/** Shortest of several runs, in milliseconds. */
async function shortest(device: Device, job: () => void): Promise<number> {
  let best = Infinity;
  for (let k = 0; k <= RUNS; k++) {
    const start = performance.now();
    const times = await device.profileKernels(job);
    const wall = performance.now() - start;
    // copies are no kernels and have no timestamps; the first run compiles
    const time = times?.length
      ? times.reduce((sum, t) => sum + t.milliseconds, 0)
      : wall;
    if (k > 0) best = Math.min(best, time);
  }
  return best;
}

async function multiplyAdds(device: Device): Promise<number> {
  using _scope = device.scope();
  const { invocations, steps } = SIZES[device.profile];
  const y = device.empty([invocations]);
  const time = await shortest(
    device,
    () =>
      device.run(multiplyAdd, {
        tensors: { y },
        params: { steps, a: 0.5, b: 1 },
        workgroups: [invocations / 64],
      }),
  );
  return 2 * invocations * steps * PER_STEP / time / 1e6;
}

async function copies(device: Device): Promise<number> {
  using _scope = device.scope();
  const numbers = Math.min(
    SIZES[device.profile].numbers,
    device.maxTensorBytes / 4,
  );
  const x = device.full([numbers], 1), y = device.empty([numbers]);
  const step = device.profile === "cpu" ? 16 : 1;
  const repeat = (job: () => void) => () => {
    for (let k = 0; k < COPIES; k++) job();
  };
  const byKernel = () =>
    device.run(copyKernel, {
      tensors: { x, y },
      params: { n: numbers / 4 },
      constants: { STEP: step },
      workgroups: linearWorkgroups(numbers / 4, 64 * step),
    });
  const time = Math.min(
    await shortest(device, repeat(byKernel)),
    await shortest(device, repeat(() => device.copy(x, y))),
  );
  return COPIES * 8 * numbers / time / 1e6;
}
