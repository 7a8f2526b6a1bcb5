/** Pictures and files, and what bad ones get. */
import {
  assertAlmostEquals,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { writeAnimations, writeFrames } from "../pipeline/media/animation.ts";
import { sideBySide } from "../pipeline/media/compare.ts";
import {
  ensureFolder,
  explainFileError,
  isSameFile,
  replaceAtomic,
  requireReplaceable,
  writeFileAtomic,
} from "../pipeline/media/files.ts";
import { formatOf } from "../pipeline/media/format.ts";
import {
  crop,
  encodePng,
  fitWithin,
  readPicture,
  resize,
  writePicture,
} from "../pipeline/media/picture.ts";
import { loadSharp } from "../pipeline/media/sharp.ts";
import { BUNDLED_SOURCE } from "../pipeline/options.ts";
import { clip, namesIn, plain, scratch, sentenceOf } from "./support/media.ts";
import { ROOT, start } from "./support/process.ts";

// Pictures

Deno.test("a photograph is read as rows of red, green and blue", async () => {
  const picture = await readPicture(BUNDLED_SOURCE);
  assertEquals([picture.width, picture.height], [512, 512]);
  assertEquals(picture.data.length, 512 * 512 * 3);
});

Deno.test("a PNG that was written is read back unchanged", async () => {
  await using folder = scratch();
  const picture = plain(5, 3, 10, 200, 30);
  picture.data[0] = 255;
  await writePicture(folder.file("a.png"), picture);
  assertEquals((await readPicture(folder.file("a.png"))).data, picture.data);
});

Deno.test("a photograph taken on its side is turned upright as its EXIF data asks", async () => {
  await using folder = scratch();
  const sharp = await loadSharp();
  const { data } = plain(8, 4, 0, 0, 200);
  data.fill(255, 0, 3 * 2); // the beginning of the top row
  await sharp(data, { raw: { width: 8, height: 4, channels: 3 } }).withMetadata(
    { orientation: 6 },
  )
    .png().toFile(folder.file("a.png"));
  const picture = await readPicture(folder.file("a.png"));
  assertEquals([picture.width, picture.height], [4, 8]);
  assertEquals(picture.data[3 * 3], 255, "what was top left is top right");
});

Deno.test("what is transparent becomes white", async () => {
  await using folder = scratch();
  const sharp = await loadSharp();
  const create = {
    width: 2,
    height: 2,
    channels: 4,
    background: "#ff000000",
  } as const;
  await sharp({ create }).png().toFile(folder.file("a.png"));
  assertEquals(
    [...(await readPicture(folder.file("a.png"))).data.slice(0, 3)],
    [255, 255, 255],
  );
});

Deno.test("grey, sixteen-bit and CMYK pictures are read in three channels of eight bits", async () => {
  await using folder = scratch();
  const sharp = await loadSharp();
  const grey = () =>
    sharp({
      create: { width: 4, height: 4, channels: 3, background: "#808080" },
    });
  await grey().greyscale().png().toFile(folder.file("grey.png"));
  await grey().toColourspace("rgb16").png().toFile(folder.file("deep.png"));
  await grey().toColourspace("cmyk").jpeg({ quality: 100 }).toFile(
    folder.file("cmyk.jpg"),
  );
  for (const name of ["grey.png", "deep.png", "cmyk.jpg"]) {
    const { data } = await readPicture(folder.file(name));
    assertEquals(data.length, 4 * 4 * 3, name);
    // Ink without a profile has no exact colour.
    assertAlmostEquals(data[0], 128, name === "cmyk.jpg" ? 16 : 1, name);
  }
});

Deno.test("of an animation given as a picture the first frame is read", async () => {
  await using folder = scratch();
  await writeAnimations(folder.path, clip(3), 10);
  const { width, height, data } = await readPicture(
    folder.file("animation.gif"),
  );
  assertEquals([width, height], [16, 12]);
  assertAlmostEquals(data[0], 0, 4);
});

Deno.test("a picture that is not there is refused with a sentence that names it", async () => {
  const message = await sentenceOf(() => readPicture("no/such/me.jpg"));
  assertStringIncludes(message, "no/such/me.jpg");
  assertStringIncludes(message, "check the path");
});

Deno.test("a folder given as a picture is refused as a folder", async () => {
  await using folder = scratch();
  assertStringIncludes(
    await sentenceOf(() => readPicture(folder.path)),
    "is a folder",
  );
});

Deno.test("an empty file is refused as empty", async () => {
  await using folder = scratch();
  await Deno.writeFile(folder.file("me.jpg"), new Uint8Array());
  const message = await sentenceOf(() => readPicture(folder.file("me.jpg")));
  assertStringIncludes(message, "me.jpg");
  assertStringIncludes(message, "empty");
});

Deno.test("a truncated PNG, JPEG or WebP is refused with a sentence that names the file", async () => {
  await using folder = scratch();
  const sharp = await loadSharp();
  for (const format of ["png", "jpeg", "webp"] as const) {
    const whole = await sharp(BUNDLED_SOURCE).toFormat(format).toBuffer();
    const path = folder.file(`cut.${format}`);
    await Deno.writeFile(path, whole.subarray(0, whole.length / 2));
    const message = await sentenceOf(() => readPicture(path));
    assertStringIncludes(message, `cut.${format}`);
    assertStringIncludes(message, "damaged or incomplete");
  }
});

Deno.test("a text, a drawing, a video and a HEIC picture are each refused as what they are", async () => {
  await using folder = scratch();
  const cases: [string, string, string][] = [
    ["note.jpg", "dear diary", "not a picture that can be read"],
    ["logo.svg", `<svg xmlns="http://www.w3.org/2000/svg"/>`, "SVG drawing"],
    ["clip.jpg", "\0\0\0\x18ftypmp42", "is a video"],
    ["phone.heic", "\0\0\0\x18ftypheic", "HEIC"],
  ];
  for (const [name, content, says] of cases) {
    await Deno.writeTextFile(folder.file(name), content);
    const message = await sentenceOf(() => readPicture(folder.file(name)));
    assertStringIncludes(message, name);
    assertStringIncludes(message, says);
  }
});

Deno.test("a file's format is told from its content, not from its name", async () => {
  assertEquals(formatOf(await encodePng(plain(1, 1, 0, 0, 0))), "png");
  assertEquals(formatOf(new TextEncoder().encode("\ufeff \n{}")), "json");
  assertEquals(formatOf(new TextEncoder().encode("RIFF????AVI ")), "video");
  assertEquals(formatOf(new Uint8Array()), "unknown");
});

Deno.test("resizing keeps a plain colour and fitting keeps proportions and never enlarges", async () => {
  const small = await resize(plain(40, 20, 9, 80, 200), 10, 30);
  assertEquals([small.width, small.height], [10, 30]);
  assertEquals([...small.data.slice(-3)], [9, 80, 200]);
  const fitted = await fitWithin(plain(40, 20, 1, 2, 3), 10);
  assertEquals([fitted.width, fitted.height], [10, 5]);
  assertEquals((await fitWithin(plain(40, 20, 1, 2, 3), 100)).width, 40);
});

Deno.test("a crop holds the pixels of its rectangle, and one over the edge is refused", () => {
  const picture = {
    width: 3,
    height: 2,
    data: Uint8Array.from({ length: 18 }, (_, at) => at),
  };
  assertEquals(
    crop(picture, { left: 1, top: 1, width: 2, height: 1 }).data,
    picture.data.slice(12),
  );
  assertThrows(
    () => crop(picture, { left: 2, top: 0, width: 2, height: 1 }),
    RangeError,
  );
});

Deno.test("pictures side by side share the first one's height", async () => {
  const row = await sideBySide([plain(4, 6, 1, 1, 1), plain(24, 12, 2, 2, 2)]);
  assertEquals([row.width, row.height], [4 + 12, 6]);
  assertEquals([row.data[0], row.data[4 * 3]], [1, 2]);
});

// Files

Deno.test("a file that could not be written leaves the old one and no trace", async () => {
  await using folder = scratch();
  const path = folder.file("report.json");
  await writeFileAtomic(path, "old");
  await sentenceOf(() =>
    replaceAtomic(path, async (temporary) => {
      await Deno.writeTextFile(temporary, "half of the n");
      throw new Error("pulled the plug");
    })
  );
  assertEquals(await Deno.readTextFile(path), "old");
  assertEquals(await namesIn(folder.path), ["report.json"]);
});

Deno.test({
  name: "a full disk is told in one sentence, and nothing half-written is left",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using folder = scratch();
    // Writing to a device takes all of Deno's permissions, hence a process of its own.
    await Deno.writeTextFile(
      folder.file("fill.ts"),
      `import { replaceAtomic } from "${ROOT}pipeline/media/files.ts";
      const fill = async (temporary: string) => {
        await Deno.symlink("/dev/full", temporary);
        await Deno.writeFile(temporary, new Uint8Array(9));
      };
      await replaceAtomic(Deno.args[0], fill).catch(({ message }) => console.log(message));`,
    );
    const path = folder.file("animation.gif");
    const { out } = await start([folder.file("fill.ts"), path]);
    assertEquals(
      out,
      `The disk is full, so "${path}" was not written; free some space and run again.\n`,
    );
    assertEquals(await namesIn(folder.path), ["fill.ts"]);
  },
});

