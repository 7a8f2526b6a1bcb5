/**
 * A deformable head in FLAME's format, made of FaceMesh's canonical mesh and a
 * simple skull: what the tests of stage B use in the place of the licensed
 * model. Metres, x to the person's left, y up, z to the viewer, the eyes where
 * FLAME has them.
 *
 * @module
 */
import { CANONICAL, POINTS } from "../../pipeline/face/canonical.ts";
import {
  EYES,
  FACE_OVAL,
  LOWER_LIP,
  TOPOLOGY,
  TriangleKind,
  UPPER_LIP,
} from "../../pipeline/transfer/facemesh/topology.ts";
import type { WeightTensor } from "../../weights/mod.ts";
import { bytesOf, numpyArray } from "./checkpoints.ts";
import { dict, type Node, pickle } from "./pickle_writer.ts";
import { SMILE, smilingMotion } from "./geometry.ts";

/** Rings of the skull behind the rim of the face: width, and metres behind it. */
const RINGS = [
  [1.06, 0.02],
  [1.12, 0.05],
  [1.1, 0.085],
  [0.9, 0.12],
  [0.5, 0.14],
] as const;

const N = FACE_OVAL.length;
/** Number of vertices: FaceMesh's, the rings', and the back of the head. */
export const HEAD_VERTICES: number = POINTS + RINGS.length * N + 1;
const STORED = 400, FIRST_EXPRESSION = 300;

/** Components of the head's expression. */
export const SMILE_EXP = 0, BROWS_EXP = 1, LIDS_EXP = 2;

/** From world units to metres, eyes at FLAME's height. */
const SCALE = 1 / 2.1, LIFT = 0.0155;

/** The mean head at rest: (V, 3). */
export const TEMPLATE: Float32Array<ArrayBuffer> = template();

function template(): Float32Array<ArrayBuffer> {
  const points = new Float32Array(3 * HEAD_VERTICES);
  for (let k = 0; k < 3 * POINTS; k++) {
    points[k] = SCALE * CANONICAL[k] + (k % 3 === 1 ? LIFT : 0);
  }
  const middle = [0, 1].map((axis) =>
    FACE_OVAL.reduce((sum, i) => sum + points[3 * i + axis], 0) / N
  );
  RINGS.forEach(([width, back], ring) =>
    FACE_OVAL.forEach((rim, k) => {
      const at = 3 * (POINTS + ring * N + k);
      for (const axis of [0, 1]) {
        points[at + axis] = middle[axis] +
          width * (points[3 * rim + axis] - middle[axis]);
      }
      points[at + 2] = points[3 * rim + 2] - back;
    })
  );
  points.set([middle[0], middle[1], -0.1], 3 * (HEAD_VERTICES - 1));
  return points;
}

/** Triangles of the face (with an opening between the lips) and of the skull. */
export const HEAD_FACES: Uint32Array = faces();

function faces(): Uint32Array {
  const triangles: number[] = [];
  TOPOLOGY.kinds.forEach((kind, t) => {
    const corners = TOPOLOGY.triangles.subarray(3 * t, 3 * t + 3);
    if (kind === TriangleKind.skin && corners.every((i) => i < POINTS)) {
      triangles.push(...corners);
    }
  });
  const rows = [
    [...FACE_OVAL],
    ...RINGS.map((_, ring) => FACE_OVAL.map((_, k) => POINTS + ring * N + k)),
    FACE_OVAL.map(() => HEAD_VERTICES - 1),
  ];
  rows.slice(1).forEach((outer, row) => {
    for (let k = 0; k < N; k++) {
      const inner = rows[row], next = (k + 1) % N;
      triangles.push(inner[k], outer[k], inner[next]);
      if (row < RINGS.length) {
        triangles.push(inner[next], outer[k], outer[next]);
      }
    }
  });
  return Uint32Array.from(triangles);
}

/** Displacements (V, 3) from those of FaceMesh's points; the skull follows the rim, less and less. */
function withSkull(ofPoint: (i: number) => readonly number[]): Float32Array {
  const moved = new Float32Array(3 * HEAD_VERTICES);
  for (let i = 0; i < POINTS; i++) moved.set(ofPoint(i), 3 * i);
  RINGS.forEach((_, ring) =>
    FACE_OVAL.forEach((rim, k) =>
      moved.set(
        moved.subarray(3 * rim, 3 * rim + 3).map((v) => v * 0.6 ** (ring + 1)),
        3 * (POINTS + ring * N + k),
      )
    )
  );
  return moved;
}

/** Shapes: one axis moved by a product of powers of the place, up to the third; 5 mm at the outside. */
function shapeComponents(): Float32Array[] {
  const powers: number[][] = [];
  for (let a = 0; a <= 3; a++) {
    for (let b = 0; a + b <= 3; b++) {
      for (let c = 0; a + b + c <= 3; c++) powers.push([a, b, c]);
    }
  }
  return [0, 1, 2].flatMap((axis) =>
    powers.map(([a, b, c]) =>
      withSkull((i) => {
        const [x, y, z] = TEMPLATE.subarray(3 * i, 3 * i + 3);
        const d = [0, 0, 0];
        d[axis] = 0.005 * (x / 0.07) ** a * ((y + 0.01) / 0.08) ** b *
          ((z - 0.06) / 0.04) ** c;
        return d;
      })
    )
  );
}

