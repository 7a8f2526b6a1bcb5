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
  const lrMul = generator.config.decoder_lr_mul;
  const weight = (name: string) => {
    const stored = parameter(generator, `decoder.net.${name}.weight`);
    return affine(stored, lrMul / Math.sqrt(stored.shape[1]));
  };
  const bias = (name: string) => {
    const stored = parameter(generator, `decoder.net.${name}.bias`);
    return lrMul === 1 ? stored : affine(stored, lrMul);
  };
  return { w1: weight("0"), b1: bias("0"), w2: weight("2"), b2: bias("2") };
}

/** The same decoder without its colours, for the coarse pass. */
export function densityOnly(decoder: DecoderWeights): DecoderWeights {
  return firstOutputs(decoder, 1);
}

/** The same decoder with its first outputs alone: density, then colours. */
export function firstOutputs(
  { w1, b1, w2, b2 }: DecoderWeights,
  count: number,
): DecoderWeights {
  return {
    w1,
    b1,
    w2: slice(w2, [0, 0], [count, w2.shape[1]]),
    b2: slice(b2, [0], [count]),
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
