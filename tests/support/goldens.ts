/**
 * Golden files: numbers from the published code, checked on the engine. A file
 * says in its metadata of which kind it is; each kind has a runner here.
 *
 * @module
 */
import { type Device, gradients, type Tensor } from "../../engine/mod.ts";
import { relativeError } from "../../engine/ops/conformance.ts";
import { formula } from "../../engine/ops/formula.ts";
import {
  readSafetensors,
  type Safetensors,
  toFloat32,
} from "../../weights/formats/safetensors.ts";
import { runMannequin } from "./golden_mannequin.ts";
import { type Attributes, GOLDEN_OPERATORS } from "./golden_operators.ts";

/** What one comparison with a golden file came to. */
export interface GoldenResult {
  /** Case, within its file. */
  name: string;
  /** Error relative to the magnitude of the numbers. */
  error: number;
  /** How large it may be. */
  tolerance: number;
  /** What is wrong, in words; null when nothing is. */
  failure: string | null;
}

/** A golden file. */
export interface GoldenFile {
  /** Where it lies. */
  path: string;
  /** Which runner reads it. */
  kind: string;
  /** Its tensors and metadata. */
  content: Safetensors;
}

/** Runs every comparison of a file. */
export type GoldenRunner = (
  device: Device,
  file: GoldenFile,
) => Promise<GoldenResult[]>;

/** Golden files of a folder, in the order of their names. */
export async function goldenFiles(folder: string): Promise<GoldenFile[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isFile && entry.name.endsWith(".safetensors")) {
      names.push(entry.name);
    }
  }
  return await Promise.all(
    names.sort().map(async (name) => {
      const path = `${folder}/${name}`, content = await readSafetensors(path);
      return { path, kind: content.metadata.kind ?? "(none)", content };
    }),
  );
}

const FORWARD = 2e-5;
const BACKWARD = 1e-4;

interface GoldenCase {
  name: string;
  inputs: Record<string, number[]>;
  attrs: Attributes;
  out: number[];
}

/** Depths of a ray-march case: sorted along each ray, the same for both sides. */
function depths(prefix: string, shape: readonly number[]): Float32Array {
  const data = formula(`${prefix}depths`, shape, 0.5, 2.8);
  const samples = shape[2];
  for (let k = 0; k < data.length; k += samples) {
    data.subarray(k, k + samples).sort();
  }
  return data;
}

/** One operator case: value and gradients of its inputs. */
async function runOperator(
  device: Device,
  { content }: GoldenFile,
  c: GoldenCase,
): Promise<GoldenResult> {
  using _scope = device.scope();
  const prefix = content.metadata.prefix ?? "";
  const operator = GOLDEN_OPERATORS[c.name.split(".")[0]];
  if (!operator) throw new Error("there is no such operator here");
  const t: Record<string, Tensor> = {};
  for (const [name, shape] of Object.entries(c.inputs)) {
    const data = formula(`${prefix}${c.name}.${name}`, shape);
    t[name] = device.tensor(data, shape).track();
  }
  const wanted = Object.values(t);
  if (c.attrs.depths) {
    const shape = c.inputs.densities;
    t.depths = device.tensor(depths(prefix, shape), shape);
  }
  const y = operator(t, c.attrs);
  const cotangent = formula(`${prefix}${c.name}.cotangent`, c.out);
  const seed = device.tensor(cotangent, c.out);
  const found = gradients(y, wanted, { seed });
  const data = await device.read(y, ...found);
  const stored = (name: string) => toFloat32(content.tensors.get(name)!).data;
  const forward = relativeError(data[0], stored(`${c.name}.out`));
  const backward = Math.max(
    0,
    ...Object.keys(c.inputs).map((name, k) =>
      content.tensors.has(`${c.name}.grad.${name}`)
        ? relativeError(data[1 + k], stored(`${c.name}.grad.${name}`))
        : 0
    ),
  );
  const failure = forward > FORWARD
    ? `the result is off by ${forward.toExponential(1)}`
    : backward > BACKWARD
    ? `a gradient is off by ${backward.toExponential(1)}`
    : null;
  return {
    name: c.name,
    error: Math.max(forward, backward * FORWARD / BACKWARD),
    tolerance: FORWARD,
    failure,
  };
}

async function runOperators(
  device: Device,
  file: GoldenFile,
): Promise<GoldenResult[]> {
  const cases: GoldenCase[] = JSON.parse(file.content.metadata.cases);
  const results: GoldenResult[] = [];
  for (const c of cases) {
    results.push(
      await runOperator(device, file, c).catch((error) => ({
        name: c.name,
        error: Infinity,
        tolerance: FORWARD,
        failure: error.message,
      })),
    );
  }
  return results;
}

/** A runner for each kind that is known. */
export const GOLDEN_RUNNERS: Record<string, GoldenRunner> = {
  ops: runOperators,
  mannequin: (device, file) => runMannequin(device, file),
};
