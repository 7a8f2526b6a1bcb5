/**
 * Measures how the mannequin's expression latents move the FaceMesh points
 * (`weights/mannequin/expressions.json`):
 *
 *     deno run -A pipeline/inversion/measure_expressions.ts RENDERS
 *
 * RENDERS is a folder of rendered heads with `renders.json` (per picture `file`, `head` and the
 * latent `z`); picture 0 of a head is neutral. Deformations of the others are regressed on the
 * one-sided expression weights that z stands for, mirror images included. Heads 0 to 19 are used;
 * 20 to 29 are left for tests.
 *
 * @module
 */
import { openDevice } from "../../engine/mod.ts";
import { MIRROR, POINTS } from "../face/canonical.ts";
import { findFaces, loadFaceNetworks } from "../face/find.ts";
import { solve } from "../face/linear.ts";
import { readPicture } from "../media/picture.ts";
import { recordMotion } from "../reenactment/motion.ts";
import { EXPRESSION_AXES, weightOf } from "./expressions.ts";

/** Ridge, in squared weights. */
const RIDGE = 0.3;
/** Unit of the stored offsets, world units. */
const UNIT = 1e-5;

interface Render {
  file: string;
  z: number[];
}

interface Sample {
  weights: number[];
  offsets: number[];
}

const folder = Deno.args[0];
const renders: Render[] = JSON.parse(
  await Deno.readTextFile(`${folder}/renders.json`),
);
using device = await openDevice();
const networks = await loadFaceNetworks(device);
const samples: Sample[] = [];
for (let head = 0; head < 20; head++) {
  const views = renders.filter(({ file }) => Number(file.slice(4, 6)) === head);
  const meshes = await Promise.all(views.map((view) => mesh(view.file)));
  if (!meshes[0]) continue;
  for (let k = 1; k < views.length; k++) {
    const points = meshes[k];
    if (!points) continue;
    samples.push(...withMirror(views[k].z, offsetsOf(meshes[0], points)));
  }
  console.log(`head ${head}: ${samples.length} samples`);
}
await Deno.writeTextFile(
  new URL("../../weights/mannequin/expressions.json", import.meta.url),
  JSON.stringify({ unit: UNIT, axes: regress(samples) }) + "\n",
);

async function mesh(file: string): Promise<Float32Array | null> {
  const [face] = await findFaces(
    networks,
    await readPicture(`${folder}/${file}`),
  );
  return face?.landmarks.points ?? null;
}

/** Deformation of one face from another of the same head, in the canonical frame. */
function offsetsOf(rest: Float32Array, now: Float32Array): number[] {
  const [a, b] = recordMotion([rest, now], 1).frames;
  return Array.from(b.points, (v, k) => v - a.points[k]);
}

function withMirror(z: number[], offsets: number[]): Sample[] {
  const weights = EXPRESSION_AXES.map((axis) => weightOf(axis, z[axis.latent]));
  const swapped = EXPRESSION_AXES.map((axis) =>
    weightOf(axis, axis.sided ? -z[axis.latent] : z[axis.latent])
  );
  const mirrored = new Array<number>(3 * POINTS);
  for (let i = 0; i < POINTS; i++) {
    for (let k = 0; k < 3; k++) {
      mirrored[3 * i + k] = (k === 0 ? -1 : 1) * offsets[3 * MIRROR[i] + k];
    }
  }
  return [{ weights, offsets }, { weights: swapped, offsets: mirrored }];
}

/** Ridge regression: offsets of every axis, in units. */
function regress(all: readonly Sample[]): Record<string, number[]> {
  const n = EXPRESSION_AXES.length;
  const gram = Array.from(
    { length: n },
    (_, i) =>
      Array.from(
        { length: n },
        (_, j) =>
          all.reduce(
            (sum, s) => sum + s.weights[i] * s.weights[j],
            i === j ? RIDGE : 0,
          ),
      ),
  );
  const axes: Record<string, number[]> = {};
  EXPRESSION_AXES.forEach(({ name }) => axes[name] = new Array(3 * POINTS));
  for (let p = 0; p < 3 * POINTS; p++) {
    const right = gram.map((_, i) =>
      all.reduce((sum, s) => sum + s.weights[i] * s.offsets[p], 0)
    );
    solve(gram, right).forEach((v, i) =>
      axes[EXPRESSION_AXES[i].name][p] = Math.round(v / UNIT)
    );
  }
  return axes;
}
