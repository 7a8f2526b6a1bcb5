/** Expression transfer on the face mesh, and the motions that drive it. */
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { PantomimeError } from "../pipeline/errors.ts";
import { cameraDifference, cameraFromAngles } from "../pipeline/face/camera.ts";
import { CANONICAL } from "../pipeline/face/canonical.ts";
import {
  drivingCamera,
  type Motion,
  recordMotion,
} from "../pipeline/reenactment/motion.ts";
import {
  formatMotion,
  parseMotion,
  readMotion,
} from "../pipeline/reenactment/motion_file.ts";
import { smoothMotion } from "../pipeline/reenactment/smoothing.ts";
import { deform } from "../pipeline/transfer/facemesh/deform.ts";
import { rasterise } from "../pipeline/transfer/facemesh/reference.ts";
import type { SourceMesh } from "../pipeline/transfer/facemesh/source.ts";
import {
  EYES,
  LOWER_LIP,
  OUTER_RING,
  TEETH,
  TOPOLOGY,
  UPPER_LIP,
  VERTICES,
} from "../pipeline/transfer/facemesh/topology.ts";
import {
  assertNear,
  astronaut,
  BLINK,
  correlation,
  mean,
  SMILE,
  smilingMotion,
} from "./support/geometry.ts";

Deno.test("every inner edge of the mesh joins two triangles", () => {
  const edges = new Map<string, number>();
  for (let t = 0; t < TOPOLOGY.triangles.length; t += 3) {
    const corners = [...TOPOLOGY.triangles.subarray(t, t + 3)];
    assertEquals(new Set(corners).size, 3);
    corners.forEach((a, k) => {
      const edge = [a, corners[(k + 1) % 3]].sort((p, q) => p - q).join();
      edges.set(edge, (edges.get(edge) ?? 0) + 1);
    });
  }
  const open = [...edges].filter(([, count]) => count !== 2);
  assertEquals(open.length, 36);
  assert(
    open.every(([edge]) =>
      edge.split(",").every((i) => Number(i) >= OUTER_RING)
    ),
  );
  assertEquals(new Set(TOPOLOGY.triangles).size, VERTICES);
});

Deno.test("a resting frame leaves the portrait untouched", async () => {
  const { portrait, source } = await astronaut(192);
  const motion = smilingMotion();
  const vertices = deform(source, motion, motion.neutral);
  assertNear(vertices, Float32Array.from(source.vertices), 1e-4);
  const { edited, holeMask } = rasterise(portrait.picture, source, vertices);
  const changes = Array.from(
    edited.data,
    (value, i) => Math.abs(value - portrait.picture.data[i]),
  );
  const worst = Math.max(...changes);
  assert(worst <= 1, `a pixel changed by ${worst}`);
  assertEquals(holeMask.reduce((sum, value) => sum + value, 0), 0);
});

Deno.test("the resting frame is one at rest", () => {
  const motion = smilingMotion();
  const { mouthOpening: mouth, eyeOpenings: [eye] } =
    motion.frames[motion.neutral];
  assert(mouth < 0.04 && eye > 0.28, `mouth ${mouth}, eye ${eye}`);
});

Deno.test("a single picture is measured from the canonical face", () => {
  const smile = smilingMotion();
  const { points } = smile.frames[SMILE];
  const upsideDown = points.map((value, k) => k % 3 === 0 ? value : -value);
  const { frames: [frame], rest } = recordMotion([upsideDown], 1);
  assertEquals(rest.points, CANONICAL);
  assert(frame.mouthOpening > rest.mouthOpening + 0.05);
  assert(Math.abs(frame.angles.yaw) < 5, "the pose was already taken out");
});

Deno.test("a smile widens the mouth and opens a hole behind the teeth", async () => {
  const { portrait, source } = await astronaut(192);
  const vertices = deform(source, smilingMotion(), SMILE);
  const width = (v: ArrayLike<number>) => v[3 * 291] - v[3 * 61];
  assert(width(vertices) > 1.05 * width(source.vertices));
  const { edited, faceMask, holeMask } = rasterise(
    portrait.picture,
    source,
    vertices,
  );
  const hole = holeMask.reduce((sum, value) => sum + value, 0);
  assert(hole > 20 && hole < 400, `${hole} pixels of hole`);
  assert(holeMask.every((value, i) => value === 0 || faceMask[i] === 1));
  const corner = 3 * (191 * 192 + 191);
  assertEquals(
    edited.data.slice(corner, corner + 3),
    portrait.picture.data.slice(corner, corner + 3),
  );
});

function lidGap(source: SourceMesh, vertices: ArrayLike<number>): number {
  const [{ upper, lower }] = EYES;
  const gap = (v: ArrayLike<number>) =>
    mean([2, 3, 4].map((k) => v[3 * lower[k] + 1] - v[3 * upper[k] + 1]));
  return gap(vertices) / gap(source.vertices);
}

Deno.test("eyelids follow a blink or stay", async () => {
  const { source } = await astronaut(192);
  const motion = smilingMotion();
  assert(lidGap(source, deform(source, motion, BLINK)) < 0.3);
  const kept = lidGap(source, deform(source, motion, BLINK, { eyes: "keep" }));
  assertAlmostEquals(kept, 1, 0.02);
});

