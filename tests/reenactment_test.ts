/** Stage E: masks that follow the camera, composites, new motions for known faces, excerpts. */
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
} from "@std/assert";
import { openDevice } from "../engine/mod.ts";
import { silentContext } from "../pipeline/context.ts";
import { PantomimeError } from "../pipeline/errors.ts";
import {
  type Cam2World,
  cameraAngles,
  cameraCentre,
  cameraDifference,
  cameraFromAngles,
  cameraRotation,
  FOCAL,
  frontalCamera,
  project,
} from "../pipeline/face/camera.ts";
import { publishedCamera } from "../pipeline/face/framing.ts";
import { apply, dot, normalise, type Vec3 } from "../pipeline/face/linear.ts";
import { fitCamera } from "../pipeline/face/pose.ts";
import { regionOfLandmarks } from "../pipeline/face/landmarks.ts";
import { regionAround } from "../pipeline/face/region.ts";
import { readPicture, writePicture } from "../pipeline/media/picture.ts";
import { blendLatents } from "../pipeline/reenactment/blend.ts";
import {
  composite,
  convexHull,
  liftMask,
  projectMask,
} from "../pipeline/reenactment/composite.ts";
import type { Motion } from "../pipeline/reenactment/motion.ts";
import { writeMotion } from "../pipeline/reenactment/motion_file.ts";
import {
  loadPerformance,
  smoothed,
} from "../pipeline/reenactment/performance.ts";
import { smoothMotion } from "../pipeline/reenactment/smoothing.ts";
import { renderFrames } from "../pipeline/reenactment/render.ts";
import { camerasOf } from "../pipeline/show_avatar.ts";
import { mouthOpening } from "../pipeline/transfer/facemesh/topology.ts";
import {
  project as projectLandmarks,
  RENDERS,
  renders,
  test,
} from "./support/faces.ts";
import {
  assertNear,
  BLINK,
  correlation,
  mean,
  SMILE,
  smilingMotion,
} from "./support/geometry.ts";
import { smallGenerator, TINY } from "./support/generator.ts";
import { relativeDistance } from "./support/golden_mannequin.ts";
import { plain, scratch, sentenceOf } from "./support/media.ts";

// The mask

const SIDE = 96;

/** A ball where the head is. */
const CENTRE: Vec3 = [0.02, -0.03, 0.15], RADIUS = 0.22;

/** Direction of the ray through the middle of a pixel. */
function rayOf(camera: Cam2World, x: number, y: number, side: number): Vec3 {
  return normalise(
    apply(cameraRotation(camera), [
      ((x + 0.5) / side - 0.5) / FOCAL,
      ((y + 0.5) / side - 0.5) / FOCAL,
      1,
    ]),
  );
}

/** Distance along each ray to the ball, 3 beside it, and where it was hit. */
function seeBall(
  camera: Cam2World,
  side: number,
): { depth: Float32Array; hit: Float32Array } {
  const origin = cameraCentre(camera);
  const from = origin.map((v, k) => v - CENTRE[k]) as unknown as Vec3;
  const depth = new Float32Array(side * side).fill(3), hit = depth.map(() => 0);
  for (let k = 0; k < depth.length; k++) {
    const along = dot(
      rayOf(camera, k % side, Math.floor(k / side), side),
      from,
    );
    const inside = along * along - dot(from, from) + RADIUS * RADIUS;
    if (inside < 0) continue;
    hit[k] = 1;
    depth[k] = -along - Math.sqrt(inside);
  }
  return { depth, hit };
}

/** The upper right part of the ball, so that left, right, up and down differ. */
function patch(hit: Float32Array, side: number): Float32Array {
  return hit.map((v, k) => {
    const [x, y] = [k % side / side, Math.floor(k / side) / side];
    return v === 1 && x > 0.5 && x < 0.72 && y > 0.3 && y < 0.5 ? 1 : 0;
  });
}

Deno.test("a lifted mask lies on the head, each point behind its pixel", () => {
  for (const angles of [[0, 0, 0], [18, -9, 5]]) {
    const [yaw, pitch, roll] = angles;
    const camera = cameraFromAngles({ yaw, pitch, roll });
    const { depth, hit } = seeBall(camera, SIDE);
    const points = liftMask(hit, SIDE, depth, SIDE, camera);
    const pixels = [...hit.keys()].filter((k) => hit[k] === 1);
    assertEquals(points.length, pixels.length);
    points.forEach((p, i) => {
      const off = Math.hypot(...p.map((v, k) => v - CENTRE[k]));
      assertAlmostEquals(off, RADIUS, 1e-5);
      const [u, v] = project(camera, p), k = pixels[i];
      assertAlmostEquals(u * SIDE, k % SIDE + 0.5, 1e-3);
      assertAlmostEquals(v * SIDE, Math.floor(k / SIDE) + 0.5, 1e-3);
    });
  }
});

