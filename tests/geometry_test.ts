/** The geometry of faces: cameras, the canonical mesh, head poses and crops. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  cameraAngles,
  cameraDifference,
  cameraFromAngles,
  cameraLabel,
  frontalCamera,
  interpolateCameras,
  lookAtCamera,
  project,
} from "../pipeline/face/camera.ts";
import { CANONICAL, MIRROR, POINTS } from "../pipeline/face/canonical.ts";
import { cropPicture, pasteCrop } from "../pipeline/face/crop.ts";
import {
  fitSimilarity,
  rotationFromVector,
  transformPoints,
} from "../pipeline/face/linear.ts";
import { fitCamera } from "../pipeline/face/pose.ts";
import { mouthOpening } from "../pipeline/transfer/facemesh/topology.ts";
import {
  assertNear,
  astronaut,
  correlation,
  mean,
  pixels,
  renders,
  uncovered,
} from "./support/geometry.ts";

Deno.test("look-at cameras are EG3D's", () => {
  const frontal = [1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, 2.7, 0, 0, 0, 1];
  assertNear(lookAtCamera(Math.PI / 2, Math.PI / 2), frontal, 1e-12);
  assertNear(frontalCamera(), frontal, 1e-12);
  const turned = [
    ...[0.9085, 0.0571, -0.4141, 1.0429],
    ...[0, -0.9906, -0.1365, 0.3438],
    ...[-0.4180, 0.1240, -0.9000, 2.4666],
    ...[0, 0, 0, 1],
  ];
  assertNear(lookAtCamera(Math.PI / 2 + 0.4, Math.PI / 2 - 0.2), turned, 6e-5);
});

Deno.test("the label is the camera followed by the intrinsics", () => {
  const label = cameraLabel(frontalCamera());
  assertEquals(label.length, 25);
  assertNear(label.slice(16), [4.2647, 0, 0.5, 0, 4.2647, 0.5, 0, 0, 1], 1e-6);
});

Deno.test("angles make cameras and cameras give their angles back", () => {
  for (
    const angles of [{ yaw: 20, pitch: -10, roll: 7 }, {
      yaw: -35,
      pitch: 12,
      roll: -20,
    }]
  ) {
    const camera = cameraFromAngles(angles);
    const back = cameraAngles(camera);
    assertAlmostEquals(back.yaw, angles.yaw, 1e-9);
    assertAlmostEquals(back.pitch, angles.pitch, 1e-9);
    assertAlmostEquals(back.roll, angles.roll, 1e-9);
    assertAlmostEquals(Math.hypot(camera[3], camera[7], camera[11]), 2.7, 1e-9);
    assertNear(project(camera, [0, 0, 0.2]).slice(0, 2), [0.5, 0.5], 1e-9);
  }
});

Deno.test("a camera half-way between two turns half the angle", () => {
  const a = cameraFromAngles({ yaw: -30, pitch: 5, roll: 0 });
  const b = cameraFromAngles({ yaw: 30, pitch: 5, roll: 4 });
  const half = interpolateCameras(a, b, 0.5);
  const whole = cameraDifference(a, b);
  assertAlmostEquals(cameraDifference(a, half), whole / 2, 1e-6);
  assertAlmostEquals(cameraDifference(half, b), whole / 2, 1e-6);
});

Deno.test("a similarity fit finds the similarity", () => {
  const truth = {
    scale: 1.7,
    rotation: rotationFromVector([0.4, -1.1, 0.3]),
    translation: [3, -2, 0.5] as const,
  };
  const moved = transformPoints(truth, CANONICAL);
  const found = fitSimilarity(CANONICAL, moved, [1, 33, 263, 152, 61, 10]);
  assertAlmostEquals(found.scale, truth.scale, 1e-9);
  assertNear(found.rotation, truth.rotation, 1e-9);
  assertNear(found.translation, truth.translation, 1e-9);
});

Deno.test("the canonical mesh stands where the generator's heads stand", () => {
  assertEquals(CANONICAL.length, 3 * POINTS);
  assert(MIRROR.every((other, i) => MIRROR[other] === i));
  const eye = (a: number, b: number) =>
    [0, 1, 2].map((k) => (CANONICAL[3 * a + k] + CANONICAL[3 * b + k]) / 2);
  const [rx, ry, rz] = eye(33, 133);
  const [lx] = eye(263, 362);
  const right = project(frontalCamera(), [rx, ry, rz]);
  assertAlmostEquals(right[1], 0.468, 0.012);
  assertAlmostEquals(
    project(frontalCamera(), [lx, ry, rz])[0] - right[0],
    0.22,
    0.012,
  );
});

Deno.test("a fit to the canonical mesh itself is exact", () => {
  const camera = cameraFromAngles({ yaw: 25, pitch: -8, roll: 6 });
  const seen = new Float64Array(3 * POINTS);
  for (let i = 0; i < POINTS; i++) {
    const [u, v, depth] = project(
      camera,
      [...CANONICAL.slice(3 * i, 3 * i + 3)] as [
        number,
        number,
        number,
      ],
    );
    seen.set(
      [100 + 400 * (u - 0.5), 150 + 400 * (v - 0.5), 600 * depth],
      3 * i,
    );
  }
  const fit = fitCamera(seen, { roll: "camera" });
  assert(cameraDifference(fit.cam2world, camera) < 1e-4);
  const { x, y, side } = fit.placement;
  assertNear([x, y, side], [100, 150, 400], 1e-3);
});

Deno.test("head poses of unseen heads are right within four degrees on average", () => {
  const turned = uncovered.filter(({ file }) => !file.endsWith("_0.png"));
  const errors = turned.map(({ points, cam2world }) =>
    cameraDifference(
      fitCamera(pixels(points, renders.unit), { roll: "camera" }).cam2world,
      cam2world,
    )
  );
  assertEquals(turned.length, 18);
  assert(
    mean(errors) < 4,
    `mean pose error ${mean(errors).toFixed(2)} degrees`,
  );
  assert(
    Math.max(...errors) < 8,
    `worst pose error ${Math.max(...errors).toFixed(2)} degrees`,
  );
});

Deno.test("frontal heads are found where they were rendered", () => {
  const placements = uncovered.filter(({ file }) => file.endsWith("_0.png"))
    .map(({ points }) => fitCamera(pixels(points, renders.unit)).placement);
  for (const { x, y, side } of placements) {
    assertNear([x / renders.size, y / renders.size], [0.5, 0.5], 0.04);
    assertAlmostEquals(side / renders.size, 1, 0.12); // heads differ in size
  }
  assertAlmostEquals(
    mean(placements.map(({ side }) => side)) / renders.size,
    1,
    0.03,
  );
});

Deno.test("mouth opening follows the truth", () => {
  const measured = uncovered.map(({ points }) =>
    mouthOpening(pixels(points, renders.unit))
  );
  const r = correlation(measured, uncovered.map(({ opening }) => opening));
  assert(r > 0.9, `correlation ${r.toFixed(3)}`);
});

Deno.test("crop and camera agree: the seen mesh falls on the landmarks", async () => {
  const { portrait } = await astronaut(256);
  const distances = [168, 6, 197, 195, 33, 133, 263, 362].map((i) => {
    const p: [number, number, number] = [
      CANONICAL[3 * i],
      CANONICAL[3 * i + 1],
      CANONICAL[3 * i + 2],
    ];
    const [u, v] = project(portrait.cam2world, p);
    return Math.hypot(
      256 * u - portrait.landmarks[3 * i],
      256 * v - portrait.landmarks[3 * i + 1],
    );
  });
  assert(
    mean(distances) < 3,
    `mean distance ${mean(distances).toFixed(2)} of 256 pixels`,
  );
  assertAlmostEquals(cameraAngles(portrait.cam2world).roll, 0, 1e-9);
});

Deno.test("a pasted crop leaves the picture as it was", async () => {
  const { picture, portrait } = await astronaut(388);
  const pasted = pasteCrop(picture, portrait.picture, portrait.placement);
  const differences = Array.from(
    pasted.data,
    (value, i) => (value - picture.data[i]) ** 2,
  );
  const psnr = 10 * Math.log10(255 ** 2 / mean(differences));
  assert(psnr > 38, `PSNR ${psnr.toFixed(1)} dB`);
});

Deno.test("a crop beyond the picture's edge continues it without black", () => {
  const data = new Uint8Array(3 * 16 * 16).fill(200);
  const out = cropPicture({ width: 16, height: 16, data }, {
    x: 0,
    y: 0,
    side: 64,
    angle: 0.3,
  }, 32);
  assert(out.data.every((value) => value === 200));
});
