/**
 * Golden files of kind `ops`: operators on inputs by formula, values and
 * gradients stored.
 *
 * @module
 */
import {
  affine,
  type Device,
  gradients,
  type Tensor,
} from "../../engine/mod.ts";
import { relativeError } from "../../engine/ops/conformance.ts";
import { formula } from "../../engine/ops/formula.ts";
import {
  type Safetensors,
  toFloat32,
} from "../../weights/formats/safetensors.ts";
import { formulaInput } from "./formula_weights.ts";
import { type Attributes, GOLDEN_OPERATORS } from "./golden_operators.ts";
import type { GoldenFile, GoldenResult } from "./goldens.ts";

const FORWARD = 2e-5;
const BACKWARD = 1e-4;

/** A case as the metadata has it. */
interface GoldenCase {
  name: string;
  inputs: Record<string, number[]>;
  attrs?: Attributes;
  out?: number[];
}

/** Inputs that an attribute writes out, as `sorted formula('depths',(2,6,9,1),.5,2.8)`: sorted along each ray. */
function writtenInputs(
  device: Device,
  attrs: Attributes,
  prefix: string,
): Record<string, Tensor> {
  const found: Record<string, Tensor> = {};
  for (const [name, text] of Object.entries(attrs)) {
    if (typeof text !== "string" || !text.includes("formula(")) continue;
    const { data, shape } = formulaInput(text, prefix);
    if (text.startsWith("sorted")) {
      const run = shape.at(-1) === 1 ? shape.at(-2)! : shape.at(-1)!;
      for (let k = 0; k < data.length; k += run) {
        data.subarray(k, k + run).sort();
      }
    }
    found[name] = device.tensor(data, shape);
  }
  return found;
}

/** Inputs by formula, tracked; and as the operator takes them, with their `_scale` and `_shift`. */
function formulaInputs(
  device: Device,
  c: GoldenCase,
  prefix: string,
): { leaves: Record<string, Tensor>; taken: Record<string, Tensor> } {
  const leaves: Record<string, Tensor> = {}, taken: Record<string, Tensor> = {};
  for (const [name, shape] of Object.entries(c.inputs)) {
    const data = formula(`${prefix}${c.name}.${name}`, shape);
    const scale = c.attrs?.[`${name}_scale`] ?? 1;
    const shift = c.attrs?.[`${name}_shift`] ?? 0;
    leaves[name] = device.tensor(data, shape).track();
    taken[name] = scale === 1 && shift === 0
      ? leaves[name]
      : affine(leaves[name], scale, shift);
  }
  return { leaves, taken };
}

function stored({ tensors }: Safetensors, name: string) {
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`the file has no tensor ${name}`);
  return toFloat32(tensor);
}

/** Value and gradients of one case. */
async function runCase(
  device: Device,
  content: Safetensors,
  c: GoldenCase,
): Promise<GoldenResult> {
  using _scope = device.scope();
  const { prefix = "" } = content.metadata, attrs = c.attrs ?? {};
  const kind = c.name.split(".")[0], operator = GOLDEN_OPERATORS[kind];
  if (!operator) throw new Error(`there is no operator ${kind} here`);
  const wanted = stored(content, `${c.name}.out`);
  const { leaves, taken } = formulaInputs(device, c, prefix);
  const y = operator(
    { ...taken, ...writtenInputs(device, attrs, prefix) },
    attrs,
  );
  if (`${y.shape}` !== `${wanted.shape}`) {
    throw new Error(
      `the shape is [${y.shape}] instead of [${wanted.shape}]`,
    );
  }
  // gradients of every input, or of none
  const differentiated = Object.keys(c.inputs)
    .some((name) => content.tensors.has(`${c.name}.grad.${name}`));
  const names = differentiated ? Object.keys(c.inputs) : [];
  const seed = device.tensor(
    formula(`${prefix}${c.name}.cotangent`, y.shape),
    y.shape,
  );
  const found = names.length === 0
    ? []
    : gradients(y, names.map((name) => leaves[name]), { seed });
  const [value, ...slopes] = await device.read(y, ...found);
  return verdict(
    c.name,
    relativeError(value, wanted.data),
    names.map((name, k) => ({
      name,
      error: relativeError(
        slopes[k],
        stored(content, `${c.name}.grad.${name}`).data,
      ),
    })),
  );
}

function verdict(
  name: string,
  forward: number,
  slopes: { name: string; error: number }[],
): GoldenResult {
  const wrong = slopes.find(({ error }) => !(error <= BACKWARD));
  const failure = !(forward <= FORWARD)
    ? `the result is off by ${forward.toExponential(1)}`
    : wrong
    ? `the gradient of ${wrong.name} is off by ${wrong.error.toExponential(1)}`
    : null;
  const backward = Math.max(0, ...slopes.map(({ error }) => error));
  return {
    name,
    error: Math.max(forward, backward * FORWARD / BACKWARD),
    tolerance: FORWARD,
    failure,
  };
}

/** Runs every case of a file. */
export async function runOperators(
  device: Device,
  { content }: GoldenFile,
): Promise<GoldenResult[]> {
  const { cases: text } = content.metadata;
  if (text === undefined) throw new Error("its metadata has no cases");
  const cases: GoldenCase[] = JSON.parse(text);
  const results: GoldenResult[] = [];
  for (const c of cases) {
    results.push(
      await runCase(device, content, c).catch((error) => ({
        name: c.name,
        error: Infinity,
        tolerance: FORWARD,
        failure: (error as Error).message,
      })),
    );
  }
  return results;
}
