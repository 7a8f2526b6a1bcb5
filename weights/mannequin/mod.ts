/**
 * The mannequin: the small EG3D-class generator of human heads that is embedded as the default, so that everything
 * works without a download. Weights: MIT, trained on our own synthetic renders only (no photograph of a person).
 * @module
 */
import { fileURLToPath } from "node:url";
import expressions from "./expressions.json" with { type: "json" };
import { WeightsError } from "../errors.ts";
import { parseSafetensors, readSafetensors } from "../formats/safetensors.ts";
import {
  type GeneratorWeights,
  generatorWeights,
} from "../generator/weights.ts";

/** How FaceMesh's points move per unit of an expression of the mannequin; see `measure_expressions.ts`. */
export interface ExpressionBasis {
  /** World units of one step of the integers. */
  readonly unit: number;
  /** 468 x (x, y, z) for each named expression. */
  readonly axes: Readonly<Record<string, readonly number[]>>;
}

/** The mannequin's expressions, measured on renders of its heads. */
export const mannequinExpressions: ExpressionBasis = expressions;

/** Where the embedded generator is. */
export const MANNEQUIN_URL: URL = new URL(
  "./generator.safetensors",
  import.meta.url,
);

/**
 * Loads the embedded generator, about 4 MB. Needs `--allow-read` for this package's folder (or `--allow-net` when
 * the package is run from a URL).
 * @throws {WeightsError} When the file is missing or damaged.
 */
export async function loadMannequin(): Promise<GeneratorWeights> {
  const url = MANNEQUIN_URL;
  if (url.protocol === "file:") {
    const path = fileURLToPath(url);
    return generatorWeights(await readSafetensors(path), path);
  }
  const response = await fetch(url);
  if (!response.ok) {
    throw new WeightsError(
      `Cannot read the embedded generator ${url}: ${response.statusText}.`,
    );
  }
  return generatorWeights(
    parseSafetensors(await response.bytes(), url.href),
    url.href,
  );
}