Deno.test("a mask of another size than the distances takes the nearest one", () => {
  const camera = frontalCamera();
  const { depth } = seeBall(camera, SIDE / 2);
  const { hit } = seeBall(camera, SIDE);
  const points = liftMask(patch(hit, SIDE), SIDE, depth, SIDE / 2, camera);
  for (const p of points) {
    const off = Math.hypot(...p.map((v, k) => v - CENTRE[k]));
    assertAlmostEquals(off, RADIUS, 0.02);
  }
});

Deno.test("seen from the source camera the projected mask covers the mask", () => {
  const camera = cameraFromAngles({ yaw: 10, pitch: 5, roll: 0 });
  const { depth, hit } = seeBall(camera, SIDE);
  const mask = patch(hit, SIDE);
  const seen = projectMask(
    liftMask(mask, SIDE, depth, SIDE, camera),
    camera,
    SIDE,
  );
  let outside = 0;
  mask.forEach((v, k) => {
    if (v === 1) assert(seen[k] > 0.2, `pixel ${k}: ${seen[k]}`);
    else outside += seen[k] > 0.5 ? 1 : 0;
  });
  // a convex region gains nothing but half a pixel of feather
  const area = mask.reduce((a, b) => a + b);
  assert(outside < 0.1 * area, `${outside} of ${area}`);
  const middle = Math.round(0.4 * SIDE) * SIDE + Math.round(0.6 * SIDE);
  assertAlmostEquals(seen[middle], 1, 1e-3);
});

/** Mean place of a mask, in widths of the picture. */
function centroid(mask: Float32Array, side: number): [number, number] {
  let [sum, x, y] = [0, 0, 0];
  mask.forEach((v, k) => {
    sum += v;
    x += v * (k % side + 0.5) / side;
    y += v * (Math.floor(k / side) + 0.5) / side;
  });
  return [x / sum, y / sum];
}

Deno.test("the feather of a mask is the published kernel: 15 pixels, sigma 7, of 512", () => {
  const camera = frontalCamera(), side = 512;
  // at this distance from the camera a picture is 2.5 / FOCAL wide
  const at = (u: number, v: number): Vec3 => [
    (u - 0.5) * 2.5 / FOCAL,
    (0.5 - v) * 2.5 / FOCAL,
    0.2,
  ];
  const corners = [[0.25, 0.25], [0.5, 0.25], [0.5, 0.75], [0.25, 0.75]];
  const seen = projectMask(corners.map(([u, v]) => at(u, v)), camera, side);
  const taps = Array.from(
    { length: 15 },
    (_, k) => Math.exp(-((k - 7) ** 2) / 98),
  );
  const total = taps.reduce((a, b) => a + b);
  // the region ends behind column 255
  for (let x = 245; x < 267; x++) {
    const inside = taps.filter((_, k) => x + k - 7 <= 255);
    const wanted = inside.reduce((a, b) => a + b, 0) / total;
    assertAlmostEquals(seen[256 * side + x], wanted, 1e-6, `column ${x}`);
  }
});

Deno.test("the mask turns with the head, to the side to which the head turns", () => {
  const source = frontalCamera();
  const { depth, hit } = seeBall(source, SIDE);
  const mask = patch(hit, SIDE);
  const points = liftMask(mask, SIDE, depth, SIDE, source);
  const start = centroid(mask, SIDE);
  // a camera to the right of the head sees its front move to the left, one above sees it go down
  const ways = [
    [20, 0, -1, 0],
    [-20, 0, 1, 0],
    [0, 20, 0, 1],
    [0, -20, 0, -1],
  ];
  for (const [yaw, pitch, dx, dy] of ways) {
    const camera = cameraFromAngles({ yaw, pitch, roll: 0 });
    const seen = projectMask(points, camera, SIDE);
    const [x, y] = centroid(seen, SIDE);
    const moved = [x - start[0], y - start[1]];
    const along = dx * moved[0] + dy * moved[1];
    const there = points.map((p) => project(camera, p));
    const truth = [0, 1].map((axis) => mean(there.map((p) => p[axis])));
    assert(along > 0.04, `${yaw}, ${pitch}: ${moved}`);
    assertAlmostEquals(x, truth[0], 0.01);
    assertAlmostEquals(y, truth[1], 0.01);
    // every true point of the patch is inside what was drawn
    for (const p of points) {
      const [u, v] = project(camera, p);
      const k = Math.floor(v * SIDE) * SIDE + Math.floor(u * SIDE);
      assert(seen[k] > 0.05, `${yaw}, ${pitch}: ${u}, ${v} is left out`);
    }
  }
});

