/**
 * What the engine needs to know of a WGSL kernel, read from the WGSL itself.
 *
 * A kernel file is the single source of truth: its bindings, its `Params`
 * struct and its constants are parsed from the text, so that TypeScript names
 * them and never repeats their order or layout.
 *
 * Conventions of a kernel file
 * - storage bindings `@group(0) @binding(k) var<storage, read|read_write> name: array<T>;`
 * - at most one uniform, `var<uniform> params: Params`, whose struct has only
 *   `u32`, `i32` and `f32` fields;
 * - `override NAME: T = value;` for what may be specialised as a pipeline
 *   constant, `const NAME: T = value;` for what sizes a private array (WGSL
 *   does not let an override do that; the engine rewrites the text instead);
 * - `alias x_t = f32;` and `array<x_t>` for a buffer that may also hold f16: the
 *   engine rewrites the alias to the type of the tensor that is bound. Loads are
 *   written `f32(x[i])` and stores `x_t(v)`, so that arithmetic is f32 either way;
 * - `alias bits = u32;` and `array<bits>` for a buffer whose words are meant
 *   whatever they stand for; an `array<f32>` or `array<u32>` is refused f16;
 * - one entry point, `main`.
 *
 * @module
 */

/** How the numbers of a buffer are stored; arithmetic is f32 in any case. */
export type Dtype = "f32" | "f16";

/** A storage buffer of a kernel. */
export interface StorageBinding {
  /** Name of the variable in WGSL. */
  readonly name: string;
  /** `@binding` number in group 0. */
  readonly index: number;
  /** How the kernel uses the buffer. */
  readonly access: "read" | "read_write";
  /** Type of its numbers in WGSL, behind `array<` and perhaps `vec4<`. */
  readonly element: string;
}

/** A scalar of a kernel's `Params` struct; field k lies at byte 4 k. */
export interface ParamField {
  /** Name of the field in WGSL. */
  readonly name: string;
  /** Scalar type, four bytes each. */
  readonly type: "u32" | "i32" | "f32";
}

/** A compute kernel: a name, its WGSL and what the text declares. */
export interface Kernel {
  /** `family.operator`, for instance `conv2d.forward`; appears in errors and profiles. */
  readonly name: string;
  /** The WGSL text as written. */
  readonly source: string;
  /** Storage buffers in binding order. */
  readonly bindings: readonly StorageBinding[];
  /** Scalars of the uniform, empty when the kernel has none. */
  readonly params: readonly ParamField[];
  /** Binding number of the uniform, or -1. */
  readonly paramsIndex: number;
  /** Names declared with `override`. */
  readonly overrides: ReadonlySet<string>;
  /** Names declared with module-scope `const`. */
  readonly consts: ReadonlySet<string>;
  /** Names declared with `alias NAME = f32;`: element types that may become f16. */
  readonly aliases: ReadonlySet<string>;
}

/** Thrown when a kernel's WGSL does not follow the conventions above. */
export class KernelDefinitionError extends Error {
  /** The class, for whoever sees the error printed. */
  override name = "KernelDefinitionError";
}

/** Element type of buffers whose words may stand for numbers of any type. */
export const BITS = "bits";

const STORAGE =
  /@group\(0\)\s*@binding\((\d+)\)\s*var<storage,\s*(read_write|read)>\s*(\w+)\s*:\s*(?:array<\s*(?:vec[234]<\s*)?(\w+))?/g;
const UNIFORM =
  /@group\(0\)\s*@binding\((\d+)\)\s*var<uniform>\s*(\w+)\s*:\s*(\w+)\s*;/;
const OVERRIDE = /^override\s+(\w+)/gm;
const CONST = /^const\s+(\w+)/gm;
const ALIAS = /^alias\s+(\w+)\s*=\s*f32\s*;/gm;

/**
 * Reads a kernel from its WGSL.
 *
 * @param name `family.operator`
 * @param source WGSL text
 * @throws {KernelDefinitionError} when the text breaks the conventions of this module
 */
