/** The published crop from five points, and the framings that follow. */
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertThrows,
} from "@std/assert";
import {
  cameraCentre,
  cameraFromAngles,
  project,
} from "../pipeline/face/camera.ts";
import { CANONICAL } from "../pipeline/face/canonical.ts";
import { alignPortrait } from "../pipeline/face/crop.ts";
import {
  alignAs,
  cameraAs,
  placementUnder,
  publishedCamera,
} from "../pipeline/face/framing.ts";
import {
  fitWeakPerspective,
  type FivePoints,
  fivePoints,
  GAN_RESCALE,
  ganCrop,
  POSE_RESCALE,
  poseCrop,
  publishedCrop,
  publishedPlacement,
  REFERENCE_POINTS,
} from "../pipeline/face/pos.ts";
import type { Point } from "../pipeline/face/region.ts";
import { prepareSource } from "../pipeline/transfer/facemesh/source.ts";
import { assertNear, astronaut } from "./support/geometry.ts";
import { plain, sentenceOf } from "./support/media.ts";

/** The reference points seen frontally: `scale` pixels a unit, the origin at (x, y), y down. */
function seen(scale: number, x: number, y: number): FivePoints {
  return REFERENCE_POINTS.map(([a, b]): Point => [
    x + scale * a,
    y - scale * b,
  ]) as unknown as FivePoints;
}

Deno.test("least squares worked out by hand: two sightings of one point are averaged", () => {
  // The other three points have a free unknown each and fit exactly, so the origin, seen at (0, 0)
  // and (2, 4), comes out in the middle: t = (1, 2), R1 = (3, 0, 4), R2 = (0, 5, 12).
  const head = [[0, 0, 0], [0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]] as const;
  const points: Point[] = [[0, 0], [2, 4], [4, 2], [1, 7], [5, 14]];
  const { scale, translation } = fitWeakPerspective(points, head);
  assertNear(translation, [1, 2], 1e-12);
  assertAlmostEquals(scale, (5 + 13) / 2, 1e-12);
});

Deno.test("of points that do not fit, the sum of squares is the smallest", () => {
  // Five points, four unknowns an axis: the left-over is along the one direction n that is
  // orthogonal to the columns (X, Y, Z, 1), so that b - n (n . b) / (n . n) fits exactly.
  const head = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]] as const;
  const n = [2, -1, -1, -1, 1];
  const points: Point[] = [[8, 0], [0, 0], [0, 0], [0, 0], [0, 8]];
  const { scale, translation } = fitWeakPerspective(points, head);
  // x: b = (8,0,0,0,0) - 2 n = (4,2,2,2,-2); t = 4, R1 = (-2,-2,-2)
  // y: b = (0,0,0,0,8) - n = (-2,1,1,1,7); t = -2, R2 = (3,3,3)
  assertEquals(n.reduce((sum, v, k) => sum + v * points[k][0], 0) / 8, 2);
  assertEquals(n.reduce((sum, v, k) => sum + v * points[k][1], 0) / 8, 1);
  assertNear(translation, [4, -2], 1e-12);
  assertAlmostEquals(
    scale,
    (Math.hypot(2, 2, 2) + Math.hypot(3, 3, 3)) / 2,
    1e-12,
  );
});

Deno.test("too few points are refused", () => {
  assertThrows(() => fitWeakPerspective([[0, 0]], [[0, 0, 0]]), RangeError);
});

Deno.test("the published crop scales the head to 300 and 466.285 pixels and centres its origin", () => {
  // y is turned over as H - 1 - y and the crop's row counts from H: the centre is a pixel lower.
  for (const rescale of [GAN_RESCALE, POSE_RESCALE]) {
    const s = rescale / 100;
    const crop = publishedCrop(400, 300, seen(100, 180, 140), rescale);
    assertEquals([crop.width, crop.height], [
      Math.trunc(400 * s),
      Math.trunc(300 * s),
    ]);
    assertAlmostEquals(crop.left, 180 * s - 512, 1.01);
    assertAlmostEquals(crop.top, 141 * s - 512, 1.01);
    assertEquals(crop.side, 1024);
  }
});

Deno.test("the generator's crop keeps the middle 700 of 1024 pixels", () => {
  const { x, y, side, angle } = publishedPlacement(
    400,
    300,
    seen(100, 180, 140),
  );
  assertAlmostEquals(side, 700 / 3, 1e-9);
  assertAlmostEquals(x, 180, 0.34);
  assertAlmostEquals(y, 141, 0.34);
  assertEquals(angle, 0);
});