function expressionComponents(): Float32Array[] {
  const { frames, rest } = smilingMotion();
  const smile = withSkull((i) =>
    [0, 1, 2].map((axis) =>
      SCALE *
      (frames[SMILE].points[3 * i + axis] - rest.points[3 * i + axis])
    )
  );
  const bump = (i: number, x: number, y: number, width: number) =>
    Math.exp(
      -(((Math.abs(TEMPLATE[3 * i]) - x) / width) ** 2 +
        ((TEMPLATE[3 * i + 1] - y) / width) ** 2),
    );
  const brows = withSkull((i) => [0, 0.008 * bump(i, 0.035, 0.045, 0.02), 0]);
  const lids = new Set(EYES.flatMap(({ upper }) => upper));
  return [smile, brows, withSkull((i) => [0, lids.has(i) ? -0.008 : 0, 0])];
}

/** How far each vertex turns with the jaw. */
function jawShare(i: number): number {
  const rows = (lip: typeof UPPER_LIP) =>
    lip.flatMap((row) => row.slice(1, -1));
  if (rows(UPPER_LIP).includes(i)) return 0;
  if (rows(LOWER_LIP).includes(i)) return 1;
  const line = TEMPLATE[3 * UPPER_LIP[0][0] + 1];
  const down = (line - TEMPLATE[3 * i + 1]) / 0.02 + 0.5;
  const across = 1 - (TEMPLATE[3 * i] / 0.085) ** 2;
  const share = Math.min(1, Math.max(0, down)) * Math.max(0, across);
  return i < POINTS ? share : i < POINTS + N ? 0.4 * share : 0;
}

/** The arrays of a FLAME model, by their published names. */
export function headModel(): Map<string, WeightTensor> {
  const shapedirs = new Float32Array(3 * HEAD_VERTICES * STORED);
  const put = (components: Float32Array[], first: number) =>
    components.forEach((component, k) =>
      component.forEach((v, row) => shapedirs[row * STORED + first + k] = v)
    );
  put(shapeComponents(), 0);
  put(expressionComponents(), FIRST_EXPRESSION);
  const weights = new Float32Array(5 * HEAD_VERTICES);
  for (let v = 0; v < HEAD_VERTICES; v++) {
    const jaw = jawShare(v);
    weights.set([0, 1 - jaw, jaw, 0, 0], 5 * v);
  }
  const regressor = new Float32Array(5 * HEAD_VERTICES);
  // root and neck, jaw, left eye, right eye: each half-way between two points
  const joints = [[172, 397], [172, 397], [132, 361], [263, 362], [33, 133]];
  joints.forEach((pair, j) =>
    pair.forEach((v) => regressor[j * HEAD_VERTICES + v] = 0.5)
  );
  return new Map([
    ["v_template", { shape: [HEAD_VERTICES, 3], data: TEMPLATE }],
    ["shapedirs", { shape: [HEAD_VERTICES, 3, STORED], data: shapedirs }],
    ["posedirs", {
      shape: [HEAD_VERTICES, 3, 36],
      data: new Float32Array(108 * HEAD_VERTICES),
    }],
    ["J_regressor", { shape: [5, HEAD_VERTICES], data: regressor }],
    ["weights", { shape: [HEAD_VERTICES, 5], data: weights }],
    ["f", {
      shape: [HEAD_FACES.length / 3, 3],
      data: Float32Array.from(HEAD_FACES),
    }],
    ["kintree_table", {
      shape: [2, 5],
      data: Float32Array.of(2 ** 32 - 1, 0, 1, 1, 1, 0, 1, 2, 3, 4),
    }],
  ]);
}

/** The model as `generic_model.pkl` keeps it: chumpy arrays, a sparse matrix by columns, whole numbers. */
export function headPickle(
  model: ReadonlyMap<string, WeightTensor> = headModel(),
): Uint8Array<ArrayBuffer> {
  const entries = [...model].map(([name, { shape, data }]): [string, Node] => {
    if (name === "f" || name === "kintree_table") {
      const words = bytesOf(Uint32Array.from(data));
      return [name, numpyArray("<u4", [...shape], words)];
    }
    if (name === "J_regressor") return [name, byColumns(shape, data)];
    const numbers = numpyArray("<f4", [...shape], bytesOf(data.slice()));
    const chumpy = ["v_template", "shapedirs", "posedirs"].includes(name);
    return [
      name,
      chumpy
        ? { create: "chumpy.ch.Ch", state: dict({ x: numbers }) }
        : numbers,
    ];
  });
  return pickle(dict({ bs_style: "lbs", ...Object.fromEntries(entries) }));
}

function byColumns(shape: readonly number[], dense: Float32Array): Node {
  const [rows, columns] = shape;
  const data: number[] = [], indices: number[] = [], starts = [0];
  for (let c = 0; c < columns; c++) {
    for (let r = 0; r < rows; r++) {
      const value = dense[r * columns + c];
      if (value === 0) continue;
      data.push(value);
      indices.push(r);
    }
    starts.push(data.length);
  }
  const words = (values: number[]) =>
    numpyArray("<i4", [values.length], bytesOf(Int32Array.from(values)));
  return {
    create: "scipy.sparse.csc.csc_matrix",
    state: dict({
      _shape: [...shape],
      data: numpyArray("<f8", [data.length], bytesOf(Float64Array.from(data))),
      indices: words(indices),
      indptr: words(starts),
    }),
  };
}
