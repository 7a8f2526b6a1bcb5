/**
 * The whole method, from the bundled portrait to the files of a result, with a small generator and
 * a handful of steps: what is tested is that everything fits together, not how good it looks.
 */
import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { join } from "@std/path";
import { openDevice } from "../engine/mod.ts";
import { expressed, runAnimate } from "../pipeline/animate.ts";
import type { RunContext } from "../pipeline/context.ts";
import { PantomimeError } from "../pipeline/errors.ts";
import { openDriving } from "../pipeline/media/driving.ts";
import { readPicture, writePicture } from "../pipeline/media/picture.ts";
import {
  type AnimateOptions,
  BUNDLED_SOURCE,
  defaultAnimateOptions,
} from "../pipeline/options.ts";
import { readMotion } from "../pipeline/reenactment/motion_file.ts";
import { Report } from "../pipeline/report.ts";
import {
  encodeSafetensors,
  generatorWeights,
  readSafetensors,
} from "../weights/mod.ts";
import { pasted, RENDERS, view } from "./support/faces.ts";
import { SMALL, smallMannequinFile } from "./support/generator.ts";
import { assertNear, mean, smilingMotion } from "./support/geometry.ts";
import {
  inFrames,
  namesIn,
  noFfmpeg,
  plain,
  scratch,
  sentenceOf,
} from "./support/media.ts";
import { denoRun, ROOT, start } from "./support/process.ts";

const folder = scratch();
globalThis.addEventListener("unload", () => {
  Deno.removeSync(folder.path, { recursive: true });
});

/** The small generator's file, made once. */
let generatorFile: Promise<string> | undefined;

function generator(): Promise<string> {
  return generatorFile ??= (async () => {
    const path = folder.file("small.safetensors");
    await Deno.writeFile(path, await smallMannequinFile(SMALL));
    return path;
  })();
}

/** The bundled portrait and motion in two frames and the fewest steps that do everything. */
async function options(
  out: string,
  changes: Partial<AnimateOptions> = {},
): Promise<AnimateOptions> {
  return {
    ...defaultAnimateOptions(),
    ...{ frames: 2, wSteps: 2, wNextSteps: 1, tuneSteps: 3 },
    generator: await generator(),
    out: folder.file(out),
    ...changes,
  };
}

/** A context that notes what it is told, and may stop the run. */
interface Listener extends RunContext {
  readonly stages: { title: string; total?: number; done: number }[];
  readonly lines: string[];
  readonly notes: string[];
}

function listen(stopAt?: (title: string, done: number) => boolean): Listener {
  const stop = new AbortController();
  const stages: Listener["stages"] = [];
  const lines: string[] = [], notes: string[] = [];
  return {
    stages,
    lines,
    notes,
    signal: stop.signal,
    print: (line) => void lines.push(line),
    progress: {
      stage: (title, total) => {
        const stage = { title, total, done: 0 };
        stages.push(stage);
        return {
          update: (done) => {
            stage.done = done;
            if (stopAt?.(title, done)) stop.abort();
          },
          finish: () => {},
        };
      },
      note: (line) => void notes.push(line),
      warn: () => {},
    },
  };
}

/** The uninterrupted run that the others are compared with. */
let base: Promise<Listener> | undefined;

function baseRun(): Promise<Listener> {
  return base ??= (async () => {
    const context = listen();
    await runAnimate(await options("base"), context);
    return context;
  })();
}

async function framesOf(out: string): Promise<Uint8Array[]> {
  const place = join(folder.path, out, "frames");
  return await Promise.all(
    (await namesIn(place)).map((name) => Deno.readFile(join(place, name))),
  );
}

Deno.test("a run leaves every file it promises, all readable, and nothing else", async () => {
  await baseRun();
  const out = folder.file("base");
  const names = await namesIn(out);
  assertEquals(
    names,
    [
      "animation.gif",
      ...(noFfmpeg ? [] : ["animation.mp4"]),
      "animation.webp",
      "avatar.safetensors",
      "comparison.webp",
      "frames",
      "motion.json",
      "report.json",
    ],
  );
  for (const name of ["animation.webp", "animation.gif", "comparison.webp"]) {
    const { frames } = inFrames(await openDriving(join(out, name), {}));
    const pictures = await Array.fromAsync(frames);
    const wide = name === "comparison.webp";
    assertEquals(pictures.length, 2, name);
    for (const { width, height } of pictures) {
      assertEquals(height, 256);
      assertEquals(wide ? width > 3 * 256 - 1 : width === 256, true, name);
    }
  }
  const frames = await namesIn(join(out, "frames"));
  assertEquals(frames.length, 2);
  for (const name of frames) {
    const { width, height, data } = await readPicture(
      join(out, "frames", name),
    );
    assertEquals([width, height], [SMALL.side, SMALL.side]);
    const brightness = mean(Array.from(data));
    assert(brightness > 20 && brightness < 235, `${name}: ${brightness}`);
  }
  assertEquals((await readMotion(join(out, "motion.json"))).frames.length, 2);
  const avatar = await readSafetensors(join(out, "avatar.safetensors"));
  assertEquals(avatar.metadata.format, "pantomime-avatar");
  assertEquals(avatar.tensors.get("avatar.ws")!.shape, [2, 256]);
});

