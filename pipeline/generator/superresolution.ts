/**
 * The superresolution module: a raw picture and its features to the picture
 * (method, section 10.7).
 *
 * @module
 */
import { interpolate, reshape, slice, type Tensor } from "../../engine/mod.ts";
import type { Generator } from "./state.ts";
import { type BlockOutput, synthesisBlock } from "./synthesis.ts";

/**
 * Two synthesis blocks on the rendered features, both styled by the last w.
 *
 * @param raw (B, 3, R, R), the first three features
 * @param features (B, C, R, R)
 * @param ws (B, w_dim) or (B, num_ws, w_dim)
 * @returns (B, 3, img_resolution, img_resolution)
 */
export function superresolve(
  generator: Generator,
  raw: Tensor,
  features: Tensor,
  ws: Tensor,
): Tensor {
  const { blocks, noise } = generator.config.superresolution;
  const side = blocks[0].resolution / blocks[0].up;
  const fit = (x: Tensor) =>
    x.shape[2] === side
      ? x
      : interpolate(x, [side, side], { mode: "bilinear", antialias: true });
  const options = {
    noise: noise === "const" ? "const" as const : "none" as const,
  };
  const last = lastSlot(ws);
  let flow: BlockOutput = { x: fit(features), img: fit(raw) };
  blocks.forEach((block, k) => {
    const name = `superresolution.block${k}`;
    flow = synthesisBlock(
      generator,
      name,
      flow,
      last,
      0,
      block.up === 2 ? 2 : 1,
      options,
    );
  });
  return flow.img!;
}

function lastSlot(ws: Tensor): Tensor {
  if (ws.shape.length === 2) return ws;
  const [batch, count, width] = ws.shape;
  return reshape(slice(ws, [0, count - 1, 0], [batch, 1, width]), [
    batch,
    width,
  ]);
}
