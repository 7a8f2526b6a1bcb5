/** The parts of the published stage B: crop, codes, regions of the head, files. */
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { openDevice } from "../engine/mod.ts";
import { type Picture, writePicture } from "../pipeline/media/picture.ts";
import {
  changeExpression,
  encodeFace,
  expressionOf,
  smoothExpressions,
  transferExpression,
} from "../pipeline/transfer/deca/codes.ts";
import {
  cropBounds,
  decaCrop,
  projectToPicture,
  warpCrop,
} from "../pipeline/transfer/deca/crop.ts";
import {
  eyeVertices,
  freeze,
  scaleBrows,
} from "../pipeline/transfer/deca/freeze.ts";
import { readMapMask, templateMask } from "../pipeline/transfer/deca/mask.ts";
import { headOf } from "../pipeline/transfer/deca/frames.ts";
import { loadDeca } from "../pipeline/transfer/deca/model.ts";
import { parseTopology } from "../pipeline/transfer/deca/topology.ts";
import { WeightsError } from "../weights/mod.ts";
import {
  CODES,
  decaTar,
  encoderState,
  HEAD_EYES,
  writeModel,
} from "./support/deca_files.ts";
import { astronaut, pixels, renders, uncovered } from "./support/geometry.ts";
import {
  BROWS_EXP,
  HEAD_FACES,
  HEAD_VERTICES,
  headModel,
  headPickle,
  SMILE_EXP,
  TEMPLATE,
} from "./support/head_mesh.ts";
import { scratch } from "./support/media.ts";
import { expression, SIDE } from "./support/head_portrait.ts";

// The crop

Deno.test("FaceMesh's points box a face as its 68 landmarks do", () => {
  const file = "head20_0.png";
  const { points } = uncovered.find((render) => render.file === file)!;
  const { left, top, size } = decaCrop(pixels(points, renders.unit));
  // the box around the landmarks of the rendered head itself
  const truth = { x: 160.15, y: 201.79, width: 166.46, height: 165.2 };
  const wanted = 1.25 * 1.1 * (truth.width + truth.height) / 2;
  assertAlmostEquals(size / wanted, 1, 0.06);
  assertAlmostEquals((left + size / 2 - truth.x) / wanted, 0, 0.02);
  assertAlmostEquals((top + size / 2 - truth.y) / wanted, 0, 0.03);
  assertEquals(size, Math.trunc(size));
});

/** Red counts columns, green rows. */
function ruled(width: number, height: number): Picture {
  const data = new Uint8Array(3 * width * height);
  for (let k = 0; k < width * height; k++) {
    data.set([k % width, Math.floor(k / width), 200], 3 * k);
  }
  return { width, height, data };
}

Deno.test("a crop's first and last pixels show the corners of its square", () => {
  const picture = ruled(64, 64), side = 11;
  const crop = { left: 10.5, top: 20.5, size: 20 };
  const planes = warpCrop(picture, crop, side);
  const at = (x: number, y: number) =>
    [0, 1].map((c) => 255 * planes[c * side * side + y * side + x]);
  // 20 pixels in 10 steps: two a step, each the mean of two places
  const expected = [[0, 0, 10, 20], [10, 0, 30, 20], [5, 10, 20, 40]];
  for (const [x, y, column, row] of expected) {
    const [red, green] = at(x, y);
    assertAlmostEquals(red, column, 1e-3);
    assertAlmostEquals(green, row, 1e-3);
  }
});

Deno.test("a crop is black beyond the picture and bilinear within", () => {
  const crop = { left: -1, top: 0.75, size: 4 };
  const planes = warpCrop(ruled(3, 3), crop, 5);
  const blue = [...planes.subarray(50, 55)].map((v) => Math.round(255 * v));
  assertEquals(blue, [0, 100, 200, 200, 100]);
  const green = [...planes.subarray(25, 30)].map((v) => 255 * v);
  assertAlmostEquals(green[2], 0.25, 1e-5);
});

