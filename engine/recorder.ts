/**
 * Collects dispatches into few submissions: one compute pass per command
 * buffer, one uniform buffer for the parameters of all its dispatches, and
 * caches for pipelines and bind groups.
 *
 * @module
 */
import { type Constants, type Kernel, specialise } from "../kernels/kernel.ts";
import { EngineError, KernelError } from "./errors.ts";
import type { PooledBuffer } from "./pool.ts";
import type { Profiler } from "./profiler.ts";

/** One kernel launch. */
export interface Dispatch {
  /** What to run. */
  kernel: Kernel;
  /** A buffer for each storage binding, by its WGSL name, and its used bytes. */
  buffers: Record<string, { storage: PooledBuffer; bytes: number }>;
  /** A value for each field of the kernel's `Params`, by name. */
  params?: Record<string, number>;
  /** Values for `override` and `const` declarations. */
  constants?: Constants;
  /** Aliases of the kernel that stand for f16. */
  halves?: readonly string[];
  /** Workgroups in x, y, z. */
  workgroups: readonly [number, number?, number?];
}

interface Pipeline {
  id: number;
  kernel: Kernel;
  pipeline: GPUComputePipeline;
  layout: GPUBindGroupLayout;
  /** Whether it compiled; null until WebGPU has said so. */
  outcome: "compiled" | KernelError | null;
}

/** Dispatches per submission: enough to hide its cost, few enough to keep the device fed. */
const BATCH = 128;
const SLOTS = 1024;
/**
 * After this many new bind groups the old ones are forgotten and collected. CPU
 * Vulkan keeps a memory mapping for each, of which a process has 65,530 and
 * then crashes.
 */
const BIND_GROUPS = 16384;
/** Bind groups made since then, by all devices of the process. */
let bindGroupsMade = 0;

/** Records dispatches in order and submits them in batches. */
export class Recorder {
  readonly #device: GPUDevice;
  readonly #onError: (pending: Promise<Error | null>) => void;
  readonly #pipelines = new Map<string, Pipeline>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  #bindGroups = new Map<string, GPUBindGroup>();
  #nextPipeline = 0;
  readonly #slotBytes: number;
  readonly #arena: GPUBuffer;
  readonly #arenaBytes: ArrayBuffer;
  readonly #words: Uint32Array;
  readonly #floats: Float32Array;
  #slots = 0;
  #encoder: GPUCommandEncoder | null = null;
  #pass: GPUComputePassEncoder | null = null;
  #recorded = 0;
  /** Set while a profile is being taken. */
  profiler: Profiler | null = null;
  /** Dispatches recorded since the device was opened. */
  dispatches = 0;

