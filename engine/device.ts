/**
 * A handle on one WebGPU device: memory, dispatch, read-back, errors.
 *
 * @module
 */
import type { Constants, Dtype, Kernel } from "../kernels/kernel.ts";
import { fill } from "../kernels/elementwise/elementwise.ts";
import {
  byteLength,
  commonDtype,
  decode,
  encode,
  halvesOf,
  POISON,
  wordOf,
} from "./dtype.ts";
import { adapterKey } from "./adapter_key.ts";
import { Autotuner, type TuneCache, type Tuned } from "./autotune.ts";
import {
  DeviceLostError,
  DtypeError,
  EngineError,
  NoAdapterError,
  OutOfMemoryError,
  ShapeError,
  TensorTooLargeError,
} from "./errors.ts";
import { BufferPool, type PooledBuffer } from "./pool.ts";
import { type KernelTime, Profiler } from "./profiler.ts";
import { Recorder } from "./recorder.ts";
import { elementCount, Scope, type Shape, Tensor } from "./tensor.ts";

/** Which kernels a device runs: register tiles for a CPU, shared-memory tiles for a GPU. */
export type TileProfile = "cpu" | "gpu";

/** Options of {@linkcode openDevice}. */
export interface DeviceOptions {
  /** Kernel profile; chosen from the adapter when absent. */
  profile?: TileProfile;
  /** Fill every new tensor with NaN, so that an element no kernel writes is seen. */
  poison?: boolean;
  /**
   * Choose the fastest of several kernels for each shape, and keep the choices
   * here; see {@linkcode Device.tune}. Without it every shape has one kernel.
   */
  tune?: TuneCache;
}

/** Memory of a device, in bytes. */
export interface MemoryUse {
  /** Held by tensors. */
  live: number;
  /** Held by the pool, live or waiting. */
  total: number;
  /** Largest `total` since the device was opened. */
  peak: number;
  /** Number of buffers. */
  buffers: number;
}

/** One kernel launch on tensors; see {@linkcode Device.run}. */
export interface Launch {
  /** A tensor for each storage binding, by its WGSL name. */
  tensors: Record<string, Tensor>;
  /** A value for each field of `Params`. */
  params?: Record<string, number>;
  /** Values for `override` and `const` declarations. */
  constants?: Constants;
  /** Workgroups in x, y, z. */
  workgroups: readonly [number, number?, number?];
}

/** Features that kernels use where they are; `subgroups` is granted by adapters that do not list it. */
const WANTED_FEATURES = ["shader-f16", "timestamp-query"] as const;
const UNLISTED_FEATURES = ["subgroups"] as const;

/**
 * Opens a device on the default adapter, with all of the adapter's limits.
 *
 * Needs no permission.
 *
 * @throws {NoAdapterError} when no WebGPU adapter answers
 */
export async function openDevice(options: DeviceOptions = {}): Promise<Device> {
  const adapter = await navigator.gpu?.requestAdapter({
    powerPreference: "high-performance",
  });
  if (!adapter) {
    throw new NoAdapterError(
      "No WebGPU adapter answered: install a Vulkan driver " +
        "(on Debian and Ubuntu the packages libvulkan1 and mesa-vulkan-drivers).",
    );
  }
  const requiredLimits: Record<string, number> = {};
  for (const name in adapter.limits) {
    const value = adapter.limits[name as keyof GPUSupportedLimits];
    if (typeof value === "number") requiredLimits[name] = value;
  }
  const listed = WANTED_FEATURES.filter((f) => adapter.features.has(f));
  const request = (features: readonly string[]) =>
    adapter.requestDevice({
      requiredLimits,
      requiredFeatures: features as GPUFeatureName[],
    });
  const gpu = await request([...listed, ...UNLISTED_FEATURES])
    .catch(() => request(listed));
  const device = new Device(gpu, adapter.info, options);
  if (options.tune) {
    device.tuner = await Autotuner.open(adapterKey(device), options.tune);
  }
  return device;
}

/**
 * A device. Tensors and everything computed from them belong to it; close it
 * with `using` or {@linkcode Device.close}.
 */
export class Device {
  /** The WebGPU device, for what the engine does not offer. */
  readonly gpu: GPUDevice;
  /** Adapter name and vendor. */
  readonly info: GPUAdapterInfo;
  /** Which kernels run. */
  readonly profile: TileProfile;
  /** Whether operators note how to differentiate their results. */
  recording = true;
  /** Chooses kernels by shape; null on a device that was opened without `tune`. */
  tuner: Autotuner | null = null;
  readonly #recorder: Recorder;
  readonly #pool: BufferPool;
  readonly #staging: GPUBuffer[] = [];
  readonly #poison: boolean;
  #checks: Promise<Error | null>[] = [];
  #failure: EngineError | null = null;
  #scope: Scope | null = null;

