/** @file Finding, following and describing faces: a real photograph, and renders whose truth is known. */
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
} from "@std/assert";
import { findFace, findFaces } from "../pipeline/face/find.ts";
import {
  type FaceLandmarks,
  landmark,
  regionOfLandmarks,
} from "../pipeline/face/landmarks.ts";
import {
  fromRegion,
  regionAround,
  sampleRegion,
  toRegion,
} from "../pipeline/face/region.ts";
import { trackFace } from "../pipeline/face/track.ts";
import { PantomimeError } from "../pipeline/errors.ts";
import { type Picture, readPicture } from "../pipeline/media/picture.ts";
import {
  FACE,
  pasted,
  project,
  RENDERS,
  renders,
  test,
  view,
} from "./support/faces.ts";

Deno.test("regions map to the picture and back", () => {
  const region = { x: 30, y: 50, side: 20, angle: 0.7 };
  const [x, y] = fromRegion(region, 0.2, 0.9);
  const [u, v] = toRegion(region, [x, y]);
  assertAlmostEquals(u, 0.2);
  assertAlmostEquals(v, 0.9);
  // Clockwise on the screen: the upper edge goes down to the right.
  const [right, down] = fromRegion(region, 1, 0.5);
  assert(right > 30 && down > 50);
  const around = regionAround(
    [fromRegion(region, 0, 0), fromRegion(region, 1, 1)],
    0.7,
    1,
  );
  for (const key of ["x", "y", "side", "angle"] as const) {
    assertAlmostEquals(around[key], region[key]);
  }
});

Deno.test("sampling a region at its own size copies its pixels", () => {
  const data = Uint8Array.from({ length: 8 * 6 * 3 }, (_, k) => (k * 37) % 251);
  const picture = { width: 8, height: 6, data };
  const planes = sampleRegion(picture, { x: 5, y: 3, side: 4, angle: 0 }, 4);
  for (let row = 0; row < 4; row++) {
    for (let column = 0; column < 4; column++) {
      const from = 3 * ((row + 1) * 8 + column + 3);
      for (let c = 0; c < 3; c++) {
        assertAlmostEquals(
          planes[16 * c + 4 * row + column],
          data[from + c],
          1e-3,
        );
      }
    }
  }
});

Deno.test("sampling repeats the border or shows black beyond it, as asked", () => {
  const picture = { width: 2, height: 2, data: new Uint8Array(12).fill(100) };
  const region = { x: 1, y: 1, side: 8, angle: 0 };
  assert(
    sampleRegion(picture, region, 8).every((v) => Math.abs(v - 100) < 1e-3),
  );
  const black = sampleRegion(picture, region, 8, "black");
  assertEquals([black[0], Math.round(black[8 * 3 + 3])], [0, 100]);
});

Deno.test("sampling a fine pattern coarsely gives its mean, not an alias", () => {
  const data = new Uint8Array(256 * 256 * 3);
  for (let y = 0; y < 256; y++) {
    for (let x = 0; x < 256; x++) {
      data.fill((x + y) % 2 * 200, 3 * (256 * y + x), 3 * (256 * y + x) + 3);
    }
  }
  const planes = sampleRegion({ width: 256, height: 256, data }, {
    x: 128,
    y: 128,
    side: 251,
    angle: 0.1,
  }, 32);
  for (let k = 0; k < 1024; k++) {
    assert(Math.abs(planes[k] - 100) < 12, `${planes[k]}`);
  }
});

test("the astronaut's face is found where it is, with its key points in place", async ({ detector, astronaut }) => {
  const faces = await detector.detect(astronaut);
  assertEquals(faces.length, 1);
  const [face] = faces;
  assert(Math.hypot(face.x - 225, face.y - 126) < 10, `${face.x}, ${face.y}`);
  assert(face.side > 85 && face.side < 125 && face.score > 0.8);
  const [right, left, nose, mouth] = face.keypoints;
  assert(
    right[0] < nose[0] && nose[0] < left[0] && right[1] < nose[1] &&
      nose[1] < mouth[1],
  );
});

test("faces are found small, filling the picture, lying and upside down", async ({ detector, astronaut }) => {
  const whole = { x: 256, y: 256, side: 512, angle: 0 };
  const cases: [string, Picture, number, number, number][] = [
    [
      "small",
      pasted([[view(astronaut, whole, 128), 500, 200]], 800, 600),
      556,
      231,
      26,
    ],
    [
      "filling",
      view(astronaut, { x: 225, y: 128, side: 110, angle: 0 }, 400),
      200,
      195,
      390,
    ],
    [
      "lying",
      view(astronaut, { ...whole, angle: Math.PI / 2 }, 512),
      126,
      287,
      100,
    ],
    [
      "upside down",
      view(astronaut, { ...whole, angle: Math.PI }, 512),
      287,
      386,
      100,
    ],
  ];
  for (const [what, picture, x, y, side] of cases) {
    const [face] = await detector.detect(picture);
    assert(face, what);
    const off = Math.hypot(face.x - x, face.y - y);
    assert(off < 0.25 * side, `${what}: ${face.x}, ${face.y}`);
    assert(Math.abs(Math.log(face.side / side)) < 0.4, `${what}: ${face.side}`);
  }
});

