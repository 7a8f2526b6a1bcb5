/**
 * How tfjs stores pictures and weights, and what a problem comes to in it.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Numbers } from "../problem.ts";

/** Tensors by name. */
export type Named = Record<string, tf.Tensor>;
/** What a problem comes to: a result in tfjs' layout, and that result in the engine's. */
export interface Plan {
  /** Inputs in tfjs' layout. */
  readonly inputs: Named;
  /** The work. */
  readonly compute: (inputs: Named) => tf.Tensor;
  /** Brings a result to the engine's layout. */
  readonly back?: (result: tf.Tensor) => tf.Tensor;
}

/** In the engine's own layout. */
export const tensor = ({ data, shape }: Numbers): tf.Tensor =>
  tf.tensor(data, [...shape]);
/** (N, C, H, W) to (N, H, W, C), kept. */
export const channelsLast = (t: Numbers): tf.Tensor =>
  tf.tidy(() => tf.transpose(tensor(t), [0, 2, 3, 1]));
/** (N, H, W, C) to (N, C, H, W). */
export const channelsFirst = (t: tf.Tensor): tf.Tensor =>
  tf.transpose(t, [0, 3, 1, 2]);
/** (Co, Ci, k, k) to (k, k, Ci, Co), kept. */
export const weight = (t: Numbers): tf.Tensor =>
  tf.tidy(() => tf.transpose(tensor(t), [2, 3, 1, 0]));
/** (k, k, Ci, Co) to (Co, Ci, k, k). */
export const weightBack = (t: tf.Tensor): tf.Tensor =>
  tf.transpose(t, [3, 2, 0, 1]);