Deno.test("a mask without pixels, or out of sight, leaves the background", () => {
  assert(projectMask([], frontalCamera(), 16).every((v) => v === 0));
  const aside: Vec3[] = [[3, 0, 0], [3, 0.1, 0], [3.1, 0, 0]];
  assert(projectMask(aside, frontalCamera(), 16).every((v) => v === 0));
});

Deno.test("a convex hull has the outer points in order, and no others", () => {
  const corners = [[0, 0], [4, 0], [4, 3], [0, 3]] as [number, number][];
  const inner = [[1, 1], [2, 2], [3, 1], [2, 0], [4, 1.5]] as [
    number,
    number,
  ][];
  const hull = convexHull([...inner, ...corners, corners[2]]);
  assertEquals(hull.length, 4);
  for (const corner of corners) {
    assert(hull.some(([x, y]) => x === corner[0] && y === corner[1]));
  }
  const area = hull.reduce((sum, [x, y], k) => {
    const [x1, y1] = hull[(k + 1) % hull.length];
    return sum + (x * y1 - x1 * y) / 2;
  }, 0);
  assertAlmostEquals(Math.abs(area), 12, 1e-12);
  assertEquals(convexHull([[1, 2]]), [[1, 2]]);
  assertEquals(convexHull([]), []);
});

Deno.test("a composite shows the foreground where the mask is, for every colour", () => {
  const foreground = Float32Array.of(1, 2, 3, 4, 5, 6);
  const background = foreground.map((v) => -v);
  const out = composite(foreground, background, Float32Array.of(1, 0.25));
  assertEquals([...out], [1, -1, 3, -2, 5, -3]);
});

// Cameras

Deno.test("a published generator's head stays in the middle when it turns and when the camera swings", () => {
  const angles = { yaw: 30, pitch: -10, roll: 4 };
  const motion = smilingMotion();
  const turning: Motion = {
    ...motion,
    frames: motion.frames.map((frame) => ({ ...frame, angles })),
  };
  const still = { pose: "driving", poseScale: 1, orbit: 0 } as const;
  const swinging = { ...still, pose: "source", orbit: 25 } as const;
  const source = publishedCamera(angles);
  const known = { framing: "published", source } as const;
  for (const camera of camerasOf(still, turning, known)) {
    assertNear(camera, source, 1e-9);
  }
  const orbit = camerasOf(swinging, turning, known);
  assertNear(orbit[0], source, 1e-9);
  const yaws = orbit.map((camera) => cameraAngles(camera).yaw);
  assert(Math.max(...yaws) - Math.min(...yaws) > 40, `${yaws}`);
  for (const camera of orbit) {
    const [u, v] = project(camera, [0, 0.006, 0.161]);
    assert(Math.hypot(u - 0.5, v - 0.5) < 0.01, `${u}, ${v}`);
  }
});

Deno.test("the mannequin's cameras are aimed at one point, and given ones are followed", () => {
  const motion = smilingMotion();
  const source = cameraFromAngles({ yaw: 12, pitch: 3, roll: 0 });
  const still = { pose: "driving", poseScale: 1, orbit: 0 } as const;
  const given = motion.frames.map((_, k) =>
    publishedCamera({ yaw: 2 * k, pitch: 0, roll: 0 })
  );
  const cameras = [
    camerasOf(still, motion, { framing: "mannequin", source }),
    camerasOf(still, motion, { framing: "mannequin", source, given }),
    camerasOf({ ...still, orbit: 20 }, motion, {
      framing: "mannequin",
      source,
    }),
  ].flat();
  for (const camera of cameras) {
    assertNear(project(camera, [0, 0, 0.2]).slice(0, 2), [0.5, 0.5], 1e-9);
  }
  const known = { framing: "published", source, given } as const;
  assertEquals(camerasOf(still, motion, known), given);
});

// New motions

/** w that tell the frames of a motion apart. */
function madeUpLatents(count: number): Float32Array[] {
  return Array.from(
    { length: count },
    (_, k) => Float32Array.from({ length: 8 }, (_, i) => Math.sin(3 * k + i)),
  );
}

