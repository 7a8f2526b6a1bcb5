/** The animations that a run leaves behind. */
import { assert, assertEquals } from "@std/assert";
import {
  delays,
  writeAnimations,
  writeFrames,
} from "../pipeline/media/animation.ts";
import { writeMp4 } from "../pipeline/media/video_out.ts";
import {
  clip,
  namesIn,
  noFfmpeg,
  openFrames,
  scratch,
} from "./support/media.ts";

Deno.test("WebP and GIF are always written, MP4 where ffmpeg is", async () => {
  await using folder = scratch();
  const paths = await writeAnimations(folder.path, clip(3, 17, 13), 10);
  const kinds = ["webp", "gif", ...(noFfmpeg ? [] : ["mp4"])];
  assertEquals(paths, kinds.map((kind) => folder.file(`animation.${kind}`)));
  assertEquals(
    (await namesIn(folder.path)).length,
    kinds.length,
    "nothing else is left",
  );
});

Deno.test({
  name: "an MP4 has even sides, though the frames had odd ones",
  ignore: noFfmpeg,
  async fn() {
    await using folder = scratch();
    await writeMp4(folder.file("a.mp4"), clip(3, 17, 13), 10);
    const { pictures: [first] } = await openFrames(folder.file("a.mp4"));
    assertEquals([first.width, first.height], [16, 12]);
  },
});

Deno.test("rounding the delays of a GIF does not let a long clip run late", () => {
  const all = delays(300, 30, 10);
  assertEquals(all.reduce((sum, delay) => sum + delay), 10_000);
  assert(all.every((delay) => delay === 30 || delay === 40));
});

Deno.test("numbered frames replace those of an earlier, longer run", async () => {
  await using folder = scratch();
  await writeFrames(folder.file("frames"), clip(5));
  await writeFrames(folder.file("frames"), clip(2));
  assertEquals(await namesIn(folder.file("frames")), ["0000.png", "0001.png"]);
  assertEquals(await namesIn(folder.path), ["frames"]);
});

Deno.test("the same frames give the same bytes", async () => {
  await using folder = scratch();
  await writeAnimations(folder.path, clip(3), 10);
  const first = await Deno.readFile(folder.file("animation.webp"));
  await writeAnimations(folder.path, clip(3), 10);
  assertEquals(await Deno.readFile(folder.file("animation.webp")), first);
});
