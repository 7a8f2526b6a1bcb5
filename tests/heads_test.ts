/** Synthetic heads: what latents mean, and pictures that agree with the geometry they show. */
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { type Device, openDevice, ShapeError } from "../engine/mod.ts";
import { cameraLabel, frontalCamera } from "../pipeline/face/camera.ts";
import { ORIGIN, SCALE } from "../training/heads/body.ts";
import { Expressions } from "../training/heads/expression.ts";
import { readFaceKit } from "../training/heads/face_kit.ts";
import {
  type HeadStudio,
  sampleCameras,
  sampleHeads,
  type StudioOptions,
} from "../training/heads/mod.ts";
import { makeStudio } from "../training/heads/studio.ts";
import { WeightsError } from "../weights/mod.ts";
import {
  ballKit,
  CARD,
  CROP,
  DROP,
  latentOf,
  packedKit,
  plainWardrobe,
  RADIUS,
  writeRelease,
} from "./support/heads.ts";

const FRONT = cameraLabel(frontalCamera());
const FOCAL = FRONT[16], DISTANCE = 2.7;

/** A picture and its maps, read back. */
interface Shot {
  picture: Float32Array;
  opacity: Float32Array;
  distance: Float32Array;
}

async function draw(
  studio: HeadStudio,
  device: Device,
  z: Float32Array,
  side: number,
  labels: Float32Array = FRONT,
): Promise<Shot> {
  using _scope = device.scope();
  const batch = studio.render(z, labels, side);
  const [picture, opacity, distance] = await device.read(
    batch.picture,
    batch.opacity,
    batch.distance,
  );
  return { picture, opacity, distance };
}

/** Runs a body with a studio of balls; numbers that no kernel writes are NaN. */
async function withBalls(
  body: (studio: HeadStudio, device: Device) => Promise<void>,
  options: StudioOptions = { samples: 2 },
): Promise<void> {
  using device = await openDevice({ poison: true });
  const kit = ballKit(options.variety ? 100 : 12);
  using studio = makeStudio(device, kit, plainWardrobe(), options);
  await body(studio, device);
}

const mean = (x: Float32Array) => x.reduce((a, b) => a + b, 0) / x.length;

Deno.test("The same latents and cameras give the same pictures", () =>
  withBalls(async (studio, device) => {
    const z = sampleHeads(5, 3), labels = sampleCameras(5, 3);
    const first = await draw(studio, device, z, 24, labels);
    assertEquals(await draw(studio, device, z, 24, labels), first);
    assert(first.picture.every((x) => Math.abs(x) <= 1));
    assert(first.opacity.every((x) => x >= 0 && x <= 1));
  }));

Deno.test("A head is the same alone and among others, and seen twice it is shaped once", () =>
  withBalls(async (studio, device) => {
    const z = sampleHeads(6, 2), labels = sampleCameras(6, 3);
    const [a, b] = [z.subarray(0, 36), z.subarray(36)];
    const twice = Float32Array.from([...a, ...a, ...b]);
    const together = await draw(studio, device, twice, 16, labels);
    for (const [k, head] of [a, a, b].entries()) {
      const label = labels.subarray(25 * k, 25 * k + 25);
      const alone = await draw(studio, device, head, 16, label);
      const part = together.picture.subarray(768 * k, 768 * k + 768);
      assert(mean(alone.picture.map((x, i) => Math.abs(x - part[i]))) < 1e-3);
    }
  }));

/** Where the ray of a pixel meets the ball, along the ray; null where it misses. */
function toBall(column: number, row: number, side: number): number | null {
  const u = ((column + 0.5) / side - 0.5) / FOCAL;
  const v = ((row + 0.5) / side - 0.5) / FOCAL;
  const length = Math.hypot(u, v, 1);
  // the frontal camera looks along -z from (0, 0, 2.7), y down
  const d = [u / length, -v / length, -1 / length];
  const o = [-ORIGIN[0], -ORIGIN[1], DISTANCE - ORIGIN[2]];
  const along = -d.reduce((sum, x, k) => sum + x * o[k], 0);
  const miss = o.reduce((sum, x) => sum + x * x, 0) - along ** 2;
  const rest = (RADIUS * SCALE) ** 2 - miss;
  return rest < 0 ? null : along - Math.sqrt(rest);
}

