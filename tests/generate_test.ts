/** `generate`: what it writes, and how its lists are read. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { generateOptions, parseSeeds } from "../pipeline/cli/generate_flags.ts";
import { silentContext } from "../pipeline/context.ts";
import { UsageError } from "../pipeline/errors.ts";
import { defaultGenerateOptions, runGenerate } from "../pipeline/generate.ts";
import { readPicture } from "../pipeline/media/picture.ts";
import { SMALL, smallMannequinFile } from "./support/generator.ts";

Deno.test("generate writes grids, maps, an orbit, meshes and a report", async () => {
  const out = await Deno.makeTempDir();
  const generator = join(out, "small.safetensors");
  await Deno.writeFile(generator, await smallMannequinFile(SMALL));
  const report = await runGenerate({
    ...defaultGenerateOptions(),
    generator,
    out,
    seeds: [3, 7],
    yaw: [-20, 20],
    maps: true,
    orbit: 2,
    mesh: join(out, "head.ply"),
    meshResolution: 24,
  }, silentContext());
  const { side } = SMALL;
  const grid = await readPicture(join(out, "grid.png"));
  assertEquals([grid.width, grid.height], [2 * side, 2 * side]);
  const depth = await readPicture(join(out, "depth.png"));
  assertEquals([depth.width, depth.height], [side, side]);
  for (
    const name of [
      "normal.png",
      "images/seed0003_yaw-20_pitch0.png",
      "normal/seed0007_yaw20_pitch0.png",
      "orbit/seed0003/animation.webp",
      "head_seed0003.ply",
      "head_seed0007.ply",
    ]
  ) {
    assert((await Deno.stat(join(out, name))).size > 0, name);
  }
  assertEquals(report.files[0], join(out, "grid.png"));
  const written = JSON.parse(await Deno.readTextFile(join(out, "report.json")));
  assert(written.peakGpuBytes > 0 && written.precision === "f32");
  await Deno.remove(out, { recursive: true });
});

Deno.test("seeds are numbers and ranges, each once", () => {
  assertEquals(parseSeeds("0-3"), [0, 1, 2, 3]);
  assertEquals(parseSeeds("5, 2-3,3"), [5, 2, 3]);
  assertEquals(parseSeeds("4294967295"), [4294967295]);
  for (const text of ["", "3-1", "a", "1-", "-4", "0-99999", "4294967296"]) {
    assertThrows(() => parseSeeds(text), UsageError, "--seeds");
  }
});

Deno.test("angles are degrees below 90", () => {
  assertEquals(generateOptions({ yaw: "-30,0,30" }).yaw, [-30, 0, 30]);
  assertThrows(() => generateOptions({ pitch: "90" }), UsageError, "--pitch");
  assertThrows(() => generateOptions({ yaw: "1,,2" }), UsageError, "--yaw");
});
