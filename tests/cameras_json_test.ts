/** Cameras in the published files: JSON both ways, arrays, and what is refused. */
import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  type Cam2World,
  cameraAngles,
  cameraCentre,
  cameraFromAngles,
  cameraLabel,
  cameraRotation,
} from "../pipeline/face/camera.ts";
import {
  cameraFromNumbers,
  formatCameras,
  parseCameras,
  readCameras,
  writeCameras,
} from "../pipeline/face/cameras_json.ts";
import {
  frameKey,
  readSourcePose,
  readTargetPoses,
} from "../pipeline/transfer/preprocessed/poses.ts";
import { assertNear } from "./support/geometry.ts";
import { scratch, sentenceOf } from "./support/media.ts";

const turned = (yaw: number) => cameraFromAngles({ yaw, pitch: 5, roll: -2 });

/** A file as the published preprocessing leaves it: distances as measured. */
function measured(cameras: Record<string, Cam2World>, distance = 3): string {
  const far = Object.entries(cameras).map(([key, camera]) => {
    const pose = [0, 4, 8, 12].map((row) => camera.slice(row, row + 4));
    for (let k = 0; k < 3; k++) pose[k][3] *= distance / 2.7;
    return [key, { intrinsics: [[2985.29, 0, 512]], pose }];
  });
  return JSON.stringify(Object.fromEntries(far));
}

/** A `.npy` of little-endian numbers. */
function npy(values: number[], shape: number[], descr: "<f4" | "<f8") {
  const sizes = shape.join(", ") + (shape.length === 1 ? "," : "");
  const header =
    `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }\n`;
  const head = new TextEncoder().encode(header);
  const body = descr === "<f4"
    ? new Float32Array(values)
    : new Float64Array(values);
  return new Uint8Array([
    ...[0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0],
    ...[head.length % 256, head.length >> 8],
    ...head,
    ...new Uint8Array(body.buffer),
  ]);
}

Deno.test("a measured camera keeps its rotation and comes to distance 2.7", () => {
  const camera = turned(20);
  const read = parseCameras(measured({ "adam.jpg": camera }), "a").get(
    "adam.jpg",
  )!;
  assertNear(cameraRotation(read), cameraRotation(camera), 1e-12);
  assertAlmostEquals(Math.hypot(...cameraCentre(read)), 2.7, 1e-12);
  assertNear(read, camera, 1e-9);
});

Deno.test("cameras that were written are read as they were, in the published form", async () => {
  await using folder = scratch();
  const cameras = new Map([
    ["me.jpg", turned(0)],
    ["frames012.jpg", turned(-33)],
  ]);
  const path = folder.file("cameras.json");
  await writeCameras(path, cameras);
  const read = await readCameras(path);
  assertEquals([...read.keys()], [...cameras.keys()]);
  for (const [key, camera] of cameras) assertNear(read.get(key)!, camera, 1e-9);
  const { intrinsics, pose } = JSON.parse(formatCameras(cameras))["me.jpg"];
  assertEquals(intrinsics, [[2985.29, 0, 512], [0, 2985.29, 512], [0, 0, 1]]);
  assertEquals(pose.length, 4);
  assertEquals(pose[3], [0, 0, 0, 1]);
});

Deno.test("a label of 25 numbers and its 16 are the same camera", () => {
  const camera = turned(12), label = [...cameraLabel(camera)];
  assertEquals(label.length, 25);
  assertNear(cameraFromNumbers(label, "it"), camera, 1e-6);
  assertNear(cameraFromNumbers(label.slice(0, 16), "it"), camera, 1e-6);
});