Deno.test("the report says what was done, how long it took and how good it is", async () => {
  await baseRun();
  const path = join(folder.file("base"), "report.json");
  const report = JSON.parse(await Deno.readTextFile(path));
  assert(report.adapter.description.length > 0);
  assert(["cpu", "gpu"].includes(report.adapter.profile));
  assertEquals(report.deno, Deno.version.deno);
  assertEquals([report.frames, report.options.seed], [2, 0]);
  assert(report.fps > 0);
  assertEquals(report.settings.projection.firstSteps, 2);
  assertEquals(report.settings.tuning.steps, 3);
  assertEquals(Object.keys(report.seconds), [
    ...["portrait", "performance", "transfer", "projection", "tuning"],
    ...["rendering", "writing", "measuring", "total"],
  ]);
  const { total, ...parts } = report.seconds as Record<string, number>;
  const sum = Object.values(parts).reduce((a, b) => a + b, 0);
  assert(sum <= total + 0.1 && sum > 0);
  assertEquals(report.steps, { projection: 2 + 2 * 1, tuning: 3 });
  assert(report.peakGpuBytes > 1e6 && report.peakProcessBytes > 1e6);
  assertEquals(report.losses.projection.length, 3);
  assert(report.losses.tuning.every(Number.isFinite));
  const { sourcePsnr, identity, poseErrorDegrees, mouthCorrelation } =
    report.quality;
  assert(sourcePsnr > 8 && sourcePsnr < 40, `${sourcePsnr}`);
  if (report.quality.framesWithFace > 0) {
    assert(identity >= 0 && identity <= 1, `${identity}`);
    assert(poseErrorDegrees >= 0 && poseErrorDegrees < 180);
    assert(mouthCorrelation === null || Math.abs(mouthCorrelation) <= 1.001);
  }
});

Deno.test("progress names the stages in order, and each one gets to its end", async () => {
  const { stages, lines } = await baseRun();
  const titles = stages.map(({ title }) => title);
  assertEquals(titles, [
    "Transferring expressions",
    "Inverting",
    "Tuning",
    "Rendering",
    "Measuring",
  ]);
  for (const { title, total, done } of stages) assertEquals(done, total, title);
  assertStringIncludes(lines.join("\n"), "animation.webp");
  assertStringIncludes(lines.join("\n"), "report.json");
});

Deno.test("a run that was stopped goes on where it was and ends with the same pictures", async () => {
  await baseRun();
  const stopped = listen((title, done) => title === "Tuning" && done === 2);
  const error = await assertRejects(
    async () => await runAnimate(await options("stopped"), stopped),
    DOMException,
  );
  assertEquals(error.name, "AbortError");
  const out = folder.file("stopped");
  assertEquals(await namesIn(out), ["unfinished"]);

  // other settings are another run
  const message = await sentenceOf(async () =>
    await runAnimate(
      await options("stopped", { resume: true, seed: 5 }),
      listen(),
    )
  );
  assertStringIncludes(message, "other inputs or settings");

  const resumed = listen();
  await runAnimate(await options("stopped", { resume: true }), resumed);
  const inverting = resumed.stages.find(({ title }) => title === "Inverting")!;
  assertEquals(inverting.done, 0, "the latents were found before");
  assert(!(await namesIn(out)).includes("unfinished"));
  assertEquals(await framesOf("stopped"), await framesOf("base"));
  const both = await Promise.all(
    ["base", "stopped"].map((name) =>
      Deno.readFile(join(folder.path, name, "avatar.safetensors"))
    ),
  );
  assertEquals(both[1], both[0]);
});

