/**
 * Golden files of kind `ops` whose numbers come from float64 references, to see
 * that the runner takes any file of the format.
 *
 * @module
 */
import type { NumberArray } from "../../engine/ops/conformance.ts";
import { formula } from "../../engine/ops/formula.ts";
import { elementCount } from "../../engine/tensor.ts";
import {
  fromFloat32,
  type StoredTensor,
  writeSafetensors,
} from "../../weights/formats/safetensors.ts";
import type { Attributes } from "./golden_operators.ts";

type Arrays = Record<string, NumberArray>;

/** A case with the operator that its numbers come from. */
export interface WrittenCase {
  /** `operator.anything`. */
  name: string;
  /** Shapes of the inputs by name. */
  inputs: Record<string, number[]>;
  /** Attributes as the file has them. */
  attrs?: Attributes;
  /** The operator in double precision, on inputs as the formula gives them. */
  reference: (inputs: Arrays) => NumberArray;
}

/** Step of the central differences. */
const STEP = 1e-6;

/** Gradient of <cotangent, reference> by one input, number by number. */
function gradientOf(
  { reference }: WrittenCase,
  inputs: Arrays,
  name: string,
  cotangent: Float32Array,
): Float32Array {
  const { data, shape } = inputs[name];
  const at = (k: number, step: number) => {
    const moved = data.slice();
    moved[k] += step;
    return reference({ ...inputs, [name]: { data: moved, shape } }).data;
  };
  return Float32Array.from(data, (_, k) => {
    const above = at(k, STEP), below = at(k, -STEP);
    let slope = 0;
    for (let i = 0; i < above.length; i++) {
      slope += (above[i] - below[i]) * cotangent[i];
    }
    return slope / (2 * STEP);
  });
}

/** Writes the cases as a golden file. */
export async function writeOperatorGoldens(
  path: string,
  prefix: string,
  cases: readonly WrittenCase[],
): Promise<void> {
  const tensors = new Map<string, StoredTensor>();
  const listed = cases.map((c) => {
    const inputs: Arrays = {};
    for (const [name, shape] of Object.entries(c.inputs)) {
      const data = formula(`${prefix}${c.name}.${name}`, shape);
      inputs[name] = { data: Float64Array.from(data), shape };
    }
    const { data, shape } = c.reference(inputs);
    if (data.length !== elementCount(shape)) throw new Error(c.name);
    const store = (name: string, numbers: ArrayLike<number>, size: number[]) =>
      tensors.set(
        `${c.name}.${name}`,
        fromFloat32({ data: Float32Array.from(numbers), shape: size }),
      );
    store("out", data, shape);
    const cotangent = formula(`${prefix}${c.name}.cotangent`, shape);
    for (const [name, size] of Object.entries(c.inputs)) {
      store(`grad.${name}`, gradientOf(c, inputs, name, cotangent), size);
    }
    const { name, inputs: shapes, attrs = {} } = c;
    return { name, inputs: shapes, attrs, out: shape };
  });
  await writeSafetensors(path, {
    metadata: { kind: "ops", prefix, cases: JSON.stringify(listed) },
    tensors,
  });
}
