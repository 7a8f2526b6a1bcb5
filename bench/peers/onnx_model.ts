/**
 * ONNX models as bytes, as far as the benchmark needs them: one graph of
 * float32 tensors with fixed shapes (onnx.proto; protocol buffers' wire format).
 *
 * @module
 */
import type { Shape } from "../../engine/mod.ts";

/** Value of a node's attribute; numbers are whole. */
export type Attribute = number | string | readonly number[];

/** One node of a graph. */
export interface OnnxNode {
  /** Operator, for instance `MatMul`. */
  readonly op: string;
  /** Names of tensors. */
  readonly inputs: readonly string[];
  /** Name of its result. */
  readonly output: string;
  /** Attributes by name. */
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

/** A graph. */
export interface OnnxGraph {
  /** Shapes of the inputs, by name. */
  readonly inputs: Readonly<Record<string, Shape>>;
  /** Small tensors that are part of the model; `int64` ones hold axes. */
  readonly constants?: Readonly<
    Record<string, { shape: Shape; data: number[]; type?: "float" | "int64" }>
  >;
  /** Nodes in the order in which they run. */
  readonly nodes: readonly OnnxNode[];
  /** Shapes of the results, by name. */
  readonly outputs: Readonly<Record<string, Shape>>;
}

type Bytes = number[];

/** Field numbers and type codes of onnx.proto. */
const FLOAT = 1, INT64 = 7, ATTRIBUTE = { int: 2, string: 3, ints: 7 };
/** Version of the file format, and of the operators. */
const IR_VERSION = 8, OPSET = 17;

function varint(value: number): Bytes {
  const bytes: Bytes = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

const int = (field: number, value: number): Bytes => [
  ...varint(field << 3),
  ...varint(value),
];

const bytes = (field: number, value: ArrayLike<number>): Bytes => [
  ...varint(field << 3 | 2),
  ...varint(value.length),
  ...Array.from(value),
];

const string = (field: number, value: string): Bytes =>
  bytes(field, new TextEncoder().encode(value));

function attribute([name, value]: [string, Attribute]): Bytes {
  const head = string(1, name);
  if (typeof value === "number") {
    return [...head, ...int(3, value), ...int(20, ATTRIBUTE.int)];
  }
  return typeof value === "string"
    ? [...head, ...string(4, value), ...int(20, ATTRIBUTE.string)]
    : [...head, ...value.flatMap((v) => int(8, v)), ...int(20, ATTRIBUTE.ints)];
}

function node({ op, inputs, output, attributes = {} }: OnnxNode): Bytes {
  return [
    ...inputs.flatMap((name) => string(1, name)),
    ...string(2, output),
    ...string(4, op),
    ...Object.entries(attributes).flatMap((a) => bytes(5, attribute(a))),
  ];
}

function constant(
  name: string,
  shape: Shape,
  data: number[],
  type: "float" | "int64",
): Bytes {
  const raw = type === "float"
    ? new Uint8Array(new Float32Array(data).buffer)
    : new Uint8Array(new BigInt64Array(data.map(BigInt)).buffer);
  return [
    ...shape.flatMap((n) => int(1, n)),
    ...int(2, type === "float" ? FLOAT : INT64),
    ...string(8, name),
    ...bytes(9, raw),
  ];
}

function valueInfo([name, shape]: [string, Shape]): Bytes {
  const sizes = shape.flatMap((n) => bytes(1, int(1, n)));
  const tensor = [...int(1, FLOAT), ...bytes(2, sizes)];
  return [...string(1, name), ...bytes(2, bytes(1, tensor))];
}

/** The bytes of an ONNX file. */
export function onnxModel(graph: OnnxGraph): Uint8Array {
  const { inputs, constants = {}, nodes, outputs } = graph;
  const content = [
    ...nodes.flatMap((n) => bytes(1, node(n))),
    ...string(2, "bench"),
    ...Object.entries(constants).flatMap(([name, { shape, data, type }]) =>
      bytes(5, constant(name, shape, data, type ?? "float"))
    ),
    ...Object.entries(inputs).flatMap((v) => bytes(11, valueInfo(v))),
    ...Object.entries(outputs).flatMap((v) => bytes(12, valueInfo(v))),
  ];
  return Uint8Array.from([
    ...int(1, IR_VERSION),
    ...bytes(7, content),
    ...bytes(8, int(2, OPSET)),
  ]);
}
