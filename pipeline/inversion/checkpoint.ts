/**
 * Optimisations that go on where they were interrupted, with the same bits.
 *
 * @module
 */
import type { Adam, Device, Tensor } from "../../engine/mod.ts";

/** Seconds between two checkpoints. */
export const SAVE_EVERY = 30;

/** Half-optimised parameters and their optimiser. */
export interface OptimiserCheckpoint {
  /** Steps taken. */
  step: number;
  /** `parameter/NAME`, `m/NAME` and `v/NAME`. */
  tensors: Map<
    string,
    { shape: readonly number[]; data: Float32Array<ArrayBuffer> }
  >;
}

/** The tensors of an optimisation under the names of its checkpoint. */
function entries(adam: Adam, names: readonly string[]): [string, Tensor][] {
  return names.flatMap((name, k): [string, Tensor][] => [
    [`parameter/${name}`, adam.parameters[k]],
    [`m/${name}`, adam.moments[k].m],
    [`v/${name}`, adam.moments[k].v],
  ]);
}

/**
 * Reads an optimisation back.
 *
 * @param names of the optimiser's parameters, in their order
 */
export async function snapshot(
  device: Device,
  adam: Adam,
  names: readonly string[],
): Promise<OptimiserCheckpoint> {
  const all = entries(adam, names);
  const data = await device.read(...all.map(([, tensor]) => tensor));
  return {
    step: adam.steps,
    tensors: new Map(
      all.map((
        [name, { shape }],
        k,
      ) => [name, { shape, data: data[k] as Float32Array<ArrayBuffer> }]),
    ),
  };
}

/**
 * Puts parameters and optimiser where they were.
 *
 * @param names as {@linkcode snapshot} was given them
 */
export function restore(
  adam: Adam,
  names: readonly string[],
  checkpoint: OptimiserCheckpoint,
): void {
  adam.steps = checkpoint.step;
  for (const [name, tensor] of entries(adam, names)) {
    tensor.device.write(tensor, checkpoint.tensors.get(name)!.data);
  }
}
