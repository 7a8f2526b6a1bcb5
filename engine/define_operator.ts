/**
 * Operators around a kernel of one's own.
 *
 * @module
 */
import type { Constants, Kernel } from "../kernels/kernel.ts";
import { linearWorkgroups } from "./device.ts";
import { EngineError, KernelError } from "./errors.ts";
import type {
  CaseInput,
  NumberArray,
  OperatorCase,
} from "./ops/conformance.ts";
import { record } from "./tape.ts";
import { elementCount, type Shape, type Tensor } from "./tensor.ts";

/** Numbers for a kernel's `Params` fields, `override` and `const` declarations, by name. */
export type Settings = Readonly<Record<string, number>>;

/** What the backward rule of a user's operator is given. */
export interface BackwardCall {
  /** Gradient of the result, of its shape. */
  readonly gradient: Tensor;
  /** What the operator was called with. */
  readonly inputs: Readonly<Record<string, Tensor>>;
  /** What it returned. */
  readonly result: Tensor;
  /** What it was called with besides. */
  readonly settings: Settings;
}

/** What {@linkcode defineOperator} needs to know. */
export interface OperatorDefinition {
  /** For messages and conformance. */
  readonly name: string;
  /** The kernel: inputs are its `read` bindings, the result is its `read_write` one. */
  readonly kernel: Kernel;
  /** Shape of the result; that of the first input when absent. */
  readonly shape?: (
    shapes: Readonly<Record<string, Shape>>,
    settings: Settings,
  ) => Shape;
  /**
   * Values of `Params` fields that follow from the shapes. `n`, where the kernel
   * has it, is the number of results; settings of the same name come first.
   */
  readonly params?: (
    shapes: Readonly<Record<string, Shape>>,
    settings: Settings,
  ) => Record<string, number>;
  /** Workgroups in x, y, z; one invocation for each number of the result when absent. */
  readonly workgroups?: (
    result: Shape,
    settings: Settings,
  ) => readonly [number, number?, number?];
  /**
   * Gradients of the inputs by name. Written with operators, it can be
   * differentiated again. Without it the operator has no derivative.
   */
  readonly backward?: (call: BackwardCall) => Record<string, Tensor | null>;
  /** The operator in double precision, for conformance. */
  readonly reference?: (
    inputs: Readonly<Record<string, NumberArray>>,
    settings: Settings,
  ) => NumberArray;
}

/** An operator made by {@linkcode defineOperator}. */
export interface UserOperator {
  /**
   * Runs it, and notes how to differentiate it.
   *
   * @param inputs a tensor for each `read` binding of the kernel
   * @param settings numbers for its parameters and constants
   * @throws {KernelError} when an input or a number is missing
   */
  (inputs: Readonly<Record<string, Tensor>>, settings?: Settings): Tensor;
  /**
   * A case for `checkCase`: the operator against its reference, with gradients,
   * NaN and infinity.
   *
   * @param name what is special about it
   * @throws {EngineError} when the operator has no reference
   */
  case(
    name: string,
    inputs: Readonly<Record<string, CaseInput>>,
    settings?: Settings,
  ): OperatorCase;
}

/**
 * An operator of one's own, from its WGSL to its place among the others: it is
 * differentiated with them and can be held to a reference like them.
 *
 * ```ts
 * import { cos, defineOperator, gradients, multiply, openDevice, sum } from "@pantomime/pantomime/engine";
 * import { defineKernel } from "@pantomime/pantomime/kernels";
 *
 * const wave = defineOperator({
 *   name: "wave",
 *   kernel: defineKernel("example.wave", `
 * struct Params { n: u32 }
 * @group(0) @binding(0) var<storage, read> x: array<f32>;
 * @group(0) @binding(1) var<storage, read_write> y: array<f32>;
 * @group(0) @binding(2) var<uniform> params: Params;
 * @compute @workgroup_size(64)
 * fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
 *   let i = id.x + id.y * groups.x * 64u;
 *   if (i < params.n) { y[i] = sin(x[i]); }
 * }`),
 *   backward: ({ gradient, inputs }) => ({ x: multiply(gradient, cos(inputs.x)) }),
 *   reference: ({ x }) => ({ data: x.data.map(Math.sin), shape: x.shape }),
 * });
 *
 * using device = await openDevice();
 * const x = device.tensor([0, 1, 2], [3]).track();
 * const [slope] = gradients(sum(wave({ x })), [x]);
 * console.log(await slope.data()); // 1, 0.54, -0.42
 * ```
 *
 * @throws {KernelError} when the kernel writes to more than one buffer, or reads none
 */