export function defineKernel(name: string, source: string): Kernel {
  const text = source.replace(/\/\/.*$/gm, "");
  const bindings = [...text.matchAll(STORAGE)].map((m) => ({
    name: m[3],
    index: Number(m[1]),
    access: m[2] as "read" | "read_write",
    element: m[4] ?? "",
  })).sort((a, b) => a.index - b.index);
  if (!bindings.some((b) => b.access === "read_write")) {
    throw new KernelDefinitionError(
      `Kernel ${name} writes to no buffer: declare one as var<storage, read_write>.`,
    );
  }
  if (!/@compute[\s\S]*fn\s+main\s*\(/.test(text)) {
    throw new KernelDefinitionError(
      `Kernel ${name} has no entry point: declare @compute fn main.`,
    );
  }
  const uniform = UNIFORM.exec(text);
  return {
    name,
    source,
    bindings,
    params: uniform ? paramFields(name, text, uniform[3]) : [],
    paramsIndex: uniform ? Number(uniform[1]) : -1,
    overrides: new Set([...text.matchAll(OVERRIDE)].map((m) => m[1])),
    consts: new Set([...text.matchAll(CONST)].map((m) => m[1])),
    aliases: new Set([...text.matchAll(ALIAS)].map((m) => m[1])),
  };
}

function paramFields(name: string, text: string, struct: string): ParamField[] {
  const body = new RegExp(`struct\\s+${struct}\\s*\\{([^}]*)\\}`).exec(text);
  if (!body) {
    throw new KernelDefinitionError(
      `Kernel ${name}: struct ${struct} is not declared in the file.`,
    );
  }
  return body[1].split(",").map((f) => f.trim()).filter((f) => f).map((f) => {
    const [field, type] = f.split(":").map((part) => part.trim());
    if (type !== "u32" && type !== "i32" && type !== "f32") {
      throw new KernelDefinitionError(
        `Kernel ${name}: field ${field} of ${struct} is ${type}; use u32, i32 or f32.`,
      );
    }
    return { name: field, type };
  });
}

/** Types that tensors of a kernel may have: f16 where one of its buffers allows it. */
export function dtypesOf(kernel: Kernel): readonly Dtype[] {
  const half = kernel.bindings.some(({ element }) =>
    element === BITS || kernel.aliases.has(element)
  );
  return half ? ["f32", "f16"] : ["f32"];
}

/** Values for a kernel's `override` and `const` declarations, by name. */
export type Constants = Readonly<Record<string, number | boolean>>;

/**
 * The WGSL and pipeline constants of one specialisation of a kernel.
 *
 * @param halves aliases that stand for f16
 * @throws {KernelDefinitionError} when a constant is not declared by the kernel
 */
export function specialise(
  kernel: Kernel,
  constants: Constants,
  halves: readonly string[] = [],
): { code: string; overrides: Record<string, number> } {
  let code = kernel.source;
  const overrides: Record<string, number> = {};
  for (const [name, value] of Object.entries(constants)) {
    if (kernel.overrides.has(name)) overrides[name] = Number(value);
    else if (kernel.consts.has(name)) {
      code = code.replace(
        new RegExp(
          `^(const\\s+${name}\\s*(?::\\s*(\\w+))?\\s*=\\s*)[^;]+;`,
          "m",
        ),
        (_all, head, type) => `${head}${literal(value, type)};`,
      );
    } else {
      throw new KernelDefinitionError(
        `Kernel ${kernel.name} declares no constant named ${name}.`,
      );
    }
  }
  for (const name of halves) {
    code = code.replace(
      new RegExp(`^(alias\\s+${name}\\s*=\\s*)f32\\s*;`, "m"),
      "$1f16;",
    );
  }
  // in front of everything, as WGSL demands
  if (halves.length > 0) code = `enable f16;\n${code}`;
  return { code, overrides };
}

function literal(value: number | boolean, type: string | undefined): string {
  if (type === "u32") return `${value}u`;
  if (type === "f32") return `f32(${value})`;
  return String(value);
}
