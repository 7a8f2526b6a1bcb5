/**
 * Buffers by size class. A released buffer serves the next tensor of its
 * class; last released, first reused, so that a training step that repeats
 * itself meets the same buffers in the same places and every bind group hits
 * the cache.
 *
 * @module
 */

/** A GPU buffer with an identity that bind-group keys can use. */
export interface PooledBuffer {
  /** Unique among the buffers of one pool. */
  readonly id: number;
  /** The buffer itself. */
  readonly buffer: GPUBuffer;
  /** Bytes of the size class. */
  readonly bytes: number;
}

const SMALLEST = 256;
/** Classes per octave: at most a quarter of a buffer is unused. */
const STEPS = 4;

/** The smallest size class, in bytes, that holds `bytes`. */
export function sizeClass(bytes: number): number {
  if (bytes <= SMALLEST) return SMALLEST;
  const octave = 2 ** Math.floor(Math.log2(bytes));
  const step = Math.max(octave / STEPS, SMALLEST);
  return Math.ceil(bytes / step) * step;
}

/** Size-class pool of storage buffers. */
export class BufferPool {
  readonly #create: (bytes: number) => GPUBuffer;
  readonly #free = new Map<number, PooledBuffer[]>();
  readonly #all = new Set<GPUBuffer>();
  readonly #largest: number;
  #nextId = 0;
  /** Bytes in use by tensors. */
  liveBytes = 0;
  /** Bytes of every buffer that exists, in use or waiting. */
  totalBytes = 0;
  /** Largest `totalBytes` so far. */
  peakBytes = 0;
  /** Number of buffers that exist. */
  buffers = 0;

  /**
   * @param create makes a storage buffer of the given size
   * @param largest bytes that the largest class may have
   */
  constructor(create: (bytes: number) => GPUBuffer, largest: number) {
    this.#create = create;
    this.#largest = largest;
  }

  /** A buffer of at least `bytes` bytes; its contents are whatever was there. */
  take(bytes: number): PooledBuffer {
    const size = Math.min(sizeClass(bytes), Math.max(this.#largest, bytes));
    const pooled = this.#free.get(size)?.pop() ?? this.#make(size);
    this.liveBytes += size;
    return pooled;
  }

  /** Gives a buffer back. Commands already recorded may still use it. */
  release(pooled: PooledBuffer): void {
    this.liveBytes -= pooled.bytes;
    const list = this.#free.get(pooled.bytes);
    if (list) list.push(pooled);
    else this.#free.set(pooled.bytes, [pooled]);
  }

  /** Destroys every waiting buffer. The caller has submitted all commands. */
  trim(): void {
    for (const list of this.#free.values()) {
      for (const pooled of list) {
        pooled.buffer.destroy();
        this.#all.delete(pooled.buffer);
        this.totalBytes -= pooled.bytes;
        this.buffers--;
      }
    }
    this.#free.clear();
  }

  /** Destroys every buffer, also those of tensors. */
  destroy(): void {
    for (const buffer of this.#all) buffer.destroy();
    this.#all.clear();
  }

  #make(size: number): PooledBuffer {
    const buffer = this.#create(size);
    this.#all.add(buffer);
    this.totalBytes += size;
    this.peakBytes = Math.max(this.peakBytes, this.totalBytes);
    this.buffers++;
    return { id: this.#nextId++, buffer, bytes: size };
  }
}