export function defineOperator(definition: OperatorDefinition): UserOperator {
  const { name, kernel, reference } = definition;
  const reads = kernel.bindings.filter((b) => b.access === "read")
    .map((b) => b.name);
  const writes = kernel.bindings.filter((b) => b.access === "read_write");
  if (reads.length === 0 || writes.length !== 1) {
    throw new KernelError(
      `The kernel ${kernel.name} of operator ${name} reads ${reads.length} buffers and writes ${writes.length}: an operator reads at least one and writes one; launch others with Device.run.`,
    );
  }
  const operator = (
    inputs: Readonly<Record<string, Tensor>>,
    settings: Settings = {},
  ) => apply(definition, reads, inputs, settings);
  return Object.assign(operator, {
    case: (
      title: string,
      inputs: Readonly<Record<string, CaseInput>>,
      settings: Settings = {},
    ): OperatorCase => {
      if (!reference) {
        throw new EngineError(
          `Operator ${name} has no reference to be held to: give defineOperator one.`,
        );
      }
      return {
        operator: name,
        name: title,
        inputs,
        run: (tensors) => operator(tensors, settings),
        reference: (arrays) => reference(arrays, settings),
      };
    },
  });
}

function apply(
  definition: OperatorDefinition,
  reads: readonly string[],
  inputs: Readonly<Record<string, Tensor>>,
  settings: Settings,
): Tensor {
  const { name, backward } = definition;
  const operands = reads.map((input) => {
    if (inputs[input]) return inputs[input];
    throw new KernelError(
      `Operator ${name} takes ${reads.join(", ")} and was given no ${input}.`,
    );
  });
  const result = launch(definition, inputs, operands, settings);
  return record(result, operands, (gradient, needs) => {
    if (!backward) {
      throw new EngineError(
        `Operator ${name} has no derivative: give defineOperator a backward rule, or detach its inputs.`,
      );
    }
    const found = backward({ gradient, inputs, result, settings });
    return reads.map((input, k) => needs[k] ? found[input] ?? null : null);
  });
}

function launch(
  { kernel, shape, params, workgroups }: OperatorDefinition,
  inputs: Readonly<Record<string, Tensor>>,
  [first]: readonly Tensor[],
  settings: Settings,
): Tensor {
  const shapes: Record<string, Shape> = {};
  for (const input in inputs) shapes[input] = inputs[input].shape;
  const out = shape ? shape(shapes, settings) : first.shape;
  const written = kernel.bindings.find((b) => b.access === "read_write")!;
  const result = first.device.empty(out);
  first.device.run(kernel, {
    tensors: { ...inputs, [written.name]: result },
    params: { n: result.size, ...params?.(shapes, settings), ...settings },
    constants: constantsOf(kernel, settings),
    workgroups: workgroups?.(out, settings) ??
      linearWorkgroups(elementCount(out), groupSize(kernel)),
  });
  return result;
}

/** The settings that are `override` or `const` declarations. */
function constantsOf(kernel: Kernel, settings: Settings): Constants {
  return Object.fromEntries(
    Object.entries(settings).filter(([name]) =>
      kernel.overrides.has(name) || kernel.consts.has(name)
    ),
  );
}

/** Invocations of a workgroup. */
function groupSize({ name, source }: Kernel): number {
  const sizes = /@workgroup_size\(([\d\s,]+)\)/.exec(source)?.[1];
  if (!sizes) {
    throw new KernelError(
      `The workgroup size of kernel ${name} is not written as numbers: give defineOperator its workgroups.`,
    );
  }
  return sizes.split(",").filter((n) => n.trim())
    .reduce((product, n) => product * Number(n), 1);
}