  /** Use {@linkcode openDevice}. */
  constructor(gpu: GPUDevice, info: GPUAdapterInfo, options: DeviceOptions) {
    this.gpu = gpu;
    this.info = info;
    this.profile = options.profile ?? (info.isFallbackAdapter ? "cpu" : "gpu");
    this.#poison = options.poison ?? false;
    this.#recorder = new Recorder(gpu, (check) => this.#checks.push(check));
    this.#pool = new BufferPool(
      (bytes) => this.#createBuffer(bytes),
      this.maxTensorBytes,
    );
    gpu.lost.then((info) => {
      this.#failure ??= new DeviceLostError(
        `The GPU device was lost (${
          info.message || info.reason
        }): open a new one and start again from the last checkpoint.`,
      );
    });
    gpu.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      const { error } = event as GPUUncapturedErrorEvent;
      // behind the checks that wait: a kernel that does not compile explains
      // the refused commands that follow from it
      this.#checks.push(Promise.resolve(
        error instanceof GPUOutOfMemoryError ? outOfMemory() : new EngineError(
          `WebGPU refused a command: ${error.message.trim()}`,
        ),
      ));
    });
  }

  /** Largest tensor, in bytes. */
  get maxTensorBytes(): number {
    const { maxStorageBufferBindingSize, maxBufferSize } = this.gpu.limits;
    return Math.min(maxStorageBufferBindingSize, maxBufferSize);
  }

  /** Memory in use. */
  get memory(): MemoryUse {
    const { liveBytes, totalBytes, peakBytes, buffers } = this.#pool;
    return { live: liveBytes, total: totalBytes, peak: peakBytes, buffers };
  }

  /** Dispatches since the device was opened. */
  get dispatches(): number {
    return this.#recorder.dispatches;
  }

  /**
   * A tensor with the given numbers, rounded to the element type.
   *
   * @throws {ShapeError} when `data` does not fill `shape`
   * @throws {DtypeError} when the device has no such element type
   */
  tensor(
    data: ArrayLike<number>,
    shape: Shape,
    dtype: Dtype = "f32",
  ): Tensor {
    if (data.length !== elementCount(shape)) {
      throw new ShapeError(
        `A tensor of shape [${shape}] needs ${
          elementCount(shape)
        } numbers, not ${data.length}.`,
      );
    }
    const t = this.#allocate(shape, dtype);
    this.write(t, data);
    return t;
  }

  /**
   * A tensor whose contents are not set yet.
   *
   * @throws {DtypeError} when the device has no such element type
   */
  empty(shape: Shape, dtype: Dtype = "f32"): Tensor {
    const t = this.#allocate(shape, dtype);
    if (this.#poison) this.#fill(t, POISON[dtype]);
    return t;
  }

  /** A tensor filled with one number. */
  full(shape: Shape, value: number, dtype: Dtype = "f32"): Tensor {
    const t = this.#allocate(shape, dtype);
    this.#fill(t, wordOf(value, dtype));
    return t;
  }

  /** A tensor of zeros. */
  zeros(shape: Shape, dtype: Dtype = "f32"): Tensor {
    return this.full(shape, 0, dtype);
  }

  /**
   * Replaces the numbers of a tensor, after everything recorded so far.
   *
   * @throws {ShapeError} when they are more or fewer
   */
  write(t: Tensor, data: ArrayLike<number>): void {
    this.#check();
    requireSize(t, data.length);
    this.#recorder.submit();
    const array = encode(data, t.dtype);
    this.gpu.queue.writeBuffer(
      t.storage.buffer,
      0,
      array.buffer as ArrayBuffer,
      array.byteOffset,
      array.byteLength,
    );
  }

  /** Replaces the words of a tensor that a kernel reads as u32 or i32. */
  writeWords(t: Tensor, data: Uint32Array | Int32Array): void {
    this.write(t, new Float32Array(data.buffer, data.byteOffset, data.length));
  }

  /**
   * Launches a kernel after everything recorded before.
   *
   * @throws {DeviceLostError} when the device is gone
   * A kernel that does not compile is reported by the next read or `settle`, and
   * by every launch of it from then on.
   *
   * @throws {KernelError} when a buffer or parameter is missing, a tensor is
   * written and bound twice, or there are too many workgroups
   * @throws {DtypeError} when the kernel does not take tensors of these element types
   */
  run(kernel: Kernel, launch: Launch): void {
    this.#check();
    const buffers: Record<string, { storage: PooledBuffer; bytes: number }> =
      {};
    let half = false;
    for (const name in launch.tensors) {
      const t = launch.tensors[name];
      if (t.device !== this) throw foreign(kernel, name);
      half ||= t.dtype === "f16";
      buffers[name] = { storage: t.storage, bytes: t.bytes };
    }
    this.#recorder.dispatch({
      kernel,
      buffers,
      params: launch.params,
      constants: launch.constants,
      halves: half ? halvesOf(kernel, launch.tensors) : [],
      workgroups: launch.workgroups,
    });
  }

  /**
   * Copies the numbers of one tensor to another of the same size.
   *
   * @throws {ShapeError} when one has more
   * @throws {DtypeError} when their element types differ
   */
  copy(from: Tensor, to: Tensor): void {
    this.#check();
    commonDtype("copy", [from, to]);
    requireSize(to, from.size);
    this.#recorder.copy(from.storage.buffer, to.storage.buffer, from.bytes);
  }

  /** Hands recorded work to the GPU without waiting for it. */
  submit(): void {
    this.#recorder.submit();
  }

  /**
   * The numbers of several tensors, as f32 for any element type, in one wait.
   *
   * @throws {EngineError} whatever went wrong on the device until now
   */
  async read(...tensors: Tensor[]): Promise<Float32Array[]> {
    this.#check();
    const staged = tensors.map((t) => {
      const staging = this.#takeStaging(t.bytes);
      this.#recorder.copy(t.storage.buffer, staging, t.bytes);
      return staging;
    });
    this.#recorder.submit();
    try {
      await Promise.all(
        staged.map((s, k) => s.mapAsync(GPUMapMode.READ, 0, tensors[k].bytes)),
      );
    } catch (error) {
      await this.#noteLoss();
      await this.settle();
      throw new EngineError(
        `Reading back failed: ${(error as Error).message}`,
        { cause: error },
      );
    }
    const data = staged.map((s, k) => {
      const { bytes, size, dtype } = tensors[k];
      const copy = s.getMappedRange(0, bytes).slice(0);
      s.unmap();
      this.#staging.push(s);
      return decode(copy, size, dtype);
    });
    await this.settle();
    return data;
  }

  /**
   * Waits for pending checks and throws the first failure. A kernel that does
   * not compile, or a command that WebGPU refuses, is thrown once: what it
   * should have written stays unwritten and everything else goes on. A lost
   * device and exhausted memory are for good.
   *
   * @throws {EngineError} whatever went wrong on the device until now
   */
  async settle(): Promise<void> {
    let first: EngineError | null = null;
    while (this.#checks.length > 0) {
      const checks = this.#checks;
      this.#checks = [];
      for (const error of await Promise.all(checks)) {
        first ??= error as EngineError | null;
        if (error instanceof OutOfMemoryError) this.#failure ??= error;
      }
    }
    this.#check();
    if (first) throw first;
  }

  /** Waits until the GPU has finished everything. */
  async finish(): Promise<void> {
    this.#recorder.submit();
    await this.gpu.queue.onSubmittedWorkDone();
    await this.settle();
  }

  /**
   * Opens a scope: tensors made until it is closed are released with it.
   *
   *     using scope = device.scope();
   */
  scope(): Scope {
    return this.#scope = new Scope(
      this.#scope,
      (parent) => this.#scope = parent,
    );
  }

  /**
   * Runs `body` outside of any scope: tensors that it makes live until the
   * caller releases them (tables that serve many calls).
   */
  unscoped<T>(body: () => T): T {
    const before = this.#scope;
    this.#scope = null;
    try {
      return body();
    } finally {
      this.#scope = before;
    }
  }

  /**
   * Runs `body` without noting how to differentiate its results. `body` must not
   * await: what it does afterwards would be noted again.
   */
  withoutTape<T>(body: () => T): T {
    const before = this.recording;
    this.recording = false;
    try {
      return body();
    } finally {
      this.recording = before;
    }
  }

  /**
   * Finds the fastest kernels for the shapes that operators have met since the
   * last call, checks their numbers first, and keeps the choices: run a step,
   * tune, and later steps are faster. Takes seconds for large shapes. Nothing
   * else may use the device until it is done: tensors that are made meanwhile
   * are released, and what runs meanwhile is timed too.
   *
   * @returns what was chosen; empty on a device that was opened without `tune`
   * @throws {EngineError} when the always-right method of a shape fails, or the
   * device is lost or out of memory
   * @throws whatever the cache throws when it cannot save
   */
  async tune(): Promise<Tuned[]> {
    return await this.tuner?.tune(this) ?? [];
  }

  /** GPU time per kernel of what `body` records; null without the feature. */
  async profileKernels(
    body: () => void | Promise<void>,
  ): Promise<KernelTime[] | null> {
    if (!this.gpu.features.has("timestamp-query")) {
      await body();
      return null;
    }
    this.#recorder.submit();
    const profiler = this.#recorder.profiler = new Profiler(this.gpu);
    try {
      await body();
      await this.finish();
    } finally {
      this.#recorder.profiler = null;
    }
    return profiler.finish();
  }

  /** Destroys buffers that wait in the pool. */
  trim(): void {
    this.#recorder.submit();
    this.#recorder.forgetBindGroups();
    this.#pool.trim();
    for (const buffer of this.#staging.splice(0)) buffer.destroy();
  }

  /** Closes the device; its tensors cannot be used any more. */
  close(): void {
    this.trim();
    this.#pool.destroy();
    this.#recorder.destroy();
    this.#failure ??= new DeviceLostError(
      "The device was closed; open a new one.",
    );
    this.gpu.destroy();
  }

  /** Same as {@linkcode Device.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #allocate(shape: Shape, dtype: Dtype): Tensor {
    this.#check();
    if (dtype === "f16" && !this.gpu.features.has("shader-f16")) {
      throw new DtypeError(
        `This adapter has no 16-bit numbers (WebGPU's shader-f16): keep tensors in f32.`,
      );
    }
    if (!shape.every((n) => Number.isInteger(n) && n > 0)) {
      throw new ShapeError(
        `A tensor of shape [${shape}] cannot be made: sizes are whole numbers from 1 on.`,
      );
    }
    const bytes = byteLength(elementCount(shape), dtype);
    if (bytes > this.maxTensorBytes) {
      throw new TensorTooLargeError(
        `A tensor of shape [${shape}] takes ${bytes} bytes and this adapter binds at most ${this.maxTensorBytes}: split it.`,
      );
    }
    const t = new Tensor(
      this,
      shape,
      dtype,
      this.#pool.take(bytes),
      (s) => this.#pool.release(s),
    );
    this.#scope?.add(t);
    return t;
  }

  /** Adds a view to the current scope. */
  adopt(t: Tensor): Tensor {
    this.#scope?.add(t);
    return t;
  }

  #fill(t: Tensor, word: number): void {
    const step = this.profile === "cpu" ? 16 : 1, words = t.bytes / 4;
    this.run(fill, {
      tensors: { y: t },
      params: { n: words, value: word },
      constants: { STEP: step },
      workgroups: linearWorkgroups(words, 64 * step),
    });
  }

  #createBuffer(bytes: number): GPUBuffer {
    this.gpu.pushErrorScope("out-of-memory");
    const buffer = this.gpu.createBuffer({
      size: bytes,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC |
        GPUBufferUsage.COPY_DST,
    });
    this.#checks.push(
      this.gpu.popErrorScope().then((error) => error && outOfMemory(bytes)),
    );
    return buffer;
  }

  /** A lost device fails its reads a moment before it says that it is lost. */
  async #noteLoss(): Promise<void> {
    const moment = Promise.withResolvers<void>();
    const timer = setTimeout(moment.resolve, 200);
    await Promise.race([this.gpu.lost, moment.promise]);
    clearTimeout(timer);
  }

  #takeStaging(bytes: number): GPUBuffer {
    const k = this.#staging.findIndex((s) =>
      s.size >= bytes && s.size <= 4 * bytes + 4096
    );
    if (k >= 0) return this.#staging.splice(k, 1)[0];
    return this.gpu.createBuffer({
      size: Math.max(bytes, 256),
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
  }

  #check(): void {
    if (this.#failure) throw this.#failure;
  }
}

function requireSize(t: Tensor, count: number): void {
  if (t.size === count) return;
  throw new ShapeError(
    `A tensor of shape [${t.shape}] holds ${t.size} numbers, not ${count}.`,
  );
}

function foreign(kernel: Kernel, name: string): EngineError {
  return new EngineError(
    `Kernel ${kernel.name} was given a tensor of another device as ${name}: copy its numbers over with data() and tensor().`,
  );
}

function outOfMemory(bytes?: number): OutOfMemoryError {
  return new OutOfMemoryError(
    `The adapter has no memory left${
      bytes ? ` for a buffer of ${bytes} bytes` : ""
    }: use smaller sizes, fewer frames or a device with more memory.`,
  );
}

/** The most workgroups in one dimension that every adapter allows. */
export const MOST_GROUPS = 65535;

/**
 * Workgroups for one invocation per element, folded over x and y because an
 * adapter allows at most {@linkcode MOST_GROUPS} in one dimension.
 *
 * @param n invocations
 * @param size invocations of a workgroup
 */
export function linearWorkgroups(n: number, size = 64): [number, number] {
  const groups = Math.ceil(n / size);
  const x = Math.min(groups, MOST_GROUPS);
  return [x, Math.ceil(groups / x)];
}
