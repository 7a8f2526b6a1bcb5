/**
 * Measures the canonical mesh (`canonical.json`) from heads of known camera:
 *
 *     deno run -A pipeline/face/measure_canonical.ts RENDERS
 *
 * RENDERS is a folder of pictures with `renders.json` (see its README: per picture `file`, `head`,
 * `cam2world` and 68 true `landmarks`). FaceMesh is run on each.
 *
 * 1. A first shape: the mean over the neutral frontal pictures, with FaceMesh's relative depth made
 *    metric by a line fitted to the true depths of corresponding landmarks.
 * 2. Every point is triangulated from all pictures under their known cameras (robust least squares
 *    on FaceMesh's own observations, so expressions, which have no preferred sign, average out);
 *    the depth of step 1 is a weak prior.
 * 3. The result is made symmetric.
 *
 * Heads 0 to 19 are used; 20 to 29 are left for the tests.
 *
 * @module
 */
import { openDevice } from "../../engine/mod.ts";
import { readPicture } from "../media/picture.ts";
import { type Cam2World, FOCAL, project } from "./camera.ts";
import { POINTS } from "./canonical.ts";
import { FaceDetector } from "./detect.ts";
import { LandmarkFinder, MIN_PRESENCE, regionOfFace } from "./landmarks.ts";
import { solve, type Vec3 } from "./linear.ts";

interface Render {
  readonly file: string;
  readonly head: number;
  readonly cam2world: Cam2World;
  readonly landmarks: readonly Vec3[];
}

interface View {
  readonly render: Render;
  readonly frontal: boolean;
  /** 468 points, x and y in picture widths, z likewise. */
  readonly points: readonly Vec3[];
}

/** iBUG landmarks and the FaceMesh points that lie on them. */
const SAME_PLACE: readonly (readonly [number, number])[] = [
  ...([[27, 168], [28, 197], [29, 5], [30, 4], [32, 97], [33, 2], [
    34,
    326,
  ]] as const),
  ...([[36, 33], [39, 133], [42, 362], [45, 263], [48, 61], [51, 0]] as const),
  ...([[54, 291], [57, 17]] as const),
];

/** Distance from the frontal camera to the face: turns picture widths into world units. */
const FACE_DISTANCE = 2.53;

/** Weight of step 1's depth against squared errors in picture widths. */
const DEPTH_PRIOR = 0.01;

/** Errors beyond this many picture widths lose their say. */
const ROBUST = 0.008;

/** The line through (relative depth, true depth): true = slope * relative + offset. */
function calibrateDepth(
  views: readonly View[],
): { slope: number; offset: number } {
  const pairs = views.filter((view) => view.frontal).flatMap((
    { render, points },
  ) =>
    SAME_PLACE.map(([ibug, mesh]) => {
      const depth = render.landmarks[ibug][2];
      return [-points[mesh][2] * (2.7 - depth) / FOCAL, depth] as const;
    })
  );
  const mean = (k: 0 | 1) =>
    pairs.reduce((sum, pair) => sum + pair[k], 0) / pairs.length;
  const [mx, my] = [mean(0), mean(1)];
  const sxy = pairs.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  const sxx = pairs.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
  return { slope: sxy / sxx, offset: my - mx * sxy / sxx };
}

function firstShape(views: readonly View[]): Float64Array {
  const { slope, offset } = calibrateDepth(views);
  const frontal = views.filter((view) => view.frontal);
  const shape = new Float64Array(3 * POINTS);
  for (const { points } of frontal) {
    points.forEach(([u, v, w], i) => {
      const z = offset - slope * w * FACE_DISTANCE / FOCAL;
      const k = (2.7 - z) / FOCAL;
      shape[3 * i] += (u - 0.5) * k / frontal.length;
      shape[3 * i + 1] -= (v - 0.5) * k / frontal.length;
      shape[3 * i + 2] += z / frontal.length;
    });
  }
  return shape;
}

