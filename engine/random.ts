/**
 * Seeded random numbers: the same seed gives the same numbers on any adapter.
 *
 * @module
 */
import { uniform as uniformKernel } from "../kernels/random/random.ts";
import { type Device, linearWorkgroups } from "./device.ts";
import type { Shape, Tensor } from "./tensor.ts";

/** A stream of random tensors. */
export class Random {
  readonly #device: Device;
  readonly #seed: number;
  #stream = 0;

  /**
   * A stream of its own for each seed.
   *
   * @param device where tensors are made
   * @param seed any 32-bit integer
   */
  constructor(device: Device, seed: number) {
    this.#device = device;
    this.#seed = seed;
  }

  /** Uniform in [0, 1). */
  uniform(shape: Shape): Tensor {
    const y = this.#device.empty(shape);
    this.#device.run(uniformKernel, {
      tensors: { y },
      params: { n: y.size, seed: this.#seed, stream: this.#stream++ },
      workgroups: linearWorkgroups(y.size),
    });
    return y;
  }

  /** Standard normal numbers, by Box and Muller on the host. */
  normal(shape: Shape): Tensor {
    const y = this.#device.empty(shape);
    this.#device.write(y, normals(this.#seed, this.#stream++, y.size));
    return y;
  }
}

/**
 * Standard normal numbers from a seed.
 *
 * @param seed any 32-bit integer
 * @param stream which of the seed's sequences
 * @param count how many
 */
export function normals(
  seed: number,
  stream: number,
  count: number,
): Float32Array {
  const state = pcg(stream + pcg(seed));
  const unit = (k: number) => (pcg(k + state) + 0.5) / 4294967296;
  return Float32Array.from({ length: count }, (_, i) => {
    const radius = Math.sqrt(-2 * Math.log(unit(2 * i)));
    return radius * Math.cos(2 * Math.PI * unit(2 * i + 1));
  });
}

/** PCG's output hash, as in uniform.wgsl. */
function pcg(v: number): number {
  const state = (Math.imul(v, 747796405) + 2891336453) >>> 0;
  const word =
    Math.imul((state >>> ((state >>> 28) + 4)) ^ state, 277803737) >>> 0;
  return ((word >>> 22) ^ word) >>> 0;
}