Deno.test("DECA's camera fills the crop from -1 to 1, y up in the head and down in the photo", () => {
  const crop = { left: 100, top: 50, size: 1023 };
  const vertices = [-2, 1, 3, 0, -1, -5, -1, 0, 0];
  const projected = projectToPicture(vertices, [1, 1, 0], crop);
  assertEquals(
    [...projected],
    [100, 50, -1536, 1124, 1074, 2560, 612, 562, -0],
  );
  const scaled = projectToPicture(vertices, [2, 1, 0], crop);
  assertEquals([scaled[0], scaled[1]], [612 - 1024, 562 - 1024]);
});

Deno.test("the crop's bounds fade over a pixel, and end with the photo", () => {
  const bounds = cropBounds({ left: 2, top: -5, size: 20.5 }, 8);
  assertEquals([...bounds.subarray(8, 16)], [0, 0, 1, 1, 1, 1, 1, 0]);
  assertEquals([...bounds.subarray(0, 8)], new Array(8).fill(0));
  const inside = cropBounds({ left: 1.75, top: 1, size: 3 }, 8);
  assertEquals([...inside.subarray(16, 24)], [0, 0.25, 1, 1, 0.75, 0, 0, 0]);
});

// Codes

Deno.test("the source takes the target's expression and jaw and keeps everything else", () => {
  const target = {
    exp: new Float32Array(50).fill(3),
    jaw: Float32Array.of(7, 8, 9),
  };
  const moved = transferExpression(CODES, target);
  assertEquals(moved, {
    ...CODES,
    exp: target.exp,
    pose: Float32Array.of(1, 2, 3, 7, 8, 9),
  });
  assertEquals(transferExpression(CODES, expressionOf(CODES)), CODES);
});

Deno.test("the published smoothing averages five frames: the first five share theirs, later ones trail", () => {
  const frames = [1, 2, 3, 4, 10, 20, 30].map((v) => expression({ 0: v }, -v));
  const smooth = smoothExpressions(frames);
  const means = [4, 4, 4, 4, 4, 7.8, 13.4].map((v) => Math.fround(v));
  assertEquals(smooth.map(({ exp }) => exp[0]), means);
  assertEquals(smooth.map(({ jaw }) => jaw[0]), means.map((v) => -v));
  const short = smoothExpressions(frames.slice(0, 2));
  assertEquals(short.map(({ exp }) => exp[0]), [1.5, 1.5]);
});

Deno.test("an expression is scaled from the source's own before components are added", () => {
  const own = expression({ 0: 1 }, 0.25), target = expression({ 0: 3 }, -0.25);
  const add = new Map([[0, 0.5], [49, -1]]);
  const { exp, jaw } = changeExpression(own, target, 2, add);
  assertEquals([exp[0], exp[49], exp[1], jaw[0]], [5.5, -1, 0, -0.75]);
  assertEquals(changeExpression(own, target, 1), target);
  assertEquals(changeExpression(own, target, 0), own);
});

Deno.test("the encoder sees a face's crop and says shape, expression, pose and camera", async () => {
  using device = await openDevice();
  await using folder = scratch();
  const files = await writeModel(folder);
  const { encoder } = await loadDeca(device, files);
  const { portrait } = await astronaut(SIDE);
  const found = await encodeFace(
    device,
    encoder,
    portrait.picture,
    portrait.landmarks,
  );
  assertEquals(found, CODES);
});

// Regions of the template

Deno.test("vertices of two published rectangles are the eyes, whatever their depth", () => {
  const inside = [[0.014, 0.011, 9], [0.0529, 0.034, -9], [-0.052, 0.02, 0], [
    -0.014,
    0.02,
    0,
  ]];
  const outside = [[0.053, 0.02, 0], [-0.0521, 0.02, 0], [0, 0.02, 0], [
    0.03,
    0.0109,
    0,
  ], [0.03, 0.0341, 0]];
  assertEquals(eyeVertices([...inside, ...outside].flat()), [0, 1, 2, 3]);
});

