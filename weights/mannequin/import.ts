/**
 * Puts a newly trained mannequin into this folder, halved: float32 tensors become float16, metadata stays.
 *
 *     deno run --allow-read --allow-write weights/mannequin/import.ts FLOAT32_GENERATOR.safetensors
 *
 * It prints the largest rounding error and refuses weights that float16 cannot hold.
 * @module
 */
import { fileURLToPath } from "node:url";
import { WeightsError } from "../errors.ts";
import {
  fromFloat32,
  readSafetensors,
  type StoredTensor,
  toFloat32,
  writeSafetensors,
} from "../formats/safetensors.ts";

/** What rounding to float16 cost. */
export interface RoundingReport {
  readonly tensors: number;
  readonly values: number;
  /** Largest |rounded - exact| / largest |exact| of the same tensor. */
  readonly worstRelativeToTensor: number;
  readonly worstTensor: string;
}

/**
 * Copies a float32 safetensors file as float16.
 * @throws {WeightsError} When a value is too large for float16 (65504) or a file cannot be read or written.
 */
export async function importGenerator(
  from: string,
  to: string,
): Promise<RoundingReport> {
  const original = await readSafetensors(from);
  const tensors = new Map<string, StoredTensor>();
  let values = 0;
  let worstRelativeToTensor = 0;
  let worstTensor = "";
  for (const [name, stored] of original.tensors) {
    const exact = toFloat32(stored);
    const half = fromFloat32(exact, "F16");
    const rounded = toFloat32(half).data;
    if (rounded.some((value) => !Number.isFinite(value))) {
      throw new WeightsError(
        `Cannot store ${name} of ${from} as float16: it has values beyond 65504.`,
      );
    }
    const largest = exact.data.reduce(
      (max, value) => Math.max(max, Math.abs(value)),
      0,
    );
    const error = exact.data.reduce(
      (max, value, k) => Math.max(max, Math.abs(value - rounded[k])),
      0,
    );
    if (largest > 0 && error / largest > worstRelativeToTensor) {
      worstRelativeToTensor = error / largest;
      worstTensor = name;
    }
    values += exact.data.length;
    tensors.set(name, half);
  }
  const config = {
    ...JSON.parse(original.metadata.config ?? "{}"),
    semantics: "mannequin",
  };
  const metadata = { ...original.metadata, config: JSON.stringify(config) };
  await writeSafetensors(to, { metadata, tensors });
  return { tensors: tensors.size, values, worstRelativeToTensor, worstTensor };
}

if (import.meta.main) {
  const [from] = Deno.args;
  if (!from) {
    console.error(
      "Which file? Give the path of a float32 generator.safetensors.",
    );
    Deno.exit(2);
  }
  const to = fileURLToPath(
    new URL("./generator.safetensors", import.meta.url),
  );
  const report = await importGenerator(from, to);
  console.log(
    `${report.tensors} tensors, ${report.values} values -> ${to}\n` +
      `largest rounding error: ${
        report.worstRelativeToTensor.toExponential(2)
      } of the tensor's largest value (${report.worstTensor})`,
  );
}