/** One Gauss-Newton step of the robust triangulation of point `index`. */
function triangulationStep(
  views: readonly View[],
  index: number,
  point: Vec3,
  priorDepth: number,
): Vec3 {
  const a = [[0, 0, 0], [0, 0, 0], [0, 0, DEPTH_PRIOR]];
  const b = [0, 0, DEPTH_PRIOR * (priorDepth - point[2])];
  for (const { render, points } of views) {
    const at = project(render.cam2world, point);
    const step = 1e-5;
    const moved = [0, 1, 2].map((k) => {
      const p: [number, number, number] = [...point];
      p[k] += step;
      return project(render.cam2world, p);
    });
    const error = [points[index][0] - at[0], points[index][1] - at[1]];
    const weight = 1 / (1 + (error[0] ** 2 + error[1] ** 2) / ROBUST ** 2);
    for (let axis = 0; axis < 2; axis++) {
      const j = moved.map((m) => (m[axis] - at[axis]) / step);
      for (let k = 0; k < 3; k++) {
        b[k] += weight * j[k] * error[axis];
        for (let l = 0; l < 3; l++) a[k][l] += weight * j[k] * j[l];
      }
    }
  }
  const d = solve(a, b);
  return [point[0] + d[0], point[1] + d[1], point[2] + d[2]];
}

function triangulate(
  views: readonly View[],
  first: Float64Array,
): Float64Array {
  const shape = new Float64Array(first.length);
  for (let i = 0; i < POINTS; i++) {
    let point: Vec3 = [first[3 * i], first[3 * i + 1], first[3 * i + 2]];
    for (let step = 0; step < 8; step++) {
      point = triangulationStep(views, i, point, first[3 * i + 2]);
    }
    shape.set(point, 3 * i);
  }
  return shape;
}

/** Pairs points with their mirror images, the closest pairs first; a point may be its own. */
function mirrorPairs(shape: Float64Array): number[] {
  const pairs: (readonly [number, number, number])[] = [];
  for (let i = 0; i < POINTS; i++) {
    for (let j = i; j < POINTS; j++) {
      const [x, y, z] = [0, 1, 2].map((k) =>
        shape[3 * i + k] + (k === 0 ? 1 : -1) * shape[3 * j + k]
      );
      pairs.push([Math.hypot(x, y, z), i, j]);
    }
  }
  const mirror = new Array<number>(POINTS).fill(-1);
  for (const [, i, j] of pairs.sort((a, b) => a[0] - b[0])) {
    if (mirror[i] < 0 && mirror[j] < 0) [mirror[i], mirror[j]] = [j, i];
  }
  return mirror;
}

function symmetric(
  shape: Float64Array,
  mirror: readonly number[],
): Float64Array {
  return shape.map((value, k) => {
    const other = shape[3 * mirror[Math.floor(k / 3)] + k % 3];
    return k % 3 === 0 ? (value - other) / 2 : (value + other) / 2;
  });
}

/** Runs FaceMesh on the pictures of heads 0 to 19. */
async function readViews(folder: string): Promise<View[]> {
  using device = await openDevice();
  using detector = await FaceDetector.load(device);
  using finder = await LandmarkFinder.load(device);
  const renders: Render[] = JSON.parse(
    await Deno.readTextFile(`${folder}/renders.json`),
  );
  const views: View[] = [];
  for (const render of renders.filter(({ head }) => head < 20)) {
    const picture = await readPicture(`${folder}/${render.file}`);
    const [face] = await detector.detect(picture);
    const found = face && await finder.find(picture, regionOfFace(face));
    if (!found || found.presence < MIN_PRESENCE) continue;
    const at = (k: number) => found.points[k] / picture.width;
    const points = Array.from(
      { length: POINTS },
      (_, i): Vec3 => [at(3 * i), at(3 * i + 1), at(3 * i + 2)],
    );
    views.push({ render, frontal: render.file.endsWith("_0.png"), points });
  }
  return views;
}

if (import.meta.main) {
  const [folder] = Deno.args;
  if (!folder) {
    console.error("usage: measure_canonical.ts RENDERS");
    Deno.exit(2);
  }
  const views = await readViews(folder);
  const first = firstShape(views);
  const shape = symmetric(triangulate(views, first), mirrorPairs(first));
  const unit = 1e-5;
  const points = Array.from(shape, (value) => Math.round(value / unit));
  const about =
    "FaceMesh's 468 points on the mean neutral head, generator's world; " +
    "measured by measure_canonical.ts";
  const out = new URL("./canonical.json", import.meta.url);
  await Deno.writeTextFile(out, JSON.stringify({ about, unit, points }) + "\n");
  console.log(`${out.pathname}: measured from ${views.length} pictures`);
}
