/**
 * Every kernel in one table. Conformance, bench and the operator table of the
 * documentation are generated from it; a kernel that its family's module
 * exports is in it by itself.
 *
 * @module
 */
import * as biasAct from "./bias_act/bias_act.ts";
import * as conv2d from "./conv2d/conv2d.ts";
import * as depthwise from "./conv2d/depthwise.ts";
import * as winograd from "./conv2d/winograd.ts";
import * as elementwise from "./elementwise/elementwise.ts";
import * as interpolate from "./interpolate/interpolate.ts";
import { type Dtype, dtypesOf, type Kernel } from "./kernel.ts";
import * as matmul from "./matmul/matmul.ts";
import * as norm from "./norm/norm.ts";
import * as optim from "./optim/optim.ts";
import * as pool from "./pool/pool.ts";
import * as random from "./random/random.ts";
import * as raster from "./raster/raster.ts";
import * as raymarch from "./raymarch/raymarch.ts";
import * as reduce from "./reduce/reduce.ts";
import * as triplane from "./triplane/triplane.ts";
import * as upfirdn2d from "./upfirdn2d/upfirdn2d.ts";

/** Tile profiles: register tiles for a CPU, shared-memory tiles for a GPU. */
export type KernelProfile = "cpu" | "gpu";

/** A row of the catalogue. */
export interface CatalogEntry {
  /** `family.operator`. */
  readonly name: string;
  /** The kernel. */
  readonly kernel: Kernel;
  /** What it computes: the first lines of its header comment. */
  readonly formula: string;
  /** Devices that it is written for. */
  readonly profiles: readonly KernelProfile[];
  /** Element types of the tensors that it takes. */
  readonly dtypes: readonly Dtype[];
}

const FAMILIES: readonly Readonly<Record<string, unknown>>[] = [
  elementwise,
  reduce,
  matmul,
  conv2d,
  depthwise,
  winograd,
  biasAct,
  upfirdn2d,
  interpolate,
  pool,
  norm,
  triplane,
  raymarch,
  raster,
  random,
  optim,
];

function isKernel(value: unknown): value is Kernel {
  return typeof value === "object" && value !== null && "source" in value &&
    "bindings" in value;
}

/** The header comment up to its first empty line. */
function formulaOf(kernel: Kernel): string {
  const lines = kernel.source.split("\n");
  const end = lines.findIndex((line) => !/^\/\/\s*\S/.test(line));
  return lines.slice(0, end).map((line) => line.replace(/^\/\/ ?/, ""))
    .join("\n");
}

/** By the ending of a kernel's name: `_lanes` and `_tiles` need what only one kind of device has. */
function profilesOf(name: string): readonly KernelProfile[] {
  if (name.endsWith("_lanes")) return ["cpu"];
  if (name.endsWith("_tiles")) return ["gpu"];
  return ["cpu", "gpu"];
}

/** Every kernel, family by family. */
export const catalog: readonly CatalogEntry[] = FAMILIES
  .flatMap((family) => Object.values(family).filter(isKernel))
  .map((kernel) => ({
    name: kernel.name,
    kernel,
    formula: formulaOf(kernel),
    profiles: profilesOf(kernel.name),
    dtypes: dtypesOf(kernel),
  }));
