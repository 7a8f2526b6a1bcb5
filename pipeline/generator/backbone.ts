/**
 * The tri-plane backbone: w to three feature planes (method, section 10.7).
 *
 * @module
 */
import { broadcastTo, cast, reshape, type Tensor } from "../../engine/mod.ts";
import { type Generator, parameter } from "./state.ts";
import {
  type BlockOutput,
  slot,
  synthesisBlock,
  synthesisLayer,
  type SynthesisOptions,
  toRgb,
} from "./synthesis.ts";

/**
 * The planes of a head.
 *
 * @param ws (B, w_dim) or (B, num_ws, w_dim)
 * @returns (B, 3, C, H, W)
 */
export function planes(
  generator: Generator,
  ws: Tensor,
  options: SynthesisOptions = {},
): Tensor {
  options = { clamp: generator.config.conv_clamp, ...options };
  const resolutions = Object.keys(generator.config.channels).map(Number).sort((
    a,
    b,
  ) => a - b);
  let flow = firstBlock(generator, resolutions[0], ws, options), first = 1;
  const single = resolutions.length - (options.halves ?? 0);
  for (const [k, resolution] of resolutions.entries()) {
    if (k === 0) continue;
    const name = `backbone.synthesis.b${resolution}`;
    const x = cast(flow.x, k < single ? "f32" : "f16");
    flow = synthesisBlock(
      generator,
      name,
      { ...flow, x },
      ws,
      first,
      2,
      options,
    );
    first += 2;
  }
  const img = flow.img!, [batch, channels, height, width] = img.shape;
  return reshape(img, [batch, 3, channels / 3, height, width]);
}

/** The learned constant, one convolution, toRGB. */
function firstBlock(
  generator: Generator,
  resolution: number,
  ws: Tensor,
  options: SynthesisOptions,
): BlockOutput {
  const name = `backbone.synthesis.b${resolution}`;
  const constant = parameter(generator, `${name}.const`);
  const x = broadcastTo(constant, [ws.shape[0], ...constant.shape]);
  const y = synthesisLayer(
    generator,
    `${name}.conv1`,
    x,
    slot(ws, 0),
    1,
    options,
  );
  return {
    x: y,
    img: toRgb(generator, `${name}.torgb`, y, slot(ws, 1), options),
  };
}