Deno.test("what is no camera is refused by file and key", async () => {
  const refused = (text: string) =>
    sentenceOf(() => Promise.resolve().then(() => parseCameras(text, "c.json")))
      .then((message) => message.slice(0, 60));
  const bent = [...turned(0)];
  bent[0] = 0.9;
  const mirrored = turned(0).map((v, k) => k % 4 === 0 && k < 12 ? -v : v);
  const open = [...turned(0)];
  open[12] = 0.5;
  for (const pose of [bent, mirrored]) {
    assertEquals(
      await refused(measured({ "x.jpg": pose })),
      '"x.jpg" in "c.json" has a rotation that is not orthonormal; give'
        .slice(0, 60),
    );
  }
  assertEquals(
    (await refused(measured({ "x.jpg": open }))).slice(0, 34),
    '"x.jpg" in "c.json" has a last row',
  );
  assertEquals(
    (await refused('{"x.jpg": {"pose": [[1, 2], [3, 4]]}}')).slice(0, 45),
    '"x.jpg" in "c.json" is not a pose of 4x4 numb',
  );
  assertEquals(
    (await refused('{"x.jpg": {}}')).slice(0, 33),
    '"x.jpg" in "c.json" has no "pose"',
  );
  for (const text of ["[1, 2]", "{", "3"]) {
    assertEquals(
      (await refused(text)).slice(0, 27),
      '"c.json" is not a camera fi',
    );
  }
  assertEquals((await refused("{}")).slice(0, 23), '"c.json" holds no camer');
});

Deno.test("the photo's camera is found by its name, or by what stands before an underscore", async () => {
  await using folder = scratch();
  const path = folder.file("source.json");
  await Deno.writeTextFile(path, measured({ "adam.jpg": turned(7) }));
  assertNear(await readSourcePose(path, "adam"), turned(7), 1e-9);
  assertNear(await readSourcePose(path, "adam_2"), turned(7), 1e-9);
  assertEquals(
    (await sentenceOf(() => readSourcePose(path, "eve"))).includes(
      'no camera "eve.jpg" (it begins with "adam.jpg")',
    ),
    true,
  );
});

Deno.test("frame 000 has the camera frames001, and a frame without one is named", async () => {
  await using folder = scratch();
  const path = folder.file("target.json");
  const yaws = [0, 4, 8, 30];
  await Deno.writeTextFile(
    path,
    measured(Object.fromEntries(
      yaws.map((yaw, k) => [frameKey(k === 3 ? 9 : k), turned(yaw)]),
    )),
  );
  const sharp = await readTargetPoses(path, false);
  assertNear(sharp(0), turned(0), 1e-9);
  assertNear(sharp(9), turned(30), 1e-9);
  assertEquals(
    (await sentenceOf(() => Promise.resolve().then(() => sharp(4)))).includes(
      '"frames005.jpg"',
    ),
    true,
  );
});

Deno.test("smoothed cameras are halfway from the number before, the first stays", async () => {
  await using folder = scratch();
  const path = folder.file("target.json");
  const upright = (yaw: number) => cameraFromAngles({ yaw, pitch: 0, roll: 0 });
  await Deno.writeTextFile(
    path,
    measured({ "frames001.jpg": upright(0), "frames002.jpg": upright(10) }),
  );
  const smooth = await readTargetPoses(path, true);
  assertNear(smooth(0), upright(0), 1e-9);
  assertAlmostEquals(cameraAngles(smooth(1)).yaw, 5, 1e-9);
  assertAlmostEquals(Math.hypot(...cameraCentre(smooth(1))), 2.7, 1e-9);
});

Deno.test("arrays of poses are brought to distance 2.7 as well", async () => {
  await using folder = scratch();
  const path = folder.file("pose.npy");
  const far = (camera: Cam2World) =>
    camera.map((v, k) => k % 4 === 3 && k < 12 ? v * 1.1 : v);
  await Deno.writeFile(path, npy(far(turned(3)), [4, 4], "<f8"));
  assertNear(await readSourcePose(path, "adam"), turned(3), 1e-6);
  const all = await readTargetPoses(path, false);
  assertNear(all(77), turned(3), 1e-6);
  const labels = [0, 20].flatMap((yaw) => [
    ...far(turned(yaw)),
    ...cameraLabel(turned(0)).slice(16),
  ]);
  await Deno.writeFile(path, npy(labels, [2, 25], "<f4"));
  const each = await readTargetPoses(path, false);
  assertNear(each(1), turned(20), 1e-6);
  for (
    const doing of [
      () => Promise.resolve().then(() => each(2)),
      () => readSourcePose(path, "adam"),
    ]
  ) assertEquals((await sentenceOf(doing)).includes("holds 2 poses"), true);
  await Deno.writeFile(path, npy([1, 2, 3], [3], "<f4"));
  assertEquals(
    (await sentenceOf(() => readSourcePose(path, "adam"))).includes(
      "holds no poses",
    ),
    true,
  );
});