Deno.test("a face that the avatar knows gets its own w, and a resting one the portrait's", () => {
  const motion = smilingMotion();
  const ws = madeUpLatents(motion.frames.length);
  const source = new Float32Array(8).fill(2);
  const resting = { ...motion.frames[0], ...motion.rest };
  const wanted = { ...motion, frames: [...motion.frames, resting] };
  const blended = blendLatents(motion, ws, source, wanted);
  const rest = blended.pop()!;
  blended.forEach((w, k) => {
    // the neutral frame is at rest: there the portrait itself will do as well
    if (k !== motion.neutral) assert(relativeDistance(w, ws[k]) < 1e-6);
  });
  const near = [source, ws[motion.neutral]].map((w) =>
    relativeDistance(rest, w)
  );
  assert(Math.min(...near) < 1e-6);
});

Deno.test("a new face gets the mixture of known ones that looks most like it", () => {
  const motion = smilingMotion();
  const [a, b] = [motion.frames[SMILE], motion.frames[BLINK]];
  const between = a.points.map((v, k) => 0.7 * v + 0.3 * b.points[k]);
  const ws = motion.frames.map((_, k) => {
    const w = new Float32Array(motion.frames.length);
    w[k] = 1;
    return w;
  });
  const [w] = blendLatents(motion, ws, new Float32Array(ws.length), {
    ...motion,
    frames: [{ ...a, points: between }],
  });
  assertAlmostEquals(w[SMILE], 0.7, 1e-3);
  assertAlmostEquals(w[BLINK], 0.3, 1e-3);
});

Deno.test("half an expression gets a w half way", () => {
  const motion = smilingMotion();
  const smile = motion.frames[SMILE];
  const half = smile.points.map((v, k) => (v + motion.rest.points[k]) / 2);
  const known: Motion = { ...motion, frames: [smile] };
  const wanted: Motion = { ...motion, frames: [{ ...smile, points: half }] };
  const [w] = blendLatents(
    known,
    [Float32Array.of(1, 5)],
    Float32Array.of(0, -1),
    wanted,
  );
  assertAlmostEquals(w[0], 0.5, 1e-3);
  assertAlmostEquals(w[1], 2, 1e-2);
});

Deno.test("whatever the motion, a blended w stays between the known ones", () => {
  const motion = smilingMotion();
  const ws = motion.frames.map((_, k) => Float32Array.of(k, 1));
  const wild: Motion = {
    ...motion,
    frames: motion.frames.map((frame) => ({
      ...frame,
      points: frame.points.map((v, k) =>
        motion.rest.points[k] + 3 * (v - motion.rest.points[k])
      ),
    })),
  };
  const blended = blendLatents(motion, ws, Float32Array.of(0, 1), wild);
  assertEquals(blended.length, motion.frames.length);
  for (const [first, one] of blended) {
    assert(first >= -1e-4 && first <= ws.length - 1 + 1e-4, `${first}`);
    assertAlmostEquals(one, 1, 1e-5);
  }
});

// Frames

Deno.test("frames come in order, each at its camera, and stop when they are told to", async () => {
  using device = await openDevice();
  const generator = await smallGenerator(device, TINY);
  const average = await generator.state.get("backbone.mapping.w_avg")!.data();
  const ws = [average, average.map((v) => 0.7 * v)];
  const side = TINY.side;
  const head = { generator, ws, sourceCamera: frontalCamera() };
  const all = new Float32Array(side * side).fill(1), none = all.map(() => 0);
  const cameras = [0, 0, 25].map((yaw) =>
    cameraFromAngles({ yaw, pitch: 0, roll: 0 })
  );
  const show = async (faceMask: Float32Array, stopAfter = 9) => {
    const stop = new AbortController();
    const pictures: Float32Array[] = [];
    const onFrame = (k: number, picture: Float32Array) => {
      assertEquals(k, pictures.length);
      if (pictures.push(picture) === stopAfter) stop.abort();
    };
    const options = { sampleFactor: 1, onFrame, signal: stop.signal };
    await renderFrames(device, { ...head, faceMask }, cameras, options).catch(
      (error) => assertEquals(error.name, "AbortError"),
    );
    return pictures;
  };
  const bare = await show(none);
  assertEquals(bare.length, 3);
  // without a face to show, the second frame is the first one's head from the same camera
  assertEquals(bare[1], bare[0]);
  assert(relativeDistance(bare[2], bare[0]) > 0.05);
  const faces = await show(all);
  // frame 0 and every later one with its w are the first head itself
  assertEquals(faces[0], bare[0]);
  assertEquals(faces[2], bare[2]);
  assert(relativeDistance(faces[1], bare[1]) > 0.01);
  assertEquals((await show(none, 1)).length, 1);
});

// Excerpts

