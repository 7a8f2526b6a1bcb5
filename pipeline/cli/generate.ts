/**
 * `generate`: heads out of a generator.
 *
 * @module
 */
import { requireFile } from "../media/files.ts";
import type { Command } from "./command.ts";
import { GENERATE_FLAGS, generateOptions } from "./generate_flags.ts";
import { runAsMain } from "./main.ts";

/** The command. */
export const GENERATE: Command<typeof GENERATE_FLAGS> = {
  name: "generate",
  summary:
    "Draws heads of a generator: pictures, orbits, depth and normal maps, meshes.",
  smaller:
    "fewer --seeds, a lower --neural-resolution, --samples or --mesh-resolution",
  flags: GENERATE_FLAGS,
  examples: [
    { line: "./run generate", says: "four heads of the bundled mannequin" },
    {
      line:
        "./run generate --generator ffhqrebalanced512-128.pkl --seeds 0-7 --maps",
      says: "published weights",
    },
    {
      line: "./run generate --seeds 3 --orbit 48 --mesh head.glb",
      says: "one head from all sides, and its mesh",
    },
  ],
  async run(values, context) {
    const options = generateOptions(values);
    if (options.generator) await requireFile(options.generator);
    // Loaded only now, so that --help and a mistyped path answer at once.
    const { runGenerate } = await import("../generate.ts");
    const report = await runGenerate(options, context);
    context.print(`Pictures    ${report.files[0]}`);
    for (const file of report.files.slice(1)) {
      context.print(`            ${file}`);
    }
    context.print(
      `${
        report.secondsPerPicture.toFixed(2)
      } s a picture, superresolution in ${report.precision}, ` +
        `at most ${(report.peakGpuBytes / 2 ** 20).toFixed(0)} MiB on the GPU`,
    );
  },
};

if (import.meta.main) await runAsMain(GENERATE);
