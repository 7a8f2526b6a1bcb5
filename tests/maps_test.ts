/** Depth and normal maps. */
import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  type CameraAngles,
  cameraCentre,
  cameraFromAngles,
  cameraLabel,
  cameraRotation,
  FOCAL,
  worldToCamera,
} from "../pipeline/face/camera.ts";
import { apply, dot, normalise, type Vec3 } from "../pipeline/face/linear.ts";
import { depthPicture, normalPicture } from "../pipeline/generator/maps.ts";

const SIDE = 32;
const LEFT: CameraAngles = { yaw: -25, pitch: 10, roll: 5 };

/** Distances of what each pixel's ray meets, and the directions of the rays. */
function cast(
  angles: CameraAngles,
  meet: (origin: Vec3, direction: Vec3) => number,
): { depth: Float32Array; label: Float32Array } {
  const camera = cameraFromAngles(angles);
  const rotation = cameraRotation(camera);
  const depth = Float32Array.from({ length: SIDE * SIDE }, (_, k) => {
    const u = (k % SIDE + 0.5) / SIDE, v = (Math.floor(k / SIDE) + 0.5) / SIDE;
    const d: Vec3 = [(u - 0.5) / FOCAL, (v - 0.5) / FOCAL, 1];
    return meet(cameraCentre(camera), normalise(apply(rotation, d)));
  });
  return { depth, label: cameraLabel(camera) };
}

/** Distance to a ball of radius 0.2 around the origin, NaN beside it. */
function ball(o: Vec3, d: Vec3): number {
  const along = dot(o, d);
  return -along - Math.sqrt(along * along - dot(o, o) + 0.2 ** 2);
}

function pixel(picture: Float32Array, x: number, y: number): number[] {
  return [0, 1, 2].map((c) => picture[(c * SIDE + y) * SIDE + x]);
}

Deno.test("a wall that faces the camera is light blue in a normal map", () => {
  const { depth, label } = cast(
    { yaw: 0, pitch: 0, roll: 0 },
    (o, d) => -o[2] / d[2],
  );
  const picture = normalPicture(depth, label);
  for (const [x, y] of [[0, 0], [16, 16], [31, 5]]) {
    pixel(picture, x, y).forEach((v, c) =>
      assertAlmostEquals(v, [0.5, 0.5, 1][c], 1e-4)
    );
  }
});

Deno.test("the normals of a ball are those of the sphere, in the camera's axes", () => {
  const { depth, label } = cast(LEFT, ball);
  const picture = normalPicture(depth, label);
  const camera = cameraFromAngles(LEFT);
  let seen = 0;
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const distance = depth[y * SIDE + x];
      if (Number.isNaN(distance)) {
        assertEquals(pixel(picture, x, y), [0.5, 0.5, 0.5]);
        continue;
      }
      const ray = apply(cameraRotation(camera), [
        ((x + 0.5) / SIDE - 0.5) / FOCAL,
        ((y + 0.5) / SIDE - 0.5) / FOCAL,
        1,
      ]);
      const d = normalise(ray), o = cameraCentre(camera);
      const n = apply(worldToCamera(camera), [
        (o[0] + distance * d[0]) / 0.2,
        (o[1] + distance * d[1]) / 0.2,
        (o[2] + distance * d[2]) / 0.2,
      ]);
      // near its rim the ball turns away faster than pixels follow
      if (n[2] > -0.7) continue;
      seen++;
      const wanted = [n[0], -n[1], -n[2]].map((v) => (v + 1) / 2);
      pixel(picture, x, y).forEach((v, c) =>
        assertAlmostEquals(v, wanted[c], 0.03)
      );
    }
  }
  assertEquals(seen > 100, true);
});

Deno.test("the normals of a near wall do not lean where it ends before a far one", () => {
  const { depth, label } = cast(
    { yaw: 0, pitch: 0, roll: 0 },
    (o, d) => ((d[0] < 0 ? 0.2 : -0.3) - o[2]) / d[2],
  );
  const picture = normalPicture(depth, label);
  for (let x = 0; x < SIDE; x++) {
    assertAlmostEquals(pixel(picture, x, 9)[2], 1, 1e-3);
  }
});

Deno.test("depth maps are bright where it is near and black where nothing is", () => {
  const depth = Float32Array.from([
    2.5,
    3,
    2.75,
    NaN,
    Infinity,
    2.6,
    2.9,
    2.5,
    3,
  ]);
  const grey = (picture: Float32Array) => {
    assertEquals(picture.subarray(9, 18), picture.subarray(0, 9));
    assertEquals(picture.subarray(18), picture.subarray(0, 9));
    return [...picture.subarray(0, 5)];
  };
  assertEquals(grey(depthPicture(depth)), [1, 0, 0.5, 0, 0]);
  const fixed = grey(depthPicture(depth, { near: 2.75, far: 3.25 }));
  assertEquals(fixed, [1, 0.5, 1, 0, 0]);
});

Deno.test("a depth map of one distance is white, and of none black", () => {
  assertEquals(
    [...depthPicture(new Float32Array(4).fill(2))],
    new Array(12).fill(1),
  );
  assertEquals([...depthPicture(new Float32Array(1).fill(NaN))], [0, 0, 0]);
});
