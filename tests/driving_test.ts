/** Driving performances of every kind, and what bad ones get. */
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertStringIncludes,
} from "@std/assert";
import { writeAnimations, writeFrames } from "../pipeline/media/animation.ts";
import { openDriving } from "../pipeline/media/driving.ts";
import { writePicture } from "../pipeline/media/picture.ts";
import { readPpmStream } from "../pipeline/media/ppm.ts";
import { loadSharp } from "../pipeline/media/sharp.ts";
import { pickFrames } from "../pipeline/media/timeline.ts";
import { writeMp4 } from "../pipeline/media/video_out.ts";
import { BUNDLED_SOURCE } from "../pipeline/options.ts";
import {
  clip,
  inFrames,
  noFfmpeg,
  openFrames,
  plain,
  scratch,
  sentenceOf,
  shown,
} from "./support/media.ts";

Deno.test("a folder's pictures come in natural order, whatever else lies there", async () => {
  await using folder = scratch();
  for (const [index, number] of [10, 9, 1, 2].entries()) {
    await writePicture(folder.file(`frame${number}.png`), clip(5)[index]);
  }
  await Deno.writeTextFile(folder.file("notes.txt"), "");
  await Deno.writeTextFile(folder.file(".hidden.png"), "");
  const { count, fps, pictures } = await openFrames(folder.path);
  assertEquals([count, fps], [4, 25]);
  assertEquals(pictures.map(shown), [2, 3, 1, 0]);
});

Deno.test("of a folder the frames between start and end are taken, at most as many as asked", async () => {
  await using folder = scratch();
  await writeFrames(folder.file("frames"), clip(10));
  const { pictures } = await openFrames(folder.file("frames"), {
    fps: 10,
    start: 0.2,
    end: 0.6,
  });
  assertEquals(pictures.map(shown), [2, 3, 4, 5]);
  const { pictures: few } = await openFrames(folder.file("frames"), {
    start: 0.04,
    maxFrames: 2,
  });
  assertEquals(few.map(shown), [1, 2]);
});

Deno.test("an empty folder and a folder without pictures are refused, each in its own words", async () => {
  await using folder = scratch();
  assertStringIncludes(
    await sentenceOf(() => openDriving(folder.path)),
    "is empty",
  );
  await Deno.writeTextFile(folder.file("a.txt"), "");
  const message = await sentenceOf(() => openDriving(folder.path));
  assertStringIncludes(message, "holds no pictures (1 other entry)");
  assertStringIncludes(message, folder.path);
});

Deno.test("a damaged frame in a folder is named when its turn comes", async () => {
  await using folder = scratch();
  await writePicture(folder.file("1.png"), plain(4, 4, 1, 2, 3));
  await Deno.writeTextFile(folder.file("2.png"), "\x89PNG but not for long");
  assertStringIncludes(
    await sentenceOf(() => openFrames(folder.path)),
    "2.png",
  );
});

Deno.test("an animated GIF and WebP keep their rate and their frames", async () => {
  await using folder = scratch();
  for (const fps of [10, 12.5, 24, 25, 30]) {
    await writeAnimations(folder.path, clip(7), fps);
    for (const kind of ["gif", "webp"]) {
      const driving = await openFrames(folder.file(`animation.${kind}`));
      assertAlmostEquals(driving.fps, fps, 0.35, kind);
      assertEquals(
        driving.pictures.map(shown),
        [0, 1, 2, 3, 4, 5, 6],
        `${kind} at ${fps}`,
      );
    }
  }
});

Deno.test("a GIF is sampled at the rate asked for, by what is on show at each moment", async () => {
  await using folder = scratch();
  const sharp = await loadSharp();
  const data = new Uint8Array(clip(3).flatMap(({ data }) => [...data]));
  await sharp(data, {
    raw: { width: 16, height: 36, channels: 3, pageHeight: 12 },
  })
    .gif({ delay: [100, 300, 200] }).toFile(folder.file("a.gif"));
  const { fps, pictures } = await openFrames(folder.file("a.gif"), { fps: 10 });
  assertEquals(fps, 10);
  assertEquals(pictures.map(shown), [0, 1, 1, 1, 2, 2]);
});

Deno.test("a truncated GIF is refused with a sentence that names the file", async () => {
  await using folder = scratch();
  await writeAnimations(folder.path, clip(6, 64, 64), 10);
  const whole = await Deno.readFile(folder.file("animation.gif"));
  await Deno.writeFile(folder.file("cut.gif"), whole.subarray(0, 40));
  assertStringIncludes(
    await sentenceOf(() => openFrames(folder.file("cut.gif"))),
    "cut.gif",
  );
});

Deno.test("a single picture is a performance of one frame, made no larger than asked", async () => {
  const { count, pictures } = await openFrames(BUNDLED_SOURCE, { maxSide: 64 });
  assertEquals(count, 1);
  assertEquals(pictures.map(({ width, height }) => [width, height]), [[
    64,
    64,
  ]]);
});