Deno.test("an avatar follows another performance on an orbit, without being inverted again", async () => {
  await baseRun();
  const clip = folder.file("clip");
  await Deno.mkdir(clip);
  for (const name of ["head05_0.png", "head05_1.png", "head15_2.png"]) {
    await Deno.copyFile(join(RENDERS, name), join(clip, name));
  }
  const avatar = join(folder.file("base"), "avatar.safetensors");
  const context = listen();
  await runAnimate(
    await options("avatar", {
      avatar,
      generator: undefined,
      driving: clip,
      orbit: 20,
      frames: 3,
    }),
    context,
  );
  const titles = context.stages.map(({ title }) => title);
  assertEquals(titles, ["Following the performance", "Rendering", "Measuring"]);
  const out = folder.file("avatar");
  const frames = await framesOf("avatar");
  assertEquals(frames.length, 3);
  assertNotEquals(frames[1], frames[0]);
  assert(!(await namesIn(out)).includes("unfinished"));
  const report = JSON.parse(
    await Deno.readTextFile(join(out, "report.json")),
  );
  assertEquals([report.frames, report.options.orbit], [3, 20]);
  assertEquals(report.losses, {});
  // the tracked motion can be used again
  assertEquals((await readMotion(join(out, "motion.json"))).frames.length, 3);
});

Deno.test("an avatar's performance is scaled before it is shown, a portrait's in stage B", () => {
  const motion = smilingMotion(), expressionScale = 0;
  const still = expressed(motion, { avatar: "a.safetensors", expressionScale });
  for (const { points } of still.frames) {
    assertNear(points, motion.rest.points, 1e-12);
  }
  assertEquals(expressed(motion, { expressionScale }), motion);
  assertEquals(expressed(motion, { avatar: "a", expressionScale: 1 }), motion);
});

Deno.test("the avatar's generator is a generator that can be loaded", async () => {
  await baseRun();
  const path = join(folder.file("base"), "avatar.safetensors");
  const { config, tensors } = generatorWeights(
    await readSafetensors(path),
    path,
  );
  assertEquals(config.img_resolution, SMALL.side);
  const untuned = await readSafetensors(await generator());
  for (const name of untuned.tensors.keys()) {
    if (!name.endsWith("resample_filter")) assert(tensors.has(name), name);
  }
});

// What decides whether a run can be resumed

Deno.test("a run is another one when the content of its inputs changes, not when its views do", async () => {
  await using place = scratch();
  using device = await openDevice();
  const paths = ["driving", "preprocessed"].map((name) => place.file(name));
  for (const path of paths) {
    await Deno.mkdir(path);
    await Deno.writeTextFile(join(path, "1.png"), "1");
  }
  const [driving, preprocessed] = paths;
  const deca = place.file("deca.tar"), flame = place.file("flame.pkl");
  await Deno.writeTextFile(deca, "deca");
  await Deno.writeTextFile(flame, "flame");
  const given: AnimateOptions = {
    ...defaultAnimateOptions(),
    ...{ driving, preprocessed, deca: { deca, flame } },
  };
  const of = async (changes: Partial<AnimateOptions> = {}) =>
    JSON.stringify(
      await new Report(device, { ...given, ...changes }).fingerprint(),
    );
  let before = await of();
  assert(!before.includes(place.path), "files count by content");
  const { files } = JSON.parse(before);
  assertEquals(files.indexOf(""), 3, "only the source's camera is no file");
  assertEquals(files.lastIndexOf(""), 3, "the mannequin is a file");
  assertEquals(await of({ pose: "source", poseScale: 2, orbit: 9 }), before);
  assertNotEquals(await of({ seed: 1 }), before);
  await Deno.writeTextFile(join(driving, ".DS_Store"), "");
  assertEquals(await of(), before);
  for (
    const file of [
      ...paths.flatMap((path) => [join(path, "1.png"), join(path, "2.png")]),
      ...[deca, flame],
    ]
  ) {
    await Deno.writeTextFile(file, "changed");
    const after = await of();
    assertNotEquals(after, before, file);
    before = after;
  }
});

Deno.test("what will not do is told before the performance is followed", async () => {
  const clip = folder.file("long clip"), nobody = folder.file("nobody.png");
  await Deno.mkdir(clip);
  await Deno.copyFile(join(RENDERS, "head05_0.png"), join(clip, "1.png"));
  await writePicture(nobody, plain(200, 200, 120, 130, 140));
  const told = async (changes: Partial<AnimateOptions>) => {
    const context = listen();
    const error = await assertRejects(
      async () =>
        await runAnimate(
          await options("early", { driving: clip, ...changes }),
          context,
        ),
      Error,
    );
    assertEquals(context.stages, []);
    return [error.message, ...context.notes].join(" ");
  };
  const faceless = await told({ source: nobody, resume: true });
  assertStringIncludes(faceless, "No face was found");
  assertStringIncludes(faceless, "There is no unfinished run in");
  await Deno.mkdir(join(folder.file("early"), "unfinished"));
  const record = join(folder.file("early"), "unfinished", "run.json");
  await Deno.writeTextFile(record, "{}");
  assertStringIncludes(await told({ resume: true }), "had other inputs");
  const own = join(folder.file("early"), "frames");
  await Deno.mkdir(own);
  await Deno.copyFile(join(RENDERS, "head05_0.png"), join(own, "0000.png"));
  assertStringIncludes(
    await told({ driving: own }),
    "which the results replace",
  );
});

