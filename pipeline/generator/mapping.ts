/**
 * The mapping network: z and a camera label to w (method, section 10.5).
 *
 * @module
 */
import {
  add,
  affine,
  concat,
  mean,
  multiply,
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
}

/**
 * w for latents and camera labels.
 *
 * @param z (B, z_dim) standard normal
 * @param c (B, 25) camera labels; seen as zeros by generators with `conditioning: zero`
 * @returns (B, w_dim)
 */
export function mapping(
  generator: Generator,
  z: Tensor,
  c: Tensor,
  { truncationPsi = 1 }: MappingOptions = {},
): Tensor {
  const fc = (name: string) =>
    fullyConnectedWeights(generator, `backbone.mapping.${name}`);
  const label = generator.config.conditioning === "zero" ? affine(c, 0) : c;
  const embedded = fullyConnected(label, fc("embed"));
  let x = concat([normalise(z), normalise(embedded)], 1);
  for (let k = 0; generator.state.has(`backbone.mapping.fc${k}.weight`); k++) {
    x = fullyConnected(x, fc(`fc${k}`), { act: "lrelu", lrMul: 0.01 });
  }
  if (truncationPsi === 1) return x;
  const average = parameter(generator, "backbone.mapping.w_avg");
  return add(average, affine(subtract(x, average), truncationPsi));
}

/** x / root mean square, row by row. */
function normalise(x: Tensor): Tensor {
  return multiply(
    x,
    rsqrt(affine(mean(square(x), { axes: [1], keep: true }), 1, 1e-8)),
  );
}