Deno.test("a WebP of one page is turned upright as its EXIF data asks", async () => {
  await using folder = scratch();
  const { data } = plain(8, 4, 0, 0, 200);
  await (await loadSharp())(data, { raw: { width: 8, height: 4, channels: 3 } })
    .withMetadata({ orientation: 6 }).webp().toFile(folder.file("a.webp"));
  const { count, pictures } = await openFrames(folder.file("a.webp"));
  assertEquals(count, 1);
  assertEquals(pictures.map(({ width, height }) => [width, height]), [[4, 8]]);
});

Deno.test("a motion file is recognised, and one that is no JSON is refused", async () => {
  await using folder = scratch();
  const path = folder.file("motion.json");
  await Deno.writeTextFile(path, `{"frames": []}`);
  assertEquals(await openDriving(path), { kind: "motion", path });
  await Deno.writeTextFile(path, "frames: 0");
  assertStringIncludes(
    await sentenceOf(() => openDriving(path)),
    "does not hold JSON",
  );
});

Deno.test("a start beyond the end of the performance is refused with its length", async () => {
  await using folder = scratch();
  await writeFrames(folder.file("frames"), clip(5));
  const message = await sentenceOf(() =>
    openDriving(folder.file("frames"), { start: 9 })
  );
  assertStringIncludes(message, "lasts 0.2 s");
});

Deno.test("a file that is neither picture, video nor motion is refused as such", async () => {
  await using folder = scratch();
  await Deno.writeTextFile(folder.file("thesis.doc"), "Chapter 1");
  const message = await sentenceOf(() =>
    openDriving(folder.file("thesis.doc"))
  );
  assertStringIncludes(message, "thesis.doc");
  assertStringIncludes(message, "neither a picture, a video nor a motion file");
  await Deno.writeFile(folder.file("empty.mp4"), new Uint8Array());
  assertStringIncludes(
    await sentenceOf(() => openDriving(folder.file("empty.mp4"))),
    "is empty",
  );
});

Deno.test({
  name:
    "a video where ffmpeg is missing gets a sentence that says how to install it",
  permissions: { read: true, write: true, env: true, ffi: true, run: false },
  async fn() {
    await using folder = scratch();
    await Deno.writeTextFile(folder.file("clip.mp4"), "\0\0\0\x18ftypmp42");
    const message = await sentenceOf(() =>
      openDriving(folder.file("clip.mp4"))
    );
    assertStringIncludes(message, "clip.mp4");
    assertStringIncludes(message, "needs ffmpeg");
    assertStringIncludes(message, "install");
  },
});

Deno.test({
  name:
    "a video is decoded at the rate, from the moment and in the number asked for",
  ignore: noFfmpeg,
  async fn() {
    await using folder = scratch();
    const path = folder.file("clip.mp4");
    assert(await writeMp4(path, clip(12, 64, 48), 10));
    const whole = await openFrames(path);
    assertEquals([whole.fps, whole.count], [10, 12]);
    assertEquals(whole.pictures.map(shown), [
      0,
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      8,
      9,
      10,
      11,
    ]);
    assertEquals([whole.pictures[0].width, whole.pictures[0].height], [64, 48]);
    const part = await openFrames(path, {
      fps: 5,
      start: 0.4,
      maxFrames: 3,
      maxSide: 32,
    });
    assertEquals(part.pictures.map(shown), [4, 6, 8]);
    assertEquals([part.pictures[0].width, part.pictures[0].height], [32, 24]);
  },
});

Deno.test({
  name: "a video's first frame can be taken without decoding the rest",
  ignore: noFfmpeg,
  async fn() {
    await using folder = scratch();
    const path = folder.file("clip.mp4");
    await writeMp4(path, clip(12, 640, 480), 10);
    for await (const picture of inFrames(await openDriving(path)).frames) {
      assertEquals(shown(picture), 0);
      break;
    }
  },
});

Deno.test({
  name: "a truncated video is refused with a sentence that names the file",
  ignore: noFfmpeg,
  async fn() {
    await using folder = scratch();
    const path = folder.file("clip.mp4");
    await writeMp4(path, clip(12), 10);
    await Deno.writeFile(path, (await Deno.readFile(path)).subarray(0, 60));
    const message = await sentenceOf(() => openFrames(path));
    assertStringIncludes(message, "clip.mp4");
    assertStringIncludes(message, "damaged");
  },
});

Deno.test("pixmaps are found in a stream however it is cut", async () => {
  const bytes = new TextEncoder().encode(
    "P6\n2 1\n255\nabcdefP6\n1 1\n255\nxyz",
  );
  for (const size of [1, 7, 100]) {
    const parts = Array.from(
      { length: Math.ceil(bytes.length / size) },
      (_, index) => bytes.slice(index * size, (index + 1) * size),
    );
    const pictures = await Array.fromAsync(
      readPpmStream(ReadableStream.from(parts)),
    );
    const texts = pictures.map(({ data }) =>
      new TextDecoder().decode(data as Uint8Array)
    );
    assertEquals(texts, ["abcdef", "xyz"]);
  }
});

Deno.test("the frame on show is picked in the middle of each step", () => {
  const ends = [0.033, 0.067, 0.1];
  assertEquals(pickFrames(ends, 30, {}, "a clip"), [0, 1, 2]);
  assertEquals(pickFrames(ends, 60, {}, "a clip"), [0, 0, 1, 1, 2, 2]);
  assertEquals(pickFrames(ends, 10, {}, "a clip"), [1]);
});
