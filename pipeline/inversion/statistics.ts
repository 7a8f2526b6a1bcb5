/**
 * Where w lies: its mean and spread (method, section 4.3).
 *
 * @module
 */
import type { Device, Tensor } from "../../engine/mod.ts";
import { mapping } from "../generator/mapping.ts";
import { RandomState } from "../generator/random_state.ts";
import type { Generator } from "../generator/state.ts";

const SAMPLES = 600;
/** Of NumPy's `RandomState`. */
const SEED = 123;

/** Mean and spread of w. */
export interface LatentStatistics {
  /** (1, w_dim). */
  mean: Tensor;
  /** Root of the summed squared deviations over the samples: one number. */
  spread: number;
}

/**
 * Statistics of w over 600 latents, all conditioned on one camera.
 *
 * @param label (25) camera label of the source
 */
export async function latentStatistics(
  device: Device,
  generator: Generator,
  label: Float32Array,
): Promise<LatentStatistics> {
  const { z_dim, w_dim } = generator.config;
  using scope = device.scope();
  const z = device.tensor(new RandomState(SEED).normals(SAMPLES * z_dim), [
    SAMPLES,
    z_dim,
  ]);
  const labels = new Float32Array(SAMPLES * 25);
  for (let k = 0; k < SAMPLES; k++) labels.set(label, k * 25);
  const ws = device.withoutTape(() =>
    mapping(generator, z, device.tensor(labels, [SAMPLES, 25]))
  );
  const values = await ws.data();
  const mean = new Float32Array(w_dim);
  for (let k = 0; k < values.length; k++) {
    mean[k % w_dim] += values[k] / SAMPLES;
  }
  let squares = 0;
  for (let k = 0; k < values.length; k++) {
    squares += (values[k] - mean[k % w_dim]) ** 2;
  }
  return {
    mean: scope.keep(device.tensor(mean, [1, w_dim])),
    spread: Math.sqrt(squares / SAMPLES),
  };
}