// What goes wrong, as a process

const animate = (...flags: string[]) =>
  start([
    join(ROOT, "pipeline/cli/animate.ts"),
    ...["--frames", "1"],
    // an avatar is tuned already
    ...flags.includes("--avatar")
      ? []
      : ["--w-steps", "1", "--tune-steps", "0"],
    ...flags,
  ]);

/** The complaint of a run that must fail with one sentence and code 1. */
async function complaint(...flags: string[]): Promise<string> {
  const { code, out, err } = await animate(...flags);
  // progress of the stages before is no complaint
  const lines = err.trim().split("\n").filter((line) => /^error/.test(line));
  assertEquals([code, out, lines.length], [1, "", 1], err);
  assert(!err.includes("    at "), err);
  assert(/^error: [A-Z"\/].*\.$/.test(lines[0]), lines[0]);
  return lines[0];
}

Deno.test("bad input ends with one sentence that names the file, and exit code 1", async () => {
  const nothing = folder.file("nothing.png");
  await writePicture(nothing, plain(200, 200, 120, 130, 140));
  const astronaut = await readPicture(BUNDLED_SOURCE);
  const whole = { x: 256, y: 256, side: 512, angle: 0 };
  const tiny = folder.file("tiny.png");
  await writePicture(
    tiny,
    pasted([[view(astronaut, whole, 128), 60, 40]], 320, 240),
  );
  const text = folder.file("notes.safetensors");
  await Deno.writeTextFile(text, "this is no avatar and no generator");
  const small = await generator();
  const found = await Promise.all([
    ["--source", nothing],
    ["--source", tiny],
    ["--generator", text],
    ["--avatar", text],
    ["--avatar", small],
  ].map((flags) => complaint(...flags, "--out", folder.file("failed"))));
  assertStringIncludes(found[0], `No face was found in "${nothing}"`);
  assertStringIncludes(found[1], `The face in "${tiny}" is too small`);
  assertStringIncludes(found[2], text);
  assertStringIncludes(found[3], text);
  assertStringIncludes(found[4], `"${small}" is not an avatar`);
  // nothing half done stays behind
  assertEquals(await namesIn(folder.file("failed")), []);
});

Deno.test("an avatar that lacks a part is refused in one sentence", async () => {
  await baseRun();
  const whole = await readSafetensors(
    join(folder.file("base"), "avatar.safetensors"),
  );
  for (
    const part of ["avatar.ws", "avatar.face_mask", "decoder.net.0.weight"]
  ) {
    const tensors = new Map(whole.tensors);
    tensors.delete(part);
    const path = folder.file("part.safetensors");
    await Deno.writeFile(
      path,
      encodeSafetensors({ metadata: whole.metadata, tensors }),
    );
    const error = await assertRejects(
      async () =>
        await runAnimate(
          await options("part", { avatar: path, generator: undefined }),
          listen(),
        ),
      Error,
    );
    assertStringIncludes(error.message, part);
    assert(
      error instanceof PantomimeError || error.name === "WeightsError",
      error.name,
    );
  }
});

Deno.test("Ctrl-C ends a run with 130 and keeps what was finished", async () => {
  const out = folder.file("interrupted");
  const child = new Deno.Command(Deno.execPath(), {
    args: denoRun(
      join(ROOT, "pipeline/cli/animate.ts"),
      ...["--frames", "1", "--w-steps", "1", "--w-next-steps", "0"],
      ...["--tune-steps", "100000", "--generator", await generator()],
      ...["--out", out],
    ),
    env: { INIT_CWD: folder.path },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let said = "", sent = false;
  const decoder = new TextDecoder();
  for await (const part of child.stderr) {
    said += decoder.decode(part, { stream: true });
    if (!sent && said.includes("Tuning")) {
      child.kill("SIGINT");
      sent = true;
    }
  }
  const { code } = await child.status;
  await child.stdout.cancel();
  assertEquals(code, 130, said);
  assertStringIncludes(said, "--resume goes on from there.");
  assertEquals(await namesIn(out), ["unfinished"]);
  const kept = await namesIn(join(out, "unfinished"));
  assert(kept.includes("latents.safetensors"), `${kept}`);
});