Deno.test("frozen vertices are where the source has them", () => {
  const vertices = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
  freeze(vertices, Float32Array.of(0, 0, 0, -4, -5, -6, 0, 0, 0), [1]);
  assertEquals([...vertices], [1, 2, 3, -4, -5, -6, 7, 8, 9]);
});

Deno.test("scaled brows move further by expressions, not by shapes", () => {
  const data = Float32Array.from({ length: 12 }, (_, k) => k + 1);
  const template = [0, 0.038, 0, 0, 0.0379, 0];
  const scaled = scaleBrows({ shape: [2, 3, 2], data }, template, 1, 2);
  assertEquals([...scaled.data], [1, 4, 3, 8, 5, 12, 7, 8, 9, 10, 11, 12]);
});

Deno.test("the face of a template ends before the ears, at the jaw and at the hair", () => {
  const { opacity } = templateMask(TEMPLATE, HEAD_EYES);
  const of = (...points: number[]) => points.map((i) => opacity[i]);
  // nose, lids, corners of the mouth, brows, chin
  assertEquals(of(4, 159, 386, 61, 291, 105, 334, 200), new Array(8).fill(1));
  // the back of the head, and the ring behind the cheeks
  assertEquals(of(HEAD_VERTICES - 1, 468 + 36 * 3), [0, 0]);
  // left and right alike
  [[93, 323], [127, 356], [58, 288]].forEach(([a, b]) =>
    assertAlmostEquals(opacity[a], opacity[b], 1e-4)
  );
});

Deno.test("a texture map is read from a Wavefront file of triangles, and nothing else is", () => {
  const text =
    "# head\nmtllib x\nv 0 0 0\nv 1 0 0\r\nv 0 1 0\nvt 0 0\nvt 0.5 0\n" +
    "vt 0 1\nvt 1 1\nf 1/1 2/2 3/3\nf 3/4/1 2/2/2 1/1/3\n";
  const topology = parseTopology(text, "head_template.obj");
  assertEquals(topology.vertexCount, 3);
  assertEquals([...topology.faces], [0, 1, 2, 2, 1, 0]);
  assertEquals([...topology.mapFaces], [0, 1, 2, 3, 1, 0]);
  assertEquals([...topology.map], [0, 0, 0.5, 0, 0, 1, 1, 1]);
  for (
    const broken of [
      "",
      text.replace("2/2", "2/5"),
      text.replace("1/1 ", ""),
      text.replaceAll("/", " "),
    ]
  ) {
    assertThrows(() => parseTopology(broken, "x.obj"), WeightsError, "x.obj");
  }
});

// Files

Deno.test("FLAME's file gives head, triangles and a face of its own; DECA's folder the published face", async () => {
  using device = await openDevice();
  await using folder = scratch();
  const files = await writeModel(folder);
  const own = await loadDeca(device, files);
  assertEquals(own.faces, HEAD_FACES);
  assertEquals(own.template, TEMPLATE);
  assertEquals(own.mask, templateMask(TEMPLATE, HEAD_EYES));
  const line = (kind: string, numbers: ArrayLike<number>, k: number) =>
    `${kind} ${Array.from(numbers).slice(3 * k, 3 * k + 3).join(" ")}`;
  await Deno.writeTextFile(
    folder.file("head_template.obj"),
    "v 0 0 0\nvt 0 0\nf 1/1 1/1 1/1\n",
  );
  const white = { width: 4, height: 4, data: new Uint8Array(48).fill(255) };
  await writePicture(folder.file("uv_face_eye_mask.png"), white);
  const other = await loadDeca(device, { deca: files.deca });
  assertEquals(other.mask.kind, "vertices");
  const faces = Array.from(HEAD_FACES, (v) => `${v + 1}/1`);
  const obj = [
    ...Array.from({ length: HEAD_VERTICES }, (_, v) => line("v", TEMPLATE, v)),
    "vt 0.5 0.5",
    ...Array.from(
      { length: faces.length / 3 },
      (_, t) => `f ${faces.slice(3 * t, 3 * t + 3).join(" ")}`,
    ),
  ];
  await Deno.writeTextFile(folder.file("head_template.obj"), obj.join("\n"));
  const published = await loadDeca(device, files);
  assertEquals(published.mask.kind, "map");
  assertEquals(published.mask.opacity.every((v) => v === 1), true);
  assertEquals(published.faces, HEAD_FACES);
});