Deno.test("a folder of results is replaced only when runs wrote all that is in it", async () => {
  await using folder = scratch();
  const frames = folder.file("frames");
  await writeFrames(frames, clip(3));
  await writeFrames(frames, clip(2));
  assertEquals(await namesIn(frames), ["0000.png", "0001.png"]);
  await Deno.writeTextFile(`${frames}/holiday.png`, "mine");
  assertStringIncludes(
    await sentenceOf(() => writeFrames(frames, clip(1))),
    '"holiday.png" in it is none',
  );
  assertEquals((await namesIn(frames)).length, 3);
});

Deno.test("a folder that holds an input is not replaced, by whatever path it is named", async () => {
  await using folder = scratch();
  const frames = folder.file("frames"), link = folder.file("link");
  await writeFrames(frames, clip(1));
  await Deno.symlink(frames, link);
  const check = (input?: string) =>
    requireReplaceable(frames, /^\d+\.png$/, [undefined, input]);
  for (
    const input of [frames, `${frames}/0000.png`, link, `${link}/0000.png`]
  ) {
    assertStringIncludes(
      await sentenceOf(() => check(input)),
      `"${input}" lies in "${frames}"`,
    );
  }
  await Deno.mkdir(folder.file("frames2"));
  await check(folder.file("frames2"));
  await check();
  await requireReplaceable(folder.file("nothing"), /x/, [frames]);
});

