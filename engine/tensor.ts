/**
 * Tensors: a shape on a buffer, and the scopes that release them.
 *
 * @module
 */
import type { Dtype } from "../kernels/kernel.ts";
import type { Device } from "./device.ts";
import { byteLength } from "./dtype.ts";
import { ReleasedError, ShapeError } from "./errors.ts";
import type { PooledBuffer } from "./pool.ts";

/** Sizes of a tensor's axes, outermost first. */
export type Shape = readonly number[];

/** How a tensor came to be, for differentiation; see `tape.ts`. */
export interface TapeNode {
  /** Grows with time, so that a sort by it is a topological order. */
  readonly order: number;
  /** Tensors that the result depends on. */
  readonly inputs: readonly Tensor[];
  /** Gradients of the inputs from the gradient of the result, null where none is needed. */
  readonly backward: (gradient: Tensor) => (Tensor | null)[];
}

/** Number of elements of a shape. */
export function elementCount(shape: Shape): number {
  return shape.reduce((a, b) => a * b, 1);
}

interface Owner {
  storage: PooledBuffer;
  handles: number;
  release: (storage: PooledBuffer) => void;
}

/** A dense tensor in row-major order on a device. */
export class Tensor {
  /** The device that holds it. */
  readonly device: Device;
  /** Sizes of the axes. */
  readonly shape: Shape;
  /** Number of elements. */
  readonly size: number;
  /** How its numbers are stored. */
  readonly dtype: Dtype;
  /** How it was computed, when that is being noted. */
  node: TapeNode | null = null;
  /** Whether gradients with respect to it are wanted. */
  tracked = false;
  readonly #owner: Owner;
  #released = false;

  /** Made by `Device`; use `Device.tensor` and the operators. */
  constructor(
    device: Device,
    shape: Shape,
    dtype: Dtype,
    storage: PooledBuffer | Owner,
    release?: (storage: PooledBuffer) => void,
  ) {
    this.device = device;
    this.shape = shape;
    this.size = elementCount(shape);
    this.dtype = dtype;
    this.#owner = release
      ? { storage: storage as PooledBuffer, handles: 1, release }
      : storage as Owner;
  }

  /**
   * The buffer.
   *
   * @throws {ReleasedError} after the tensor was released
   */
  get storage(): PooledBuffer {
    if (this.#released) {
      throw new ReleasedError(
        `A tensor of shape [${this.shape}] was used after it had been released: keep it with scope.keep(tensor) if it must outlive its scope.`,
      );
    }
    return this.#owner.storage;
  }

  /** Bytes of its numbers, in whole words. */
  get bytes(): number {
    return byteLength(this.size, this.dtype);
  }

  /** Whether it has been released. */
  get released(): boolean {
    return this.#released;
  }

  /** Marks the tensor as something to differentiate by; returns it. */
  track(): this {
    this.tracked = true;
    return this;
  }

  /** The same numbers outside of any tape; no copy is made. */
  detach(): Tensor {
    return this.view(this.shape);
  }

  /**
   * The same buffer under another shape; no copy is made and no derivative is
   * noted (`reshape` among the operators does that).
   *
   * @throws {ShapeError} when the number of elements differs
   */
  view(shape: Shape): Tensor {
    if (elementCount(shape) !== this.size) {
      throw new ShapeError(`[${this.shape}] cannot be viewed as [${shape}].`);
    }
    void this.storage;
    this.#owner.handles++;
    return this.device.adopt(
      new Tensor(this.device, shape, this.dtype, this.#owner),
    );
  }

  /** The numbers, as f32 for any element type. Waits for the GPU: 10 ms or more. */
  async data(): Promise<Float32Array> {
    return (await this.device.read(this))[0];
  }

  /** The only number of a one-element tensor. */
  async item(): Promise<number> {
    return (await this.data())[0];
  }

  /** Gives the buffer back to the pool once no view needs it. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.node = null;
    if (--this.#owner.handles === 0) this.#owner.release(this.#owner.storage);
  }

  /** Same as {@linkcode Tensor.release}. */
  [Symbol.dispose](): void {
    this.release();
  }
}

/** Releases the tensors that were made while it was open. */
export class Scope {
  readonly #parent: Scope | null;
  readonly #close: (parent: Scope | null) => void;
  readonly #tensors = new Set<Tensor>();

  /** Use `Device.scope`. */
  constructor(parent: Scope | null, close: (parent: Scope | null) => void) {
    this.#parent = parent;
    this.#close = close;
  }

  /** Puts a tensor under the scope's care. */
  add(t: Tensor): void {
    this.#tensors.add(t);
  }

  /** Hands a tensor to the enclosing scope, or to the caller if there is none. */
  keep<T extends Tensor | readonly Tensor[]>(kept: T): T {
    const list: readonly Tensor[] = kept instanceof Tensor ? [kept] : kept;
    for (const t of list) {
      if (this.#tensors.delete(t)) this.#parent?.add(t);
    }
    return kept;
  }

  /** Closes the scope. */
  [Symbol.dispose](): void {
    for (const t of this.#tensors) t.release();
    this.#tensors.clear();
    this.#close(this.#parent);
  }
}