Deno.test("lips never pass through each other", async () => {
  const { source } = await astronaut(192);
  const motion = smilingMotion();
  // At rest the driver's mouth is shut; the opposite of a wide smile would turn it inside out.
  const vertices = deform(source, motion, SMILE, { expressionScale: -3 });
  for (let k = 1; k < UPPER_LIP[0].length - 1; k++) {
    const [upper, lower, teeth] = [
      UPPER_LIP[0][k],
      LOWER_LIP[0][k],
      TEETH + k - 1,
    ];
    assert(vertices[3 * lower + 1] >= vertices[3 * upper + 1] - 0.5);
    assert(vertices[3 * teeth + 1] <= vertices[3 * lower + 1] + 0.5);
  }
});

Deno.test("expression scale 0 is the portrait, 2 moves twice as far", async () => {
  const { source } = await astronaut(192);
  const motion = smilingMotion();
  const still = deform(source, motion, SMILE, { expressionScale: 0 });
  assertNear(still, Float32Array.from(source.vertices), 1e-4);
  const moved = (scale: number) =>
    deform(source, motion, SMILE, { expressionScale: scale })[3 * 50] -
    source.vertices[3 * 50];
  assertAlmostEquals(moved(2), 2 * moved(1), 1e-3);
});

Deno.test("a motion survives being written and read", () => {
  const motion = smilingMotion();
  const back = parseMotion(formatMotion(motion), "motion.json");
  assertEquals([back.fps, back.neutral, back.frames.length], [
    motion.fps,
    motion.neutral,
    15,
  ]);
  back.frames.forEach((frame, i) => {
    assertNear(frame.points, motion.frames[i].points, 1e-4);
    assertAlmostEquals(frame.angles.yaw, motion.frames[i].angles.yaw, 0.006);
  });
  assertEquals(formatMotion(back), formatMotion(motion));
});

Deno.test("what is no motion is refused in one sentence", () => {
  const good = JSON.parse(formatMotion(smilingMotion()));
  const cases: readonly (readonly [string, string])[] = [
    ["not json", "not a motion file"],
    ["[1, 2]", "not a motion file"],
    [JSON.stringify({ ...good, version: 9 }), "version is 9"],
    [JSON.stringify({ ...good, fps: 0 }), "frame rate"],
    [JSON.stringify({ ...good, frames: [] }), "no frames"],
    [JSON.stringify({ ...good, neutral: 99 }), "neutral frame"],
    [JSON.stringify({ ...good, rest: [1] }), "468 points"],
    [
      JSON.stringify({ ...good, neutral: 0, frames: [{ pose: [0, 0] }] }),
      "frame 0 is damaged",
    ],
  ];
  for (const [text, said] of cases) {
    const error = assertThrows(
      () => parseMotion(text, "x.json"),
      PantomimeError,
    );
    assertStringIncludes(error.message, said);
    assertStringIncludes(error.message, '"x.json"');
  }
});

Deno.test("the bundled motion speaks, blinks and turns", async () => {
  const url = new URL("../pipeline/assets/motion.json", import.meta.url);
  const { frames, neutral } = await readMotion(url.pathname);
  assert(frames.length >= 24);
  const range = (values: readonly number[]) =>
    Math.max(...values) - Math.min(...values);
  assert(range(frames.map((frame) => frame.mouthOpening)) > 0.2);
  assert(range(frames.map((frame) => frame.eyeOpenings[0])) > 0.12);
  assert(range(frames.map((frame) => frame.angles.yaw)) > 15);
  assert(frames[neutral].mouthOpening < 0.06);
});

Deno.test("smoothing calms a trembling face and keeps a quick one", () => {
  const still = smilingMotion().frames[0];
  let state = 7;
  const noise = () =>
    ((state = (state * 16807) % 2147483647) / 2147483647 - 0.5) * 0.002;
  const trembling: Motion = {
    fps: 25,
    neutral: 0,
    rest: still,
    frames: Array.from(
      { length: 40 },
      () => ({ ...still, points: still.points.map((v) => v + noise()) }),
    ),
  };
  const error = (motion: Motion) =>
    mean(
      motion.frames.map(({ points }) =>
        mean(Array.from(points, (v, i) => (v - still.points[i]) ** 2))
      ),
    );
  assert(error(smoothMotion(trembling)) < 0.35 * error(trembling));
  const moving = smilingMotion();
  const openings = (motion: Motion) =>
    motion.frames.map((frame) => frame.mouthOpening);
  assert(correlation(openings(smoothMotion(moving)), openings(moving)) > 0.98);
});

Deno.test("a driving camera is the performance's, or relative to rest on top of the portrait's", () => {
  const motion = smilingMotion();
  const source = { yaw: 30, pitch: 5, roll: 0 };
  const { angles } = motion.frames[SMILE];
  assert(
    cameraDifference(
      drivingCamera(motion, SMILE, source),
      cameraFromAngles(angles),
    ) < 1e-6,
  );
  const rest = drivingCamera(motion, motion.neutral, source, {
    pose: "relative",
  });
  assert(cameraDifference(rest, cameraFromAngles(source)) < 1e-6);
});
