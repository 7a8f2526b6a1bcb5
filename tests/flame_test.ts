/** FLAME's vertices and landmarks against float64, on heads of few vertices. */
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertThrows,
} from "@std/assert";
import {
  type Device,
  gradients,
  multiply,
  openDevice,
  sum,
} from "../engine/mod.ts";
import { type NumberArray, relativeError } from "../engine/ops/conformance.ts";
import {
  type Flame,
  fullPose,
  loadFlame,
} from "../pipeline/transfer/deca/flame.ts";
import {
  contourRow,
  loadFlameLandmarks,
} from "../pipeline/transfer/deca/landmarks.ts";
import { WeightsError, type WeightTensor } from "../weights/mod.ts";
import { flameReference, smallFlame } from "./support/float64_flame.ts";
import { numbers } from "./support/float64_layers.ts";
import { slopeError } from "./support/slopes.ts";

const SHAPES = 4, EXPRESSIONS = 3, BETAS = SHAPES + EXPRESSIONS;

function head(
  device: Device,
  vertices = 23,
): { model: Map<string, WeightTensor>; flame: Flame } {
  const model = smallFlame(vertices);
  const flame = loadFlame(device, model, {
    shape: SHAPES,
    expression: EXPRESSIONS,
  });
  return { model, flame };
}

/** Heads one after the other, each from its own numbers. */
function headsReference(
  model: Map<string, WeightTensor>,
  betas: NumberArray,
  pose: NumberArray,
): NumberArray {
  const heads = Array.from({ length: betas.shape[0] }, (_, n) =>
    flameReference(
      model,
      betas.data.subarray(n * BETAS, (n + 1) * BETAS),
      SHAPES,
      pose.data.subarray(15 * n, 15 * n + 15),
    ));
  return {
    shape: [heads.length, ...heads[0].shape],
    data: Float64Array.from(heads.flatMap(({ data }) => [...data])),
  };
}

/** Three heads; of the second some joints are at rest, of the third all are. */
function parameters(): { betas: NumberArray; pose: NumberArray } {
  const pose = numbers("pose", [3, 15]);
  pose.data.fill(0, 18, 21).fill(0, 24);
  return { betas: numbers("betas", [3, BETAS]), pose };
}

Deno.test("FLAME's vertices agree with float64, joint by joint and vertex by vertex", async () => {
  using device = await openDevice({ poison: true });
  const { model, flame } = head(device), { betas, pose } = parameters();
  const vertices = flame.vertices(
    device.tensor(betas.data, betas.shape),
    device.tensor(pose.data, pose.shape),
  );
  const wanted = headsReference(model, betas, pose);
  assertEquals([...vertices.shape], wanted.shape);
  assert(relativeError(await vertices.data(), wanted.data) < 1e-5);
});

Deno.test("FLAME's gradients agree with differences in float64, also where joints are at rest", async () => {
  using device = await openDevice({ poison: true });
  const { model, flame } = head(device), { betas, pose } = parameters();
  const b = device.tensor(betas.data, betas.shape).track();
  const p = device.tensor(pose.data, pose.shape).track();
  const vertices = flame.vertices(b, p);
  const cotangent = numbers("cotangent", [...vertices.shape]);
  const weighted = device.tensor(cotangent.data, cotangent.shape);
  const found = gradients(sum(multiply(vertices, weighted)), [b, p]);
  const [ofBetas, ofPose] = await device.read(...found);
  const loss = (x: NumberArray, y: NumberArray) =>
    headsReference(model, x, y).data
      .reduce((total, v, k) => total + v * cotangent.data[k], 0);
  assert(slopeError((x) => loss(x, pose), betas, ofBetas) < 1e-4);
  assert(slopeError((y) => loss(betas, y), pose, ofPose) < 1e-4);
});

Deno.test("DECA's pose turns FLAME's head and jaw and leaves neck and eyes at rest", async () => {
  using device = await openDevice();
  const pose = fullPose(device.tensor([1, 2, 3, 4, 5, 6], [1, 6]));
  assertEquals(
    [...await pose.data()],
    [1, 2, 3, 0, 0, 0, 4, 5, 6, 0, 0, 0, 0, 0, 0],
  );
});

