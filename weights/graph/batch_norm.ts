import type { WeightTensor } from "../tensor.ts";
import type { Operation } from "./graph.ts";

/** (x - mean) / sqrt(variance + epsilon) * gamma + beta as one multiplication and one addition per channel. */
export function normalisation(
  gamma: WeightTensor | undefined,
  beta: WeightTensor | undefined,
  mean: WeightTensor,
  variance: WeightTensor,
  epsilon: number,
): Operation {
  const scale = variance.data.map((v, c) =>
    (gamma?.data[c] ?? 1) / Math.sqrt(v + epsilon)
  );
  const shift = mean.data.map((m, c) => (beta?.data[c] ?? 0) - m * scale[c]);
  return {
    kind: "affine",
    scale: { shape: mean.shape, data: scale },
    shift: { shape: mean.shape, data: shift },
  };
}
