/**
 * The superresolution module: a raw picture and its features to the picture
 * (method, section 10.7).
 *
 * @module
 */
import {
  cast,
  interpolate,
  reshape,
  ShapeError,
  slice,
  type Tensor,
} from "../../engine/mod.ts";
import type { Generator } from "./state.ts";
import { type BlockOutput, synthesisBlock } from "./synthesis.ts";

/** Arithmetic of the module: half precision as published, or single. */
export type Precision = "f16" | "f32";

/**
 * Two synthesis blocks on the rendered features, both styled by the last w.
 *
 * @param raw (B, 3, R, R), the first three features
 * @param features (B, C, R, R)
 * @param ws (B, w_dim) or (B, num_ws, w_dim)
 * @param precision of the activations; pictures are summed in single precision
 * @returns (B, 3, img_resolution, img_resolution)
 */
export function superresolve(
  generator: Generator,
  raw: Tensor,
  features: Tensor,
  ws: Tensor,
  precision: Precision = "f32",
): Tensor {
  const { blocks, noise, conv_clamp } = generator.config.superresolution;
  const options = { noise, clamp: conv_clamp };
  const last = lastSlot(ws);
  let flow: BlockOutput = {
    x: cast(fitted(generator, features), precision),
    img: fitted(generator, raw),
  };
  for (const [k, { up }] of blocks.entries()) {
    const name = `superresolution.block${k}`, by = up === 2 ? 2 : 1;
    flow = synthesisBlock(generator, name, flow, last, 0, by, options);
  }
  return flow.img!;
}

/** A picture in the size that the first block takes. */
function fitted({ config }: Generator, x: Tensor): Tensor {
  const { input_resolution: side, resize, antialias } = config.superresolution;
  const given = x.shape[2];
  if (given === side) return x;
  if (resize === "enlarge" && given > side) {
    throw new ShapeError(
      `This generator's superresolution takes pictures of at most ${side} px, not ${given}: lower the neural rendering resolution.`,
    );
  }
  return interpolate(x, [side, side], { mode: "bilinear", antialias });
}

function lastSlot(ws: Tensor): Tensor {
  if (ws.shape.length === 2) return ws;
  const [batch, count, width] = ws.shape;
  return reshape(slice(ws, [0, count - 1, 0], [batch, 1, width]), [
    batch,
    width,
  ]);
}
