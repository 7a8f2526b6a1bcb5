/**
 * `inspect`: what is in a file of weights.
 *
 * @module
 */
import { bold, dim } from "@std/fmt/colors";
import { format } from "@std/fmt/bytes";
import { openCheckpoint } from "../../weights/checkpoint.ts";
import {
  type Contents,
  listContents,
  type ListedTensor,
} from "../../weights/contents.ts";
import { WeightsError } from "../../weights/errors.ts";
import type { Command } from "./command.ts";
import type { FlagTable } from "./flags.ts";
import { runAsMain } from "./main.ts";

/** The flags of `inspect`. */
export const INSPECT_FLAGS = {
  file: {
    kind: "operand",
    value: "FILE",
    help:
      "Any file of weights: .pkl, .pt, .pth, .tar, .npy, .npz, .safetensors, or a TensorFlow.js " +
      "model.json; what it is is told by its content.",
  },
  json: {
    kind: "switch",
    help: "Print the contents as JSON, for a program.",
  },
} as const satisfies FlagTable;

/** The command. No code that the file brings along is run. */
export const INSPECT: Command<typeof INSPECT_FLAGS> = {
  name: "inspect",
  summary:
    "Lists what is in a file of weights, without running any code in it.",
  flags: INSPECT_FLAGS,
  examples: [
    {
      line: "./run inspect ffhqrebalanced512-128.pkl",
      says: "an EG3D generator: its sizes, rendering options and tensors",
    },
    {
      line: "./run inspect deca_model.tar --json",
      says: "names, types and shapes for a program",
    },
  ],
  async run({ file, json }, { print }) {
    const contents = listContents(await openCheckpoint(file));
    if (json) print(asJson(file, contents));
    else for (const line of describe(file, contents)) print(line);
  },
};

/** The contents for a program. A damaged file may list more than a text of JavaScript can hold. */
function asJson(file: string, contents: Contents): string {
  try {
    return JSON.stringify({ file, ...contents }, null, 2);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new WeightsError(
      `The contents of ${file} are too long to be told as JSON; inspect it without --json.`,
      { cause: error },
    );
  }
}

/** Format names as people know them. */
const FORMATS: Record<Contents["format"], string> = {
  pickle: "Python pickle",
  "torch-zip": "PyTorch (ZIP)",
  "torch-legacy": "PyTorch (before 1.6)",
  "torch-tar": "PyTorch (TAR, before 0.1.10)",
  torchscript: "TorchScript",
  npy: "NumPy .npy",
  npz: "NumPy .npz",
  safetensors: "safetensors",
  "tfjs-graph": "TensorFlow.js",
};

function describe(file: string, contents: Contents): string[] {
  const { kind, facts, metadata, tensors, others, parameters, bytes } =
    contents;
  return [
    bold(file),
    `  ${shorten(kind)}, ${FORMATS[contents.format]}, ${
      format(contents.byteLength)
    }`,
    ...section("", facts),
    ...section("Metadata", metadata),
    "",
    ...table(tensors),
    bold(
      `${count(tensors.length, "tensor")}, ${count(parameters, "parameter")}, ${
        format(bytes)
      }`,
    ),
    ...section("Also in it", others),
  ];
}

/** Names and values in two columns; a dict is spread over lines of its own. */
function section(
  title: string,
  entries: Readonly<Record<string, unknown>>,
): string[] {
  const rows = Object.entries(entries)
    .flatMap(([name, value]) => entryRows(name, value, "  "));
  if (rows.length === 0) return [];
  const width = rows.reduce((most, [name]) => Math.max(most, name.length), 0);
  const lines = rows.map(([name, value]) =>
    value === undefined ? name : `${name.padEnd(width)}  ${dim(shorten(value))}`
  );
  return ["", ...(title ? [bold(title)] : []), ...lines];
}

function entryRows(
  name: string,
  value: unknown,
  indent: string,
): [name: string, value?: string][] {
  const label = indent + shorten(name);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    const inner = Object.entries(value).flatMap(([key, item]) =>
      entryRows(key, item, `${indent}  `)
    );
    return inner.length > 0 ? [[label], ...inner] : [[label, "{}"]];
  }
  return [[label, typeof value === "string" ? value : JSON.stringify(value)]];
}

function table(tensors: readonly ListedTensor[]): string[] {
  const rows = tensors.map(({ name, dtype, shape, bytes }) => [
    name,
    dtype,
    shape.join(" x ") || "-",
    format(bytes),
  ]);
  if (rows.length === 0) return [];
  const widths = [0, 1, 2, 3].map((column) =>
    rows.reduce((width, row) => Math.max(width, row[column].length), 0)
  );
  return rows.map(([name, dtype, shape, bytes]) =>
    `  ${shorten(name).padEnd(Math.min(widths[0], LINE))}  ${
      dtype.padEnd(widths[1])
    }  ${shape.padEnd(widths[2])}  ${dim(bytes.padStart(widths[3]))}`
  );
}

function count(number: number, what: string): string {
  return `${number.toLocaleString("en")} ${what}${number === 1 ? "" : "s"}`;
}

/** The longest name or value that is printed whole. */
const LINE = 96;

/** One line of bounded length; a file may hold what a terminal would obey. */
function shorten(text: string): string {
  // deno-lint-ignore no-control-regex
  const plain = text.replace(/[\x00-\x1f\x7f-\x9f]/g, " ");
  return plain.length > LINE ? `${plain.slice(0, LINE - 3)}...` : plain;
}

if (import.meta.main) await runAsMain(INSPECT);
