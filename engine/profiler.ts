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

const QUERIES = 4096;

/** Collects timestamps; made by `Device.profile`. */
export class Profiler {
  readonly #device: GPUDevice;
  readonly #set: GPUQuerySet;
  readonly #names: string[] = [];
  readonly #resolved: GPUBuffer;
  readonly #staging: GPUBuffer;
  #done = 0;

  /** @param device a device with the feature `timestamp-query` */
  constructor(device: GPUDevice) {
    this.#device = device;
    this.#set = device.createQuerySet({ type: "timestamp", count: QUERIES });
    this.#resolved = device.createBuffer({
      size: QUERIES * 8,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
    this.#staging = device.createBuffer({
      size: QUERIES * 8,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
  }

  /** Descriptor of a pass that times one dispatch; past the last query, none. */
  pass(kernel: string): GPUComputePassDescriptor | undefined {
    const k = this.#names.length * 2;
    if (k + 2 > QUERIES) return undefined;
    this.#names.push(kernel);
    return {
      timestampWrites: {
        querySet: this.#set,
        beginningOfPassWriteIndex: k,
        endOfPassWriteIndex: k + 1,
      },
    };
  }

  /** Adds the resolution of new queries to a command buffer. */
  resolve(encoder: GPUCommandEncoder): void {
    const first = this.#done * 2, count = this.#names.length * 2 - first;
    if (count <= 0) return;
    // offsets of resolveQuerySet are multiples of 256 bytes, so start over at 0
    encoder.resolveQuerySet(this.#set, 0, first + count, this.#resolved, 0);
    this.#done = this.#names.length;
  }

  /** Reads the times, longest first, and frees the queries. */
  async finish(): Promise<KernelTime[]> {
    const bytes = Math.max(this.#names.length * 16, 16);
    const encoder = this.#device.createCommandEncoder();
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#staging, 0, bytes);
    this.#device.queue.submit([encoder.finish()]);
    await this.#staging.mapAsync(GPUMapMode.READ, 0, bytes);
    const stamps = new BigUint64Array(
      this.#staging.getMappedRange(0, bytes).slice(0),
    );
    this.#staging.unmap();
    this.#staging.destroy();
    this.#resolved.destroy();
    return summarise(this.#names, stamps);
  }
}

function summarise(names: string[], stamps: BigUint64Array): KernelTime[] {
  const times = new Map<string, KernelTime>();
  names.forEach((kernel, k) => {
    const time = times.get(kernel) ?? { kernel, count: 0, milliseconds: 0 };
    time.count++;
    time.milliseconds += Number(stamps[2 * k + 1] - stamps[2 * k]) / 1e6;
    times.set(kernel, time);
  });
  return [...times.values()].sort((a, b) => b.milliseconds - a.milliseconds);
}