Deno.test("a head with scaled brows raises them twice as far and smiles as before", async () => {
  using device = await openDevice();
  await using folder = scratch();
  const files = await writeModel(folder);
  const brow = 105, mouth = 61, still = { ...CODES, pose: new Float32Array(6) };
  const movedBy = async (browScale: number, component: number, v: number) => {
    const { flame } = await loadDeca(device, files, browScale);
    const { exp } = expression({ [component]: 1 });
    const at = await headOf(device, flame, { ...still, exp });
    const rest = await headOf(device, flame, {
      ...still,
      exp: exp.map(() => 0),
    });
    return at[3 * v + 1] - rest[3 * v + 1];
  };
  const once = await movedBy(1, BROWS_EXP, brow);
  assertAlmostEquals(await movedBy(2, BROWS_EXP, brow), 2 * once, 1e-6);
  const smile = await movedBy(1, SMILE_EXP, mouth);
  assertAlmostEquals(await movedBy(2, SMILE_EXP, mouth), smile, 1e-6);
  assert(once > 0.005 && smile > 0.001);
});

Deno.test("files of something else are refused by name, with what they lack", async () => {
  using device = await openDevice();
  await using folder = scratch();
  const files = await writeModel(folder);
  const refusal = async (change: Partial<typeof files>) =>
    (await assertRejects(
      () => loadDeca(device, { ...files, ...change }),
      WeightsError,
    )).message;
  const write = async (name: string, bytes: Uint8Array) => {
    await Deno.writeFile(folder.file(name), bytes);
    return folder.file(name);
  };
  const missing = folder.file("nothing.tar");
  assertStringIncludes(await refusal({ deca: missing }), missing);
  assertStringIncludes(
    await refusal({ deca: files.flame }),
    `${files.flame} has no E_flame`,
  );
  const state = encoderState(CODES);
  state.delete("encoder.layer2.1.conv2.weight");
  const cut = await write("cut.tar", decaTar(state));
  assertStringIncludes(
    await refusal({ deca: cut }),
    `E_flame of ${cut} has no parameter encoder.layer2.1.conv2.weight`,
  );
  state.set("layers.2.bias", { shape: [159], data: new Float32Array(159) });
  const other = await write("other.tar", decaTar(state));
  assertStringIncludes(
    await refusal({ deca: other }),
    "159 numbers (layers.2.bias)",
  );
  const model = headModel();
  model.delete("posedirs");
  const bare = await write("bare.pkl", headPickle(model));
  assertStringIncludes(
    await refusal({ flame: bare }),
    `${bare} has no parameter posedirs`,
  );
  model.set("weights", { shape: [1, 24], data: new Float32Array(24) });
  const body = await write("body.pkl", headPickle(model));
  assertStringIncludes(await refusal({ flame: body }), `${body} has 24 joints`);
  await Deno.writeTextFile(folder.file("head_template.obj"), "no mesh");
  await Deno.writeTextFile(folder.file("uv_face_eye_mask.png"), "no picture");
  assertStringIncludes(await refusal({}), folder.file("head_template.obj"));
});

Deno.test("a mask that is no square picture is refused by name", async () => {
  await using folder = scratch();
  const path = folder.file("mask.png");
  await writePicture(path, { width: 4, height: 2, data: new Uint8Array(24) });
  const topology = parseTopology("v 0 0 0\nvt 0 0\nf 1/1 1/1 1/1", "x.obj");
  await assertRejects(() => readMapMask(path, topology), Error, "4x2 pixels");
  await Deno.writeTextFile(path, "no picture");
  await assertRejects(() => readMapMask(path, topology), Error, "mask.png");
});
