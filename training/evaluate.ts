/**
 * The figures of a generator: pictures, silhouettes, distances and expressions
 * of heads that no training sees.
 *
 * @module
 */
import type { Device } from "../engine/mod.ts";
import type { RunContext } from "../pipeline/context.ts";
import { loadGenerator } from "../pipeline/generator/state.ts";
import type { GeneratorWeights } from "../weights/mod.ts";
import { type ExpressionFigures, measureExpressions } from "./expressions.ts";
import { requireSameLatents } from "./begin.ts";
import type { HeadStudio } from "./heads/interface.ts";
import {
  type HeldOutFigures,
  heldOutHeads,
  meanFigures,
  measureHeldOut,
} from "./heldout.ts";
import { shoot } from "./shots.ts";

/** All figures of a generator. */
export interface Evaluation extends HeldOutFigures {
  /** Held-out heads, each seen by two cameras. */
  readonly heads: number;
  /** Expressions, of fewer heads; null where the latent has another meaning. */
  readonly expressions: ExpressionFigures | null;
}

/** Cameras that see each held-out head. */
const VIEWS = 2;
/** One in so many heads makes faces. */
const ACTORS = 4;
/** Pictures of an actor; see `expressions.ts`. */
const FACES = 6;

/**
 * Measures a generator.
 *
 * @param heads how many held-out heads
 * @throws {PantomimeError} when the heads have other latents
 */
export async function evaluate(
  device: Device,
  studio: HeadStudio,
  weights: GeneratorWeights,
  heads: number,
  { progress, signal }: RunContext,
): Promise<Evaluation> {
  requireSameLatents(weights, studio);
  using _scope = device.scope();
  const generator = loadGenerator(device, weights), { config } = generator;
  const seeing = progress.stage("Held-out heads", heads);
  const { z, labels } = heldOutHeads(studio, heads, VIEWS);
  const of = (rows: Float32Array, head: number) => {
    const width = rows.length / heads;
    return rows.slice(head * width, (head + 1) * width);
  };
  const parts: HeldOutFigures[] = [];
  // one at a time: the pictures of thousands would fill the memory
  for (let head = 0; head < heads; head++) {
    signal.throwIfAborted();
    const shots = await shoot(
      device,
      studio,
      of(z, head),
      of(labels, head),
      1,
      config.img_resolution,
    );
    parts.push((await measureHeldOut(device, generator, shots)).figures);
    seeing.update(head + 1);
  }
  seeing.finish();
  const figures = meanFigures(parts);
  if (config.semantics !== "mannequin") {
    return { heads, ...figures, expressions: null };
  }
  const actors = Math.ceil(heads / ACTORS);
  const acting = progress.stage("Expressions", actors * FACES);
  const expressions = await measureExpressions(
    device,
    studio,
    generator,
    actors,
    (done) => {
      signal.throwIfAborted();
      acting.update(done);
    },
  );
  acting.finish();
  return { heads, ...figures, expressions };
}

/** An evaluation as lines of a table. */
export function evaluationTable(evaluation: Evaluation): string[] {
  const { expressions: faces } = evaluation;
  const rows: [string, string][] = [
    ["heads", String(evaluation.heads)],
    ["picture", `${evaluation.psnr.toFixed(2)} dB`],
    ["before superresolution", `${evaluation.rawPsnr.toFixed(2)} dB`],
    ["silhouette, IoU", evaluation.maskIou.toFixed(4)],
    ["distance error", `${evaluation.distanceError.toFixed(4)} units`],
  ];
  if (faces) {
    const share = (x: number | null) => x === null ? "none" : x.toFixed(3);
    for (const name of ["mouth", "smile"] as const) {
      rows.push(
        [
          `${name}, correlation`,
          `${share(faces[name].correlation)} (studio ${
            share(faces.studio[name])
          })`,
        ],
        [`${name}, extent`, `${share(faces[name].extent)} of the studio's`],
      );
    }
    rows.push(["faces not found", String(faces.lost)]);
  }
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
}