Deno.test("Distances are those of the rays' way to a ball, opacity is its outline", () =>
  withBalls(async (studio, device) => {
    const side = 40;
    const shot = await draw(studio, device, latentOf(CROP), side);
    let solid = 0;
    shot.opacity.forEach((share, k) => {
      const expected = toBall(k % side, Math.floor(k / side), side);
      if (share === 1 && expected) {
        solid++;
        assertAlmostEquals(shot.distance[k], expected, 2e-3);
      }
      if (share === 0) {
        assertEquals(expected, null);
        assert(shot.distance[k] >= 2.5 && shot.distance[k] <= 3);
      }
    });
    assert(solid > 300, `${solid} pixels show the ball`);
    const radius = RADIUS * SCALE;
    const outline = radius /
      Math.sqrt((DISTANCE - ORIGIN[2]) ** 2 - radius ** 2);
    assertAlmostEquals(
      mean(shot.opacity),
      Math.PI * (outline * FOCAL) ** 2,
      0.01,
    );
  }, { samples: 1 }));

Deno.test("Opening the jaw lowers the chin by as much as the shape says", () =>
  withBalls(async (studio, device) => {
    const side = 64;
    const lowest = async (z: Record<number, number>) => {
      const { opacity } = await draw(
        studio,
        device,
        latentOf({ ...CROP, ...z }),
        side,
      );
      return opacity.findLastIndex((share) => share > 0.5) / side;
    };
    const weight = new Expressions(["jawOpen"]).weights(latentOf({ 12: 2 }))[0];
    const sunk = weight * DROP * SCALE / DISTANCE * FOCAL * side;
    assertAlmostEquals(weight, 0.79, 1e-6);
    assertAlmostEquals(await lowest({ 12: 2 }) - await lowest({}), sunk, 1.5);
    assertAlmostEquals(await lowest({ 12: -2 }), await lowest({}), 1);
  }));

Deno.test("Brightness axes brighten what they name and nothing else", () =>
  withBalls(async (studio, device) => {
    const side = 16;
    /** Mean brightness of backdrop and of the ball's upper half. */
    const seen = async (z: Record<number, number>) => {
      const latent = latentOf({ ...CROP, ...z });
      const { picture, opacity } = await draw(studio, device, latent, side);
      const green = picture.subarray(side ** 2, 2 * side ** 2);
      const where = (keep: (share: number, k: number) => boolean) =>
        mean(green.filter((_, k) => keep(opacity[k], k)));
      return {
        backdrop: where((share) => share === 0),
        crown: where((share, k) => share === 1 && k < side ** 2 / 2),
      };
    };
    const middle = await seen({});
    const bright = await seen({ 33: 1.5 }), fair = await seen({ 26: 2 });
    assert(bright.backdrop > middle.backdrop + 0.2);
    assertEquals(bright.crown, middle.crown);
    assert(fair.crown > middle.crown + 0.02);
    assertEquals(fair.backdrop, middle.backdrop);
    const lit = await seen({ 31: 2 });
    assert(lit.crown > (await seen({ 31: -2 })).crown);
  }));

Deno.test("Cards of hair are cut out where their texture is clear", () =>
  withBalls(async (studio, device) => {
    const side = 48;
    const hairy = await draw(studio, device, latentOf({ 24: 1 }), side);
    const bald = await draw(studio, device, latentOf(CROP), side);
    const more = hairy.opacity.map((share, k) => share - bald.opacity[k]);
    const size = SCALE / (DISTANCE - ORIGIN[2]) * FOCAL;
    const half = (CARD.right - CARD.left) / 2 * (CARD.top - CARD.bottom);
    assertAlmostEquals(mean(more), half * size ** 2, 1.5e-3);
    const columns = Array.from(
      more.entries().filter(([, x]) => x > 0.5).map(([k]) => k % side),
    );
    const middle = (CARD.left + CARD.right) / 2;
    assert(Math.min(...columns) / side >= 0.5 + size * middle - 1.5 / side);
  }));

