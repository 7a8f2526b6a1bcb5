/**
 * The decoder: features of a point to density and colours (OSGDecoder).
 *
 * @module
 */
import {
  affine,
  type DecoderWeights,
  slice,
  type Tensor,
} from "../../../engine/mod.ts";
import { type Generator, parameter } from "../state.ts";

/** The decoder of a generator, its equalised learning rates applied. */
export function decoderOf(generator: Generator): DecoderWeights {
  const scaled = (name: string) => {
    const weight = parameter(generator, name);
    return affine(weight, 1 / Math.sqrt(weight.shape[1]));
  };
  return {
    w1: scaled("decoder.net.0.weight"),
    b1: parameter(generator, "decoder.net.0.bias"),
    w2: scaled("decoder.net.2.weight"),
    b2: parameter(generator, "decoder.net.2.bias"),
  };
}

/** The same decoder without its colours, for the coarse pass. */
export function densityOnly(
  { w1, b1, w2, b2 }: DecoderWeights,
): DecoderWeights {
  return {
    w1,
    b1,
    w2: slice(w2, [0, 0], [1, w2.shape[1]]),
    b2: slice(b2, [0], [1]),
  };
}

/** The tensors of a decoder in a fixed order, and back. */
export const decoderTensors = (
  { w1, b1, w2, b2 }: DecoderWeights,
): Tensor[] => [w1, b1, w2, b2];

/** Inverse of {@linkcode decoderTensors}. */
export function decoderFrom(
  [w1, b1, w2, b2]: readonly Tensor[],
): DecoderWeights {
  return { w1, b1, w2, b2 };
}
