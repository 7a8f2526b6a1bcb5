/**
 * The mapping network: z and a camera label to w (method, section 10.5).
 *
 * @module
 */
import {
  add,
  affine,
  broadcastTo,
  concat,
  mean,
  multiply,
  reshape,
  rsqrt,
  square,
  subtract,
  type Tensor,
} from "../../engine/mod.ts";
import { fullyConnected } from "../../engine/nn/fully_connected.ts";
import { fullyConnectedWeights, type Generator, parameter } from "./state.ts";

/** Options of {@linkcode mapping}. */
export interface MappingOptions {
  /** Distance from `w_avg`: 1 leaves w alone, 0 gives `w_avg`. */
  truncationPsi?: number;
  /** Layers, from the coarsest, whose w is truncated; all of them when absent. */
  truncationCutoff?: number;
}

/**
 * w for latents and camera labels.
 *
 * @param z (B, z_dim) standard normal
 * @param c (B, 25) camera labels; seen as zeros by generators with `conditioning: zero`
 * @returns (B, w_dim), one w for all layers; (B, num_ws, w_dim) when only some are truncated
 */
export function mapping(
  generator: Generator,
  z: Tensor,
  c: Tensor,
  { truncationPsi = 1, truncationCutoff }: MappingOptions = {},
): Tensor {
  const { config, state } = generator;
  const fc = (name: string) =>
    fullyConnectedWeights(generator, `backbone.mapping.${name}`);
  let x = normalise(z);
  if (config.c_dim > 0) {
    const label = affine(
      c,
      config.conditioning === "zero" ? 0 : config.c_scale,
    );
    x = concat([x, normalise(fullyConnected(label, fc("embed")))], 1);
  }
  for (let k = 0; state.has(`backbone.mapping.fc${k}.weight`); k++) {
    const lrMul = config.mapping_lr_mul;
    x = fullyConnected(x, fc(`fc${k}`), { act: "lrelu", lrMul });
  }
  if (truncationPsi === 1) return x;
  const average = parameter(generator, "backbone.mapping.w_avg");
  const near = add(average, affine(subtract(x, average), truncationPsi));
  const cutoff = truncationCutoff ?? config.num_ws;
  if (cutoff >= config.num_ws) return near;
  return concat(
    [
      repeatSlots(near, cutoff),
      repeatSlots(x, config.num_ws - cutoff),
    ].filter((part) => part !== null),
    1,
  );
}

/** (B, w_dim) as (B, count, w_dim); null for none. */
function repeatSlots(w: Tensor, count: number): Tensor | null {
  if (count < 1) return null;
  const [batch, width] = w.shape;
  return broadcastTo(reshape(w, [batch, 1, width]), [batch, count, width]);
}

/** x / root mean square, row by row. */
function normalise(x: Tensor): Tensor {
  return multiply(x, rsqrt(mean(square(x), { axes: [1], keep: true }), 1e-8));
}