async function excerpt(
  path: string,
  options: Partial<Parameters<typeof loadPerformance>[1]>,
): Promise<Motion> {
  const { progress, signal } = silentContext();
  const { motion, pictures } = await loadPerformance(
    path,
    { mostFps: 120, ...options },
    () => Promise.reject(new Error("a motion file needs no networks")),
    progress,
    signal,
  );
  assertEquals(pictures, null);
  return motion;
}

Deno.test("an excerpt of a motion has the frames asked for and the clip's resting face", async () => {
  await using folder = scratch();
  const path = folder.file("motion.json");
  const clip = smilingMotion();
  await writeMotion(path, clip);
  const whole = await excerpt(path, {});
  assertEquals(whole.frames.length, clip.frames.length);
  assertEquals([whole.fps, whole.neutral], [clip.fps, clip.neutral]);

  const openings = (motion: Motion) =>
    motion.frames.map(({ mouthOpening }) => mouthOpening);
  const first = await excerpt(path, { maxFrames: 3 });
  assertEquals(openings(first), openings(whole).slice(0, 3));

  const [from, to] = [4, 9];
  const middle = await excerpt(path, {
    start: from / clip.fps,
    end: to / clip.fps,
  });
  assertEquals(openings(middle), openings(whole).slice(from, to));
  assertEquals(middle.rest.points, whole.rest.points);

  const sparse = await excerpt(path, { mostFps: clip.fps / 2 });
  assertEquals(sparse.fps, clip.fps / 2);
  assertEquals(sparse.frames.length, Math.ceil(clip.frames.length / 2));
  assert(sparse.neutral >= 0 && sparse.neutral < sparse.frames.length);
  // who asks for a rate gets it, even above the most
  const asked = await excerpt(path, { fps: clip.fps, mostFps: 1 });
  assertEquals(asked.frames.length, clip.frames.length);
});

Deno.test("a motion file is not smoothed a second time unless that is asked for", () => {
  const motion = smilingMotion();
  assertEquals(smoothed({ motion, pictures: null }, undefined), motion);
  assertEquals(smoothed({ motion, pictures: [] }, false), motion);
  const smooth = smoothMotion(motion);
  assertEquals(smoothed({ motion, pictures: null }, true), smooth);
  assertEquals(smoothed({ motion, pictures: [] }, undefined), smooth);
});

Deno.test("an excerpt beyond the end is refused in one sentence", async () => {
  await using folder = scratch();
  const path = folder.file("motion.json");
  await writeMotion(path, smilingMotion());
  const message = await sentenceOf(() => excerpt(path, { start: 1000 }));
  assert(message.includes("motion.json"), message);
});

// Real performances

test("a performance without a face is refused in one sentence", async ({ detector, landmarks }) => {
  await using folder = scratch();
  for (const name of ["a.png", "b.png"]) {
    await writePicture(folder.file(name), plain(96, 96, 90, 120, 60));
  }
  const { progress, signal } = silentContext();
  const error = await assertRejects(
    () =>
      loadPerformance(
        folder.path,
        { mostFps: 30 },
        () => Promise.resolve({ detector, landmarks }),
        progress,
        signal,
      ),
    PantomimeError,
  );
  assert(/only 0 of 2 frames.*\.$/.test(error.message), error.message);
});

test("our own networks measure pose and mouth on pictures with known truth", async ({ landmarks }) => {
  const errors: number[] = [], mouths: number[] = [], truth: number[] = [];
  for (const render of renders) {
    const picture = await readPicture(RENDERS + render.file);
    const known = projectLandmarks(render);
    // somewhere around the face; the passes of the finder settle it
    const found = await landmarks.find(picture, regionAround(known, 0, 1.5));
    assert(found.presence > 0.5, render.file);
    const { cam2world } = fitCamera(found.points, { roll: "camera" });
    errors.push(cameraDifference(cam2world, render.cam2world));
    mouths.push(mouthOpening(found.points));
    truth.push(trueOpening(render.landmarks));
    assert(regionOfLandmarks(found.points).side > 100, render.file);
  }
  assertEquals(errors.length, 6);
  assert(mean(errors) < 4, `${errors.map((e) => e.toFixed(1))} degrees`);
  const r = correlation(mouths, truth);
  assert(r >= 0.9, `correlation ${r}`);
});

/** Height of the gap between the inner lips (iBUG 61-63 over 65-67) over the mouth's width. */
function trueOpening(points: readonly [number, number, number][]): number {
  const distance = (a: number, b: number) =>
    Math.hypot(...points[a].map((v, k) => v - points[b][k]));
  const gap = mean([distance(61, 67), distance(62, 66), distance(63, 65)]);
  return gap / distance(60, 64);
}
