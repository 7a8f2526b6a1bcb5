/** Stage B on the GPU against its float64 reference, on a real portrait. */
import { assert, assertEquals } from "@std/assert";
import { openDevice } from "../engine/mod.ts";
import { deform } from "../pipeline/transfer/facemesh/deform.ts";
import { rasterise } from "../pipeline/transfer/facemesh/reference.ts";
import { FaceRenderer } from "../pipeline/transfer/facemesh/render.ts";
import { astronaut, BLINK, SMILE, smilingMotion } from "./support/geometry.ts";

const SIZE = 192;

/** Share of numbers that differ by more than `limit`. */
function differing(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  limit: number,
): number {
  assertEquals(a.length, b.length);
  let count = 0;
  for (let k = 0; k < a.length; k++) {
    if (!(Math.abs(a[k] - b[k]) <= limit)) count++;
  }
  return count / a.length;
}

Deno.test("the GPU draws a smile and a blink as the float64 reference does", async () => {
  const { portrait, source } = await astronaut(SIZE), motion = smilingMotion();
  for (const profile of ["cpu", "gpu"] as const) {
    using device = await openDevice({ profile, poison: true });
    using renderer = new FaceRenderer(device, portrait.picture, source);
    for (const frame of [motion.neutral, SMILE, BLINK]) {
      const vertices = deform(source, motion, frame);
      const wanted = rasterise(portrait.picture, source, vertices);
      const got = await renderer.frame(vertices);
      // a pixel on an edge may go to either side: a few in 36,864
      assert(differing(got.edited.data, wanted.edited.data, 1) < 2e-4);
      assert(differing(got.faceMask, wanted.faceMask, 1e-4) < 2e-4);
      assert(differing(got.holeMask, wanted.holeMask, 0) < 2e-4);
    }
  }
});

Deno.test("drawing a hundred frames takes no more memory than one", async () => {
  const { portrait, source } = await astronaut(SIZE), motion = smilingMotion();
  using device = await openDevice();
  using renderer = new FaceRenderer(device, portrait.picture, source);
  const vertices = deform(source, motion, SMILE);
  await renderer.frame(vertices);
  const before = device.memory;
  for (let k = 0; k < 100; k++) {
    using _scope = device.scope();
    renderer.render(vertices);
  }
  await device.finish();
  assertEquals(device.memory, before);
});
