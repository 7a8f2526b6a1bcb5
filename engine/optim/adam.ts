/**
 * Adam (Kingma and Ba, 2015).
 *
 * @module
 */
import { adam } from "../../kernels/optim/optim.ts";
import { ShapeError } from "../errors.ts";
import { neighbouringVectors } from "../ops/neighbours.ts";
import { sameShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/** Options of {@linkcode Adam}. */
export interface AdamOptions {
  /** Step size; can be changed for every step. */
  rate?: number;
  /** Decay of the mean of gradients; 0.9 when absent. */
  beta1?: number;
  /** Decay of the mean of squared gradients; 0.999 when absent. */
  beta2?: number;
  /** Added to the root; 1e-8 when absent. */
  epsilon?: number;
}

/** Running means of one parameter's gradients and of their squares. */
export interface Moments {
  /** Mean of gradients, of the parameter's shape. */
  readonly m: Tensor;
  /** Mean of squared gradients. */
  readonly v: Tensor;
}

/** Adam over a fixed list of tensors, which it changes in place. */
export class Adam {
  /** What is optimised. */
  readonly parameters: readonly Tensor[];
  readonly #options: Required<AdamOptions>;
  /** One entry for each parameter; written by whoever resumes a run. */
  readonly moments: readonly Moments[];
  /** Steps taken; set by whoever resumes a run. */
  steps = 0;

  /**
   * Starts with empty moments.
   *
   * @param parameters tensors, marked with `track()` by the caller
   */
  constructor(parameters: readonly Tensor[], options: AdamOptions = {}) {
    this.parameters = parameters;
    this.#options = {
      rate: 1e-3,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      ...options,
    };
    this.moments = parameters.map((p) => ({
      m: p.device.zeros(p.shape),
      v: p.device.zeros(p.shape),
    }));
  }

  /**
   * One step.
   *
   * @param gradients one for each parameter, of its shape
   * @param rate step size; the option's when absent
   * @throws {ShapeError} when a gradient is missing or of another shape
   */
  step(gradients: readonly Tensor[], rate: number = this.#options.rate): void {
    const { beta1, beta2, epsilon } = this.#options;
    this.parameters.forEach(({ shape }, k) => {
      if (gradients[k] && sameShape(gradients[k].shape, shape)) return;
      throw new ShapeError(
        `Adam takes a gradient for each parameter, of its shape: for [${shape}] it was given ${
          gradients[k] ? `[${gradients[k].shape}]` : "none"
        }.`,
      );
    });
    this.steps++;
    this.parameters.forEach((x, k) => {
      const { step, count, workgroups } = neighbouringVectors(x.device, x.size);
      x.device.run(adam, {
        tensors: { x, g: gradients[k], ...this.moments[k] },
        params: {
          n: count,
          rate: rate / (1 - beta1 ** this.steps),
          spread: 1 / Math.sqrt(1 - beta2 ** this.steps),
          epsilon,
          beta1,
          beta2,
          rest1: 1 - beta1,
          rest2: 1 - beta2,
        },
        constants: { STEP: step },
        workgroups,
      });
    });
  }

  /** Frees the moments. */
  [Symbol.dispose](): void {
    for (const { m, v } of this.moments) {
      m.release();
      v.release();
    }
  }
}
