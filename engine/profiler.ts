/**
 * GPU time per kernel, from timestamp queries around each dispatch.
 *
 * @module
 */

/** Time that one kernel took over a profiled stretch. */
export interface KernelTime {
  /** Kernel name. */
  kernel: string;
  /** Launches. */
  count: number;
  /** Sum over launches, in milliseconds of device time. */
  milliseconds: number;
}

/** Queries of a set: the most that WebGPU allows. */
const QUERIES = 4096;

/** Collects timestamps; made by `Device.profile`. */
export class Profiler {
  readonly #device: GPUDevice;
  readonly #sets: TimestampSet[] = [];

  /** @param device a device with the feature `timestamp-query` */
  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Descriptor of a pass that times one dispatch. */
  pass(kernel: string): GPUComputePassDescriptor {
    let set = this.#sets.at(-1);
    if (!set || set.full) {
      this.#sets.push(set = new TimestampSet(this.#device));
    }
    return set.pass(kernel);
  }

  /** Adds the resolution of new queries to a command buffer. */
  resolve(encoder: GPUCommandEncoder): void {
    for (const set of this.#sets) set.resolve(encoder);
  }

  /** Reads the times, longest first, and frees the queries. */
  async finish(): Promise<KernelTime[]> {
    const launches = await Promise.all(this.#sets.map((set) => set.finish()));
    return summarise(launches.flat());
  }
}

/** As many timestamps as fit a query set. */
class TimestampSet {
  readonly #device: GPUDevice;
  readonly #set: GPUQuerySet;
  readonly #names: string[] = [];
  readonly #resolved: GPUBuffer;
  #done = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.#set = device.createQuerySet({ type: "timestamp", count: QUERIES });
    this.#resolved = device.createBuffer({
      size: QUERIES * 8,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
  }

  get full(): boolean {
    return this.#names.length * 2 >= QUERIES;
  }

  pass(kernel: string): GPUComputePassDescriptor {
    const k = this.#names.push(kernel) * 2;
    return {
      timestampWrites: {
        querySet: this.#set,
        beginningOfPassWriteIndex: k - 2,
        endOfPassWriteIndex: k - 1,
      },
    };
  }

  resolve(encoder: GPUCommandEncoder): void {
    const count = this.#names.length;
    if (count === this.#done) return;
    // offsets of resolveQuerySet are multiples of 256 bytes, so start over at 0
    encoder.resolveQuerySet(this.#set, 0, 2 * count, this.#resolved, 0);
    this.#done = count;
  }

  /** The time of each launch; frees the queries. */
  async finish(): Promise<KernelTime[]> {
    const bytes = this.#names.length * 16;
    const staging = this.#device.createBuffer({
      size: bytes,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    const encoder = this.#device.createCommandEncoder();
    encoder.copyBufferToBuffer(this.#resolved, 0, staging, 0, bytes);
    this.#device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const stamps = new BigUint64Array(staging.getMappedRange().slice(0));
    for (const used of [staging, this.#resolved, this.#set]) used.destroy();
    return this.#names.map((kernel, k) => ({
      kernel,
      count: 1,
      milliseconds: Number(stamps[2 * k + 1] - stamps[2 * k]) / 1e6,
    }));
  }
}

/** The launches of each kernel added up, longest first. */
function summarise(launches: readonly KernelTime[]): KernelTime[] {
  const sums = new Map<string, KernelTime>();
  for (const { kernel, count, milliseconds } of launches) {
    const sum = sums.get(kernel) ?? { kernel, count: 0, milliseconds: 0 };
    sum.count += count;
    sum.milliseconds += milliseconds;
    sums.set(kernel, sum);
  }
  return [...sums.values()].sort((a, b) => b.milliseconds - a.milliseconds);
}