Deno.test("two paths to one file are told to be the same", async () => {
  await using folder = scratch();
  await Deno.writeTextFile(folder.file("a"), "");
  await Deno.writeTextFile(folder.file("b"), "");
  await Deno.symlink(folder.file("a"), folder.file("link"));
  assertEquals(await isSameFile(folder.file("a"), folder.file("link")), true);
  assertEquals(await isSameFile(folder.file("a"), folder.file("b")), false);
  assertEquals(await isSameFile(folder.file("a"), folder.file("c")), false);
});

Deno.test("a result folder below a file is refused with a sentence", async () => {
  await using folder = scratch();
  await Deno.writeTextFile(folder.file("taken"), "");
  for (const path of [folder.file("taken"), folder.file("taken/deeper")]) {
    assertStringIncludes(
      await sentenceOf(() => ensureFolder(path)),
      "is a file, not a folder",
    );
  }
});

Deno.test("a place that may not be written to is told in one sentence", async () => {
  const denied = new Deno.errors.PermissionDenied(
    "Permission denied (os error 13)",
  );
  const message = await sentenceOf(() =>
    Promise.reject(explainFileError(denied, "/root/result", "write"))
  );
  assertStringIncludes(message, "/root/result");
  assertStringIncludes(message, "you may not write there");
});

Deno.test({
  name: "writing without Deno's permission says how to start instead",
  permissions: { read: true, env: true, ffi: true, write: false },
  async fn() {
    assertStringIncludes(
      await sentenceOf(() => ensureFolder("result")),
      "./run",
    );
  },
});