Deno.test("Variety adds numbers to a latent, and none of them changes the pictures of zeros but by noise", () =>
  withBalls(async (studio, device) => {
    assertEquals(studio.latent, 131);
    const shot = async (z: Record<number, number>) =>
      await draw(studio, device, latentOf({ ...CROP, 41: -8, ...z }, 131), 16);
    const still = await shot({}), again = await shot({});
    assertEquals(still, again);
    assertNotEquals((await shot({ 41: 2 })).picture, still.picture);
    const warm = await shot({ 36: 3 });
    assert(
      mean(warm.picture.subarray(0, 256)) >
        mean(still.picture.subarray(0, 256)),
    );
    assert(
      mean(warm.picture.subarray(512)) < mean(still.picture.subarray(512)),
    );
    assertEquals(await shot({ 130: -3 }), still);
    const { picture } = await shot({ 40: 3 });
    assert(
      mean(picture.subarray(0, 16)) > mean(picture.subarray(240, 256)) + 0.1,
    );
  }, { samples: 1, variety: true }));

Deno.test("Glasses are dark, before the ball and on both sides of its middle, and not there when not worn", () =>
  withBalls(async (studio, device) => {
    const side = 64;
    const shot = async (glasses: number) =>
      await draw(
        studio,
        device,
        latentOf({ ...CROP, 41: -8, 130: glasses }, 131),
        side,
      );
    const [without, worn] = [await shot(0.8), await shot(0.9)];
    const nearer = Array.from(worn.distance.entries())
      .filter(([k, t]) => t < without.distance[k] - 0.02).map(([k]) => k);
    assert(nearer.length > 40, `${nearer.length} pixels of glasses`);
    for (const k of nearer) assert(worn.picture[k] < -0.5);
    const columns = nearer.map((k) => k % side + 0.5 - side / 2);
    assertAlmostEquals(columns.reduce((a, b) => a + b) / nearer.length, 0, 1);
    assert(Math.max(...columns) > 8 && Math.min(...columns) < -8);
  }, { samples: 1, variety: true }));

Deno.test("Numbers that make no whole pictures are refused with what a picture takes", () =>
  withBalls(async (studio) => {
    await Promise.resolve();
    assertThrows(
      () => studio.render(new Float32Array(35), FRONT, 16),
      ShapeError,
      "a picture takes 36 and 25",
    );
  }));

Deno.test("A kit of too few identity modes is refused", async () => {
  using device = await openDevice();
  assertThrows(
    () => makeStudio(device, ballKit(3), plainWardrobe()),
    WeightsError,
    "3 identity modes and 12 are needed",
  );
});

Deno.test("A release folder of OBJ files is read as the packed kit", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const kit = ballKit(2), packed = `${folder}/kit.npz`;
    await Deno.mkdir(`${folder}/FaceXModel`);
    await writeRelease(`${folder}/FaceXModel`, kit);
    await Deno.writeFile(packed, packedKit(kit));
    assertEquals(await readFaceKit(packed), kit);
    const read = await readFaceKit(folder);
    assertEquals(read.neutral, kit.neutral);
    assertEquals(read.quads, kit.quads);
    assertEquals(read.expressionNames, kit.expressionNames.toSorted());
    const { identity: [wide] } = read;
    const jaw = read.expression[read.expressionNames.indexOf("jawOpen")];
    assert(wide.every((x, k) => Math.abs(x - kit.identity[0][k]) < 1e-5));
    assert(jaw.every((x, k) => Math.abs(x - kit.expression[0][k]) < 1e-5));

    const without = async (file: string, why: string) => {
      await Deno.remove(`${folder}/FaceXModel/${file}`);
      await assertRejects(() => readFaceKit(folder), WeightsError, why);
    };
    await without("eyeBlink.obj", "lacks the expression eyeBlink");
    await without("identity000.obj", "holds no identity000.obj");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("Files that are no heads are refused with what is missing", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const packed = `${folder}/kit.npz`, { quads, ...kit } = ballKit(1);
    const refused = (path: string, why: string) =>
      assertRejects(() => readFaceKit(path), WeightsError, why);
    await refused(packed, "does not exist");
    await refused(folder, "holds no generic_neutral_mesh.obj");
    await Deno.writeFile(packed, packedKit({ ...kit, quads }, "quads"));
    await refused(packed, "has no array quads");
    const other = quads.map((v) => 26718 - v);
    await Deno.writeFile(packed, packedKit({ ...kit, quads: other }));
    await refused(packed, "in the order of its releases since 2020");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