test("the larger of two faces comes first, and either can be chosen", async (studio) => {
  const face = (size: number) =>
    view(studio.astronaut, { x: 225, y: 140, side: 260, angle: 0 }, size);
  const picture = pasted([[face(180), 20, 60], [face(280), 260, 10]], 560, 300);
  const faces = await findFaces(studio, picture);
  assertEquals(faces.length, 2);
  assert(
    faces[0].detected.side > faces[1].detected.side &&
      faces[0].detected.x > 260,
  );
  const { count, detected } = await findFace(studio, picture, "two.png", 2);
  assert(count === 2 && detected.x < 260);
  await assertRejects(
    () => findFace(studio, picture, "two.png", 3),
    PantomimeError,
    'only 2 faces in "two.png", no face 3',
  );
});

test("a picture without a face has none", async (studio) => {
  // The space shuttle, and the suit.
  for (
    const region of [{ x: 420, y: 100, side: 160, angle: 0 }, {
      x: 200,
      y: 400,
      side: 220,
      angle: 0,
    }]
  ) {
    const picture = view(studio.astronaut, region, 120);
    assertEquals(await findFaces(studio, picture), []);
  }
  const blank = {
    width: 64,
    height: 64,
    data: new Uint8Array(3 * 64 * 64).fill(90),
  };
  await assertRejects(
    () => findFace(studio, blank, "blank.png"),
    PantomimeError,
    'No face was found in "blank.png"',
  );
});

/** FaceMesh points beside iBUG ones that mean the same: eye corners, nose tip, mouth corners, lips, chin. */
const SAME_POINTS: [mesh: number, ibug: number][] = [
  [33, 36],
  [133, 39],
  [362, 42],
  [263, 45],
  [1, 30],
  [61, 48],
  [291, 54],
  [0, 51],
  [17, 57],
  [152, 8],
];

for (const render of renders) {
  test(`the mesh of ${render.file} lies on the head that was rendered`, async (studio) => {
    const picture = await readPicture(RENDERS + render.file);
    const { landmarks: { points, presence } } = await findFace(
      studio,
      picture,
      render.file,
    );
    assert(presence > 0.9);
    const truth = project(render);
    const eyes = Math.hypot(
      truth[45][0] - truth[36][0],
      truth[45][1] - truth[36][1],
    );
    const errors = SAME_POINTS.map(([mesh, ibug]) => {
      const [x, y] = landmark(points, mesh);
      return Math.hypot(x - truth[ibug][0], y - truth[ibug][1]) / eyes;
    });
    const average = errors.reduce((sum, e) => sum + e, 0) / errors.length;
    assert(average < 0.08, `${average}: ${errors.map((e) => e.toFixed(3))}`);
  });
}

test("the mesh turns with the picture, depths and all", async ({ landmarks, astronaut }) => {
  const upright = await landmarks.find(astronaut, FACE, 4);
  const centre = { x: 225, y: 126, side: 240, angle: -0.8 };
  const turned = view(astronaut, centre, 480);
  const start = { x: 240, y: 240, side: 320, angle: 0.85 };
  const found = await landmarks.find(turned, start, 4);
  let [flat, deep] = [0, 0];
  for (let k = 0; k < 468; k++) {
    const [u, v] = toRegion(centre, landmark(upright.points, k));
    const [x, y] = landmark(found.points, k);
    flat += Math.hypot(x - 480 * u, y - 480 * v) / 468;
    deep += Math.abs(found.points[3 * k + 2] - 2 * upright.points[3 * k + 2]) /
      468;
  }
  const extent = 2 * upright.region.side / 1.5;
  assert(
    flat < 0.01 * extent && deep < 0.02 * extent,
    `${flat} and ${deep} of ${extent}`,
  );
  assertAlmostEquals(
    regionOfLandmarks(found.points).angle,
    regionOfLandmarks(upright.points).angle + 0.8,
    0.05,
  );
});

test("a face is followed over frames, lost, and found again", async (studio) => {
  const frame = (k: number) =>
    view(studio.astronaut, {
      x: 225 + 8 * k,
      y: 150 - 5 * k,
      side: 300,
      angle: 0.04 * k,
    }, 300);
  const blank = {
    width: 300,
    height: 300,
    data: new Uint8Array(270000).fill(90),
  };
  const frames = [frame(0), frame(1), frame(2), blank, frame(-3)];
  const meshes: (FaceLandmarks | null)[] = [];
  for await (const mesh of trackFace(studio, frames)) {
    meshes.push(mesh);
  }
  assertEquals(meshes.map((mesh) => mesh !== null), [
    true,
    true,
    true,
    false,
    true,
  ]);
  const nose = (k: number) => landmark(meshes[k]!.points, 1);
  const [first] = nose(0), [second] = nose(1);
  assertAlmostEquals(second - first, -8, 3);
});