Deno.test("both crops show the head's origin in their middle and black beyond the picture", async () => {
  const picture = plain(160, 120, 40, 90, 160);
  const spot = (60 * 160 + 80) * 3;
  for (let dy = -4; dy <= 4; dy++) {
    for (let dx = -4; dx <= 4; dx++) {
      picture.data.fill(
        250,
        spot + 3 * (160 * dy + dx),
        spot + 3 * (160 * dy + dx) + 3,
      );
    }
  }
  const points = seen(90, 80.5, 59.5);
  for (
    const [crop, side] of [
      [await ganCrop(picture, points), 512],
      [await poseCrop(picture, points), 224],
    ] as const
  ) {
    assertEquals([crop.width, crop.height], [side, side]);
    const at = (
      x: number,
      y: number,
    ) => [...crop.data.subarray(3 * (y * side + x), 3 * (y * side + x) + 3)];
    assertEquals(at(side / 2, side / 2), [250, 250, 250]);
    assertEquals(at(0, 0), [0, 0, 0]);
    assertEquals(at(side - 1, side - 1), [0, 0, 0]);
    assertNear(at(Math.round(side * 0.6), side / 2), [40, 90, 160], 2);
  }
});

Deno.test("a face that would have to be enlarged without end is refused", async () => {
  const message = await sentenceOf(() =>
    ganCrop(plain(400, 400, 9), seen(1, 200, 200))
  );
  assert(message.includes("120000x120000"), message);
});

Deno.test("the frontal camera of the published crop looks at the head's origin from 2.7", () => {
  const camera = publishedCamera({ yaw: 0, pitch: 0, roll: 0 });
  // (0, 0.006, 0.161) + 2.7 backwards, scaled to 2.7
  const length = Math.hypot(0.006, 2.861);
  assertNear(cameraCentre(camera), [
    0,
    2.7 * 0.006 / length,
    2.7 * 2.861 / length,
  ], 1e-9);
});

Deno.test("placement under a camera finds the crop that the canonical head was put into", () => {
  const camera = cameraFromAngles({ yaw: 14, pitch: -6, roll: 3 });
  const points = Float64Array.from(CANONICAL);
  for (let i = 0; i < points.length; i += 3) {
    const [u, v] = project(camera, [
      CANONICAL[i],
      CANONICAL[i + 1],
      CANONICAL[i + 2],
    ]);
    points[i] = 259 + 580 * (u - 0.5);
    points[i + 1] = 225 + 580 * (v - 0.5);
  }
  const { x, y, side, angle } = placementUnder(camera, points);
  assertNear([x, y, side, angle], [259, 225, 580, 0], 1e-6);
});

Deno.test("the mannequin takes the rotation of a camera and aims it, others take it as it is", () => {
  const camera = publishedCamera({ yaw: 20, pitch: 8, roll: -4 });
  assertEquals(cameraAs("published", camera), camera);
  const aimed = cameraFromAngles({ yaw: 20, pitch: 8, roll: -4 });
  assertNear(cameraAs("mannequin", camera), aimed, 1e-9);
});

Deno.test("in the published framing the head is larger and moves by as much more", async () => {
  const { picture, portrait, source } = await astronaut(128);
  const { x, y, side } = portrait.placement;
  const back = Float64Array.from(portrait.landmarks);
  const [c, s] = [
    Math.cos(portrait.placement.angle),
    Math.sin(portrait.placement.angle),
  ];
  for (let i = 0; i < back.length; i += 3) {
    const [u, v] = [
      (portrait.landmarks[i] / 128 - 0.5) * side,
      (portrait.landmarks[i + 1] / 128 - 0.5) * side,
    ];
    back[i] = x + c * u - s * v;
    back[i + 1] = y + s * u + c * v;
    back[i + 2] = portrait.landmarks[i + 2] * side / 128;
  }
  const published = alignAs("published", picture, back, 128);
  const scale = published.headScale!;
  assert(scale > 1.1 && scale < 1.4, `${scale}`);
  const eyes = (points: Float64Array) => {
    const [a, b] = fivePoints(points);
    return Math.hypot(a[0] - b[0], a[1] - b[1]);
  };
  assertAlmostEquals(
    eyes(published.landmarks) / eyes(portrait.landmarks),
    scale,
    0.01,
  );
  assertAlmostEquals(
    prepareSource(published).pixelsPerUnit / source.pixelsPerUnit,
    scale,
    0.02,
  );
  // the reference's eyes are 0.62 units apart, 300 pixels a unit, 700 the crop
  assertAlmostEquals(eyes(published.landmarks) / 128, 0.62 * 300 / 700, 0.04);
  assertEquals(alignPortrait(picture, back, 64).headScale, undefined);
});
