/**
 * `convert`: from any file of weights to safetensors.
 *
 * @module
 */
import { format } from "@std/fmt/bytes";
import { openCheckpoint } from "../../weights/checkpoint.ts";
import { convertCheckpoint } from "../../weights/convert.ts";
import { UsageError } from "../errors.ts";
import { isSameFile } from "../media/files.ts";
import type { Command } from "./command.ts";
import type { FlagTable } from "./flags.ts";
import { runAsMain } from "./main.ts";

/** The flags of `convert`. */
export const CONVERT_FLAGS = {
  file: {
    kind: "operand",
    value: "FILE",
    help:
      "Any file of weights that ./run inspect can read. Of EG3D's networks G_ema is converted.",
  },
  out: {
    kind: "operand",
    value: "OUT.safetensors",
    help:
      "Where the tensors go, under the names that inspect lists; an older file of this name is " +
      "replaced once the new one is whole.",
  },
  f16: {
    kind: "switch",
    help:
      "Store floats as float16: half the size, three digits. Values beyond 65504 are refused.",
  },
} as const satisfies FlagTable;

/** The command. No code that the file brings along is run. */
export const CONVERT: Command<typeof CONVERT_FLAGS> = {
  name: "convert",
  summary: "Writes the tensors of a file of weights as safetensors.",
  flags: CONVERT_FLAGS,
  examples: [
    {
      line:
        "./run convert ffhqrebalanced512-128.pkl generator.safetensors --f16",
      says: "an EG3D generator with its settings as metadata, at half the size",
    },
  ],
  async run({ file, out, f16 }, { print, progress }) {
    if (!out.endsWith(".safetensors")) {
      throw new UsageError(
        `"${out}" is not a name for the result; let it end in .safetensors.`,
      );
    }
    if (await isSameFile(file, out)) {
      throw new UsageError(
        `"${out}" is the file to be converted; give the result another name.`,
      );
    }
    const checkpoint = await openCheckpoint(file);
    const { tensors, parameters, withoutConfig } = await convertCheckpoint(
      checkpoint,
      out,
      { half: f16 },
    );
    if (withoutConfig) {
      progress.warn(`The result cannot be animated with. ${withoutConfig}`);
    }
    const { size } = await Deno.stat(out);
    print(
      `${out}: ${tensors} tensors, ${
        parameters.toLocaleString("en")
      } parameters, ${format(size)}`,
    );
  },
};

if (import.meta.main) await runAsMain(CONVERT);
