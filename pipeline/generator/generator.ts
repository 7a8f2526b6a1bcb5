/**
 * The whole generator: w and a camera to a picture.
 *
 * @module
 */
import { type Random, slice, type Tensor } from "../../engine/mod.ts";
import { planes as makePlanes } from "./backbone.ts";
import {
  render,
  type Rendering,
  type RenderOptions,
} from "./renderer/renderer.ts";
import { type Generator, parameter } from "./state.ts";
import { type Precision, superresolve } from "./superresolution.ts";
import type { NoiseMode } from "./synthesis.ts";

/** Options of {@linkcode view}. */
export interface ViewOptions extends RenderOptions {
  /** Arithmetic of the superresolution module; single precision when absent. */
  precision?: Precision;
}

/** Options of {@linkcode synthesis}. */
export interface GeneratorOptions extends ViewOptions {
  /** Noise of the backbone; `const` when absent. */
  noiseMode?: NoiseMode;
  /** Draws the backbone's noise with `noiseMode: "random"`; fixed seeds when absent. */
  random?: Random;
}

/** A head seen by a camera. */
export interface SynthesisOutput extends Rendering {
  /** (B, 3, S, S), about [-1, 1], not clamped. */
  image: Tensor;
  /** (B, 3, R, R), what superresolution started from. */
  imageRaw: Tensor;
}

/**
 * Pictures of heads (EG3D's `synthesis`).
 *
 * @param ws (B, w_dim) or (B, num_ws, w_dim)
 * @param labels (B, 25) cameras
 */
export function synthesis(
  generator: Generator,
  ws: Tensor,
  labels: Tensor,
  options: GeneratorOptions = {},
): SynthesisOutput {
  return view(
    generator,
    makePlanes(generator, ws, {
      noise: options.noiseMode,
      random: options.random,
    }),
    ws,
    labels,
    options,
  );
}

/** As {@linkcode synthesis}, from planes that are already there. */
export function view(
  generator: Generator,
  planes: Tensor,
  ws: Tensor,
  labels: Tensor,
  options: ViewOptions = {},
): SynthesisOutput {
  const rendering = render(generator, planes, labels, options);
  const imageRaw = rawPicture(rendering);
  return {
    ...rendering,
    imageRaw,
    image: superresolve(
      generator,
      imageRaw,
      rendering.features,
      ws,
      options.precision,
    ),
  };
}

/** The first three features: (B, 3, R, R). */
export function rawPicture({ features }: Rendering): Tensor {
  const [batch, , height, width] = features.shape;
  return slice(features, [0, 0, 0, 0], [batch, 3, height, width]);
}

/**
 * The picture of one head, read back; no derivative is noted.
 *
 * @param w (w_dim)
 * @param label (25) camera
 * @returns (3, S, S) in about [-1, 1]
 */
export async function renderHead(
  generator: Generator,
  w: Float32Array,
  label: Float32Array,
): Promise<Float32Array> {
  const { device } = parameter(generator, "decoder.net.0.weight");
  using _scope = device.scope();
  const { image } = device.withoutTape(() =>
    synthesis(
      generator,
      device.tensor(w, [1, w.length]),
      device.tensor(label, [1, 25]),
    )
  );
  return await image.data();
}