Deno.test("FLAME models that lack components or whose joints are out of order are refused", async () => {
  using device = await openDevice();
  const refuse = (
    options: { shape?: number; expression?: number },
    change = (_: Map<string, WeightTensor>) => {},
  ) => {
    const model = smallFlame(5);
    change(model);
    return assertThrows(
      () => loadFlame(device, model, options, "generic_model.pkl"),
      WeightsError,
    ).message;
  };
  assert(refuse({ expression: 101 }).includes("400 components"));
  assert(refuse({ shape: 301 }).includes("at most 300"));
  const orphan = refuse({}, (model) => {
    model.get("kintree_table")!.data[2] = 3;
  });
  assert(orphan.includes("Joint 2 of generic_model.pkl has the parent 3"));
  const bare = refuse({}, (model) => model.delete("posedirs"));
  assert(bare.includes("generic_model.pkl has no parameter posedirs"));
});

// Landmarks

/** Points that each sit on one corner of one face, so that they are easy to foretell. */
function embedding(faces: number): Map<string, WeightTensor> {
  const put = (shape: number[], value: (k: number) => number) => ({
    shape,
    data: Float32Array.from(
      { length: shape.reduce((a, b) => a * b) },
      (_, k) => value(k),
    ),
  });
  const corner = (k: number) => k % 3 === 1 ? 1 : 0;
  return new Map([
    ["static_lmk_faces_idx", put([51], (k) => k % faces)],
    ["static_lmk_bary_coords", put([51, 3], corner)],
    ["full_lmk_faces_idx", put([1, 68], (k) => k % faces)],
    ["full_lmk_bary_coords", put([1, 68, 3], () => 1 / 3)],
    ["dynamic_lmk_faces_idx", put([79, 17], (k) => Math.floor(k / 17) % faces)],
    ["dynamic_lmk_bary_coords", put([79, 17, 3], corner)],
  ]);
}

Deno.test("FLAME's contour is looked up by how far the head is turned", () => {
  assertEquals([0, 12.4, 38.6, 80].map(contourRow), [0, 12, 39, 39]);
  assertEquals([-1, -12.4, -39, -80].map(contourRow), [40, 51, 78, 78]);
});

Deno.test("FLAME's landmarks lie on their faces, the contour where the turned head shows it", async () => {
  using device = await openDevice({ poison: true });
  const { flame } = head(device), count = flame.vertexCount;
  const landmarks = loadFlameLandmarks(device, flame, embedding(count));
  const vertices = numbers("vertices", [2, count, 3]);
  const at = (n: number, vertex: number) =>
    Array.from(
      vertices.data.subarray(
        3 * (n * count + vertex),
        3 * (n * count + vertex) + 3,
      ),
    );
  const corner = (face: number, k: number) => flame.faces[3 * face + k];
  const mesh = device.tensor(vertices.data, vertices.shape);
  // 30 degrees from the root and -10 from the neck, about the vertical; then -20 from both
  const degrees = (...turns: number[]) =>
    turns.flatMap((turn) => [0, turn * Math.PI / 180, 0]);
  const poses = [degrees(30, -10, 0, 0, 0), degrees(-20, -20, 9, 0, 0)];
  const [fixed, visible] = await device.read(
    landmarks.fixed(mesh),
    landmarks.visible(mesh, poses),
  );
  const close = (got: Float32Array, point: number, wanted: number[]) =>
    wanted.forEach((v, axis) =>
      assertAlmostEquals(got[3 * point + axis], v, 1e-5)
    );
  const face = 60 % count;
  const middle = [0, 1, 2].map((axis) =>
    [0, 1, 2].reduce((s, k) => s + at(0, corner(face, k))[axis] / 3, 0)
  );
  close(fixed, 60, middle);
  close(visible, 3, at(0, corner(20 % count, 1)));
  close(visible, 68 + 3, at(1, corner(78 % count, 1)));
  close(visible, 68 + 17 + 5, at(1, corner(5, 1)));
});

Deno.test("landmarks of another mesh are refused", async () => {
  using device = await openDevice();
  const { flame } = head(device, 7);
  assertThrows(
    () => loadFlameLandmarks(device, flame, embedding(50)),
    WeightsError,
    "the mesh has 7 faces",
  );
});
