/**
 * The flags of `generate`, and how they become its options.
 *
 * @module
 */
import { UsageError } from "../errors.ts";
import { defaultGenerateOptions, type GenerateOptions } from "../generate.ts";
import type { FlagTable, FlagValues } from "./flags.ts";

/** The table that parsing, checking and `--help` follow from. */
export const GENERATE_FLAGS = {
  generator: {
    kind: "path",
    value: "FILE",
    group: "Which heads",
    help:
      "Weights: an EG3D checkpoint (.pkl), a tuned model.pt, or safetensors. Default: the bundled mannequin.",
  },
  seeds: {
    kind: "text",
    value: "LIST",
    help:
      "Heads by number, such as 0-7 or 3,5,8-10; the same numbers as in EG3D's own scripts. Default: 0-3.",
  },
  trunc: {
    kind: "number",
    value: "X",
    min: -2,
    max: 2,
    help: "Distance from the average head, 1 as trained. Default: 0.7.",
  },
  truncCutoff: {
    kind: "number",
    value: "N",
    min: 0,
    max: 64,
    whole: true,
    help: "Truncate only this many layers, from the coarsest. Default: all.",
  },
  out: {
    kind: "path",
    value: "FOLDER",
    group: "Results",
    help: "Where the results go; made when it is not there. Default: heads.",
  },
  maps: {
    kind: "switch",
    help: "Write depth and normal maps as well.",
  },
  orbit: {
    kind: "number",
    value: "FRAMES",
    min: 0,
    max: 2000,
    whole: true,
    help:
      "An animation of this many frames in which the camera swings. Default: none.",
  },
  mesh: {
    kind: "path",
    value: "FILE",
    help:
      "A mesh with vertex colours, .ply or .glb; with several heads, one file for each.",
  },
  meshResolution: {
    kind: "number",
    value: "N",
    min: 16,
    max: 512,
    whole: true,
    help: "Grid points along a side of the mesh's box. Default: 256.",
  },
  meshLevel: {
    kind: "number",
    value: "X",
    min: -100,
    max: 1000,
    help: "Density that counts as surface. Default: 10.",
  },
  yaw: {
    kind: "text",
    value: "LIST",
    group: "How they are seen",
    help:
      "Angles to the side in degrees, such as -30,0,30; positive shows the person's left side. Default: -25,0,25.",
  },
  pitch: {
    kind: "text",
    value: "LIST",
    help: "Angles above the head in degrees. Default: 0.",
  },
  neuralResolution: {
    kind: "number",
    value: "N",
    min: 4,
    max: 512,
    whole: true,
    help:
      "Pixels of a side of what the volume renderer sees. Default: the generator's own.",
  },
  samples: {
    kind: "number",
    value: "N",
    min: 1,
    max: 8,
    whole: true,
    help: "Factor on the samples of a ray. Default: 1.",
  },
  noise: {
    kind: "choice",
    choices: ["const", "random", "none"],
    help: "Noise of the backbone's layers. Default: const.",
  },
  planeAxes: {
    kind: "choice",
    choices: ["published", "corrected"],
    help:
      "Planes that points are projected on: as published (XY, XZ, ZX) or XY, YZ, ZX. Default: the generator's own.",
  },
  precision: {
    kind: "choice",
    choices: ["auto", "f16", "f32"],
    help:
      "Arithmetic of the superresolution module; auto is f16 on GPUs where it was published so, and goes on in f32 if that fails. Default: auto.",
  },
} as const satisfies FlagTable;

/** Most heads of one run. */
const MOST = 10_000;

/**
 * Fills the options of a run from the flags given.
 *
 * @throws {UsageError} when a list cannot be read
 */
export function generateOptions(
  values: FlagValues<typeof GENERATE_FLAGS>,
): GenerateOptions {
  const { seeds, yaw, pitch, ...rest } = values;
  const defaults = defaultGenerateOptions();
  return {
    ...defaults,
    ...rest,
    seeds: seeds === undefined ? defaults.seeds : parseSeeds(seeds),
    yaw: yaw === undefined ? defaults.yaw : parseAngles("yaw", yaw),
    pitch: pitch === undefined ? defaults.pitch : parseAngles("pitch", pitch),
  };
}

/**
 * Reads `0-7` or `3,5,8-10`.
 *
 * @throws {UsageError} when it is not such a list
 */
export function parseSeeds(text: string): number[] {
  const seeds = text.split(",").flatMap((part) => {
    const found = /^\s*(\d{1,10})\s*(?:-\s*(\d{1,10})\s*)?$/.exec(part);
    const first = Number(found?.[1]), last = Number(found?.[2] ?? found?.[1]);
    if (!found || last < first || last > 2 ** 32 - 1 || last - first >= MOST) {
      throw new UsageError(
        `--seeds ${text} will not do: give numbers and ranges such as 0-7 or 3,5,8-10.`,
      );
    }
    return Array.from({ length: last - first + 1 }, (_, k) => first + k);
  });
  return [...new Set(seeds)];
}

function parseAngles(name: string, text: string): number[] {
  return text.split(",").map((part) => {
    const angle = Number(part);
    if (part.trim() === "" || !(Math.abs(angle) <= 89)) {
      throw new UsageError(
        `--${name} ${text} will not do: give degrees from -89 to 89, such as -30,0,30.`,
      );
    }
    return angle;
  });
}