  /**
   * @param device the WebGPU device
   * @param onError receives what WebGPU says of each new pipeline
   */
  constructor(
    device: GPUDevice,
    onError: (pending: Promise<Error | null>) => void,
  ) {
    this.#device = device;
    this.#onError = onError;
    this.#slotBytes = Math.max(
      device.limits.minUniformBufferOffsetAlignment,
      256,
    );
    const bytes = this.#slotBytes * SLOTS;
    this.#arena = device.createBuffer({
      size: bytes,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    this.#arenaBytes = new ArrayBuffer(bytes);
    this.#words = new Uint32Array(this.#arenaBytes);
    this.#floats = new Float32Array(this.#arenaBytes);
  }

  /**
   * Adds a dispatch after all earlier ones.
   *
   * @throws {KernelError} when a buffer or parameter is missing, a buffer is
   * written and bound twice, there are more workgroups than the adapter allows,
   * or the kernel is known not to compile
   */
  dispatch(d: Dispatch): void {
    const pipeline = this.#pipeline(
      d.kernel,
      d.constants ?? {},
      d.halves ?? [],
    );
    if (pipeline.outcome instanceof KernelError) throw pipeline.outcome;
    this.#checkWorkgroups(d);
    const group = this.#bindGroup(pipeline, d);
    if (pipeline.outcome === "compiled") this.#record(d, pipeline, group);
    else this.#recordAlone(d, pipeline, group);
  }

  /**
   * WebGPU refuses a command buffer as a whole: until a pipeline is known to
   * have compiled it gets buffers of its own, so that nothing else is lost.
   */
  #recordAlone(d: Dispatch, pipeline: Pipeline, group: GPUBindGroup): void {
    this.submit();
    this.#watch(
      () => {
        this.#record(d, pipeline, group);
        this.submit();
      },
      (error) =>
        // what does not compile has been reported
        error && !(pipeline.outcome instanceof KernelError)
          ? new EngineError(
            `WebGPU refused to run ${d.kernel.name}: ${error.message.trim()}`,
          )
          : null,
    );
  }

  /** Runs `body` and reports what WebGPU finds invalid in it, in the words of `explain`. */
  #watch<T>(
    body: () => T,
    explain: (error: GPUError | null) => EngineError | null,
  ): T {
    this.#device.pushErrorScope("validation");
    try {
      return body();
    } finally {
      // a scope left open would swallow every later error
      this.#onError(this.#device.popErrorScope().then(explain));
    }
  }

  #record(d: Dispatch, pipeline: Pipeline, group: GPUBindGroup): void {
    if (this.#slots === SLOTS) this.submit();
    const offsets = d.kernel.paramsIndex < 0 ? [] : [this.#writeParams(d)];
    const pass = this.#openPass(d.kernel.name);
    pass.setPipeline(pipeline.pipeline);
    pass.setBindGroup(0, group, offsets);
    pass.dispatchWorkgroups(
      d.workgroups[0],
      d.workgroups[1] ?? 1,
      d.workgroups[2] ?? 1,
    );
    if (this.profiler) this.#closePass();
    this.dispatches++;
    if (++this.#recorded >= BATCH) this.submit();
  }

  /** Records a copy between buffers after all earlier dispatches. */
  copy(source: GPUBuffer, target: GPUBuffer, bytes: number): void {
    this.#closePass();
    this.#openEncoder().copyBufferToBuffer(source, 0, target, 0, bytes);
  }

  /** Hands everything recorded so far to the GPU. */
  submit(): void {
    this.#closePass();
    if (!this.#encoder) return;
    if (this.#slots > 0) {
      this.#device.queue.writeBuffer(
        this.#arena,
        0,
        this.#arenaBytes,
        0,
        this.#slots * this.#slotBytes,
      );
    }
    this.profiler?.resolve(this.#encoder);
    this.#device.queue.submit([this.#encoder.finish()]);
    this.#encoder = null;
    this.#slots = 0;
    this.#recorded = 0;
  }

  /** Forgets every bind group; needed when buffers are destroyed. */
  forgetBindGroups(): void {
    this.#bindGroups = new Map();
  }

  /** Frees the recorder's own buffers. */
  destroy(): void {
    this.#arena.destroy();
  }

  #openEncoder(): GPUCommandEncoder {
    return this.#encoder ??= this.#device.createCommandEncoder();
  }

  #openPass(name: string): GPUComputePassEncoder {
    return this.#pass ??= this.#openEncoder().beginComputePass(
      this.profiler ? this.profiler.pass(name) : undefined,
    );
  }

  #closePass(): void {
    this.#pass?.end();
    this.#pass = null;
  }

  #writeParams(d: Dispatch): number {
    const offset = this.#slots++ * this.#slotBytes;
    let word = offset / 4;
    for (const field of d.kernel.params) {
      const value = d.params?.[field.name];
      if (value === undefined) {
        throw new KernelError(
          `Kernel ${d.kernel.name} was dispatched without its parameter ${field.name}.`,
        );
      }
      if (field.type === "f32") this.#floats[word] = value;
      else this.#words[word] = value;
      word++;
    }
    return offset;
  }

  #pipeline(
    kernel: Kernel,
    constants: Constants,
    halves: readonly string[],
  ): Pipeline {
    const key = pipelineKey(kernel, constants, halves);
    const cached = this.#pipelines.get(key);
    // another text under the same name is another kernel
    if (cached?.kernel.source === kernel.source) return cached;
    const { code, overrides } = specialise(kernel, constants, halves);
    let made: Pipeline | null = null;
    made = this.#watch(
      () => this.#compile(kernel, code, overrides),
      (error) => {
        const failure = error && doesNotCompile(key, error);
        if (made) made.outcome = failure ?? "compiled";
        return failure;
      },
    );
    this.#pipelines.set(key, made);
    return made;
  }

  #compile(
    kernel: Kernel,
    code: string,
    constants: Record<string, number>,
  ): Pipeline {
    const device = this.#device, layout = this.#layout(kernel);
    const module = device.createShaderModule({ label: kernel.name, code });
    const pipeline = device.createComputePipeline({
      label: kernel.name,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: "main", constants },
    });
    const id = this.#nextPipeline++;
    return { id, kernel, pipeline, layout, outcome: null };
  }

  #layout(kernel: Kernel): GPUBindGroupLayout {
    const key = kernel.bindings.map((b) => b.index + b.access).join() +
      "|" + kernel.paramsIndex;
    const cached = this.#layouts.get(key);
    if (cached) return cached;
    const entries: GPUBindGroupLayoutEntry[] = kernel.bindings.map((b) => ({
      binding: b.index,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: b.access === "read" ? "read-only-storage" : "storage" },
    }));
    if (kernel.paramsIndex >= 0) {
      entries.push({
        binding: kernel.paramsIndex,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: "uniform", hasDynamicOffset: true },
      });
    }
    const layout = this.#device.createBindGroupLayout({ entries });
    this.#layouts.set(key, layout);
    return layout;
  }

  #bindGroup(pipeline: Pipeline, d: Dispatch): GPUBindGroup {
    let key = `${pipeline.id}`;
    for (const binding of d.kernel.bindings) {
      const bound = d.buffers[binding.name];
      if (!bound) {
        throw new KernelError(
          `Kernel ${d.kernel.name} was dispatched without its buffer ${binding.name}.`,
        );
      }
      key += `,${bound.storage.id}:${bound.bytes}`;
    }
    let group = this.#bindGroups.get(key);
    if (!group) {
      if (++bindGroupsMade > BIND_GROUPS) this.#collectBindGroups();
      group = this.#makeBindGroup(pipeline, d);
      this.#bindGroups.set(key, group);
    }
    return group;
  }

  #checkWorkgroups({ kernel, workgroups }: Dispatch): void {
    const most = this.#device.limits.maxComputeWorkgroupsPerDimension;
    for (const count of workgroups) {
      if (count === undefined || count <= most) continue;
      throw new KernelError(
        `Kernel ${kernel.name} was dispatched with ${count} workgroups in one dimension and this adapter allows ${most}: fold them, as linearWorkgroups does.`,
      );
    }
  }

  #collectBindGroups(): void {
    bindGroupsMade = 0;
    this.forgetBindGroups();
    try {
      // WebGPU frees them when they are collected, and so much memory, which
      // is never touched, makes JavaScript collect at once
      new ArrayBuffer(2 ** 30);
    } catch {
      // no such room: they go with the next collection
    }
  }

  #makeBindGroup(pipeline: Pipeline, d: Dispatch): GPUBindGroup {
    for (const written of d.kernel.bindings) {
      const twice = written.access === "read_write" &&
        d.kernel.bindings.find((other) =>
          other !== written &&
          d.buffers[other.name].storage === d.buffers[written.name].storage
        );
      if (!twice) continue;
      throw new KernelError(
        `Kernel ${d.kernel.name} was given one tensor as ${written.name}, which it writes, and as ${twice.name}: give it a tensor of its own to write to.`,
      );
    }
    const entries: GPUBindGroupEntry[] = d.kernel.bindings.map((b) => ({
      binding: b.index,
      resource: {
        buffer: d.buffers[b.name].storage.buffer,
        // vec4 arrays need whole vectors; size classes are multiples of 256
        size: Math.ceil(d.buffers[b.name].bytes / 16) * 16,
      },
    }));
    if (d.kernel.paramsIndex >= 0) {
      entries.push({
        binding: d.kernel.paramsIndex,
        resource: {
          buffer: this.#arena,
          size: Math.ceil(d.kernel.params.length / 4) * 16,
        },
      });
    }
    return this.#device.createBindGroup({ layout: pipeline.layout, entries });
  }
}

function pipelineKey(
  kernel: Kernel,
  constants: Constants,
  halves: readonly string[],
): string {
  const values = Object.keys(constants).sort()
    .map((name) => `${name}=${Number(constants[name])}`);
  const all = [...values, ...halves.map((name) => `${name}=f16`)];
  return all.length === 0 ? kernel.name : `${kernel.name}<${all.join(" ")}>`;
}

/** The error of a kernel that WebGPU does not take, with the line of its text. */
function doesNotCompile(key: string, error: GPUError): KernelError {
  const message = error.message.trim();
  const line = /wgsl:(\d+)(?::\d+)?/.exec(message)?.[1];
  return new KernelError(
    `Kernel ${key} does not compile${
      line ? ` at line ${line}` : ""
    }: ${message}`,
  );
}
