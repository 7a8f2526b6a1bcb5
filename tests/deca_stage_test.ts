/** The published stage B from the commands: files, pictures, flags. */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { join } from "@std/path";
import { openDevice } from "../engine/mod.ts";
import { runAnimate } from "../pipeline/animate.ts";
import { animateOptions } from "../pipeline/cli/animate_flags.ts";
import { transferOptions } from "../pipeline/cli/transfer_flags.ts";
import { silentContext } from "../pipeline/context.ts";
import { PantomimeError, UsageError } from "../pipeline/errors.ts";
import { readPicture, writePicture } from "../pipeline/media/picture.ts";
import { defaultAnimateOptions } from "../pipeline/options.ts";
import { runTransfer } from "../pipeline/transfer.ts";
import { DecaStage } from "../pipeline/transfer/deca/stage.ts";
import { defaultTransferOptions } from "../pipeline/transfer_options.ts";
import { writeModel } from "./support/deca_files.ts";
import { astronaut } from "./support/geometry.ts";
import { BROWS_EXP, SMILE_EXP } from "./support/head_mesh.ts";
import { smallMannequinFile } from "./support/generator.ts";
import { namesIn, scratch } from "./support/media.ts";
import { portraitSource, psnr, SIDE } from "./support/head_portrait.ts";

/** Files whose encoder finds the portrait's codes in every face, and a performance of two such faces. */
async function writeStage(folder: { file(name: string): string }) {
  const { codes, photo } = await portraitSource();
  const files = await writeModel(folder, codes);
  const driving = folder.file("driving");
  await Deno.mkdir(driving);
  for (const k of [1, 2]) {
    await writePicture(join(driving, `${k}.png`), photo);
  }
  return { files, codes, driving };
}

Deno.test("transfer writes the published frames with what DECA sees in the performance", async () => {
  await using folder = scratch();
  const { files, driving } = await writeStage(folder);
  const notes: string[] = [], context = silentContext();
  const result = await runTransfer({
    ...defaultTransferOptions(),
    ...{ driving, frames: 1, format: "png", eyes: "keep" },
    out: folder.file("raised"),
    deca: { ...files, add: { [BROWS_EXP]: 1.5 } },
  }, {
    ...context,
    progress: { ...context.progress, note: (line) => notes.push(line) },
  });
  assertStringIncludes(notes.join(), "uv_face_eye_mask.png");
  const parts = ["depth", "mask", "masked_rendered_images", "rendered_images"];
  const names = parts.map((part) => `astronaut_000_${part}.png`);
  assertEquals(await namesIn(result.frames), names);
  const photo = await readPicture(result.photo);
  const [, mask, , raised] = await Promise.all(
    names.map((name) => readPicture(join(result.frames, name))),
  );
  // what the encoder says of the performance is what it says of the portrait: only brows move
  assert(psnr(raised, photo, (k) => k < 512 * 220) < 40);
  assert(psnr(raised, photo, (k) => k > 512 * 330) > 45);
  assert(psnr(raised, photo, (k) => mask.data[3 * k] === 0) > 60);
});

Deno.test("animate goes on with what DECA transferred", async () => {
  await using folder = scratch();
  const { files, driving } = await writeStage(folder);
  const generator = folder.file("small.safetensors");
  await Deno.writeFile(generator, await smallMannequinFile());
  const stages: string[] = [], context = silentContext();
  await runAnimate({
    ...defaultAnimateOptions(),
    ...{
      driving,
      generator,
      frames: 1,
      wSteps: 1,
      wNextSteps: 1,
      tuneSteps: 1,
    },
    eyes: "keep",
    out: folder.file("result"),
    deca: { ...files, add: { [SMILE_EXP]: 0.5 } },
  }, {
    ...context,
    progress: {
      ...context.progress,
      stage: (title) => {
        stages.push(title);
        return context.progress.stage(title);
      },
    },
  });
  assert(stages.includes("Transferring expressions"));
  const names = await namesIn(join(folder.file("result"), "frames"));
  assertEquals(names.length, 1);
  const { options } = JSON.parse(
    await Deno.readTextFile(folder.file("result/report.json")),
  );
  assertEquals(options.deca.add, { [SMILE_EXP]: 0.5 });
});

Deno.test("a motion file has nothing that DECA could look at", async () => {
  using device = await openDevice();
  const { portrait } = await astronaut(SIDE);
  await using folder = scratch();
  const { files } = await writeStage(folder);
  using stage = await DecaStage.open(device, files);
  const frame = { name: "x", eyes: "keep", expressionScale: 1 } as const;
  await stage.watch(portrait.picture, null);
  const refused = () => stage.transfer(portrait, frame);
  await assertRejects(refused, PantomimeError, "a motion file has none");
});

Deno.test("frames without a face repeat the one before them", async () => {
  using device = await openDevice();
  await using folder = scratch();
  const { portrait } = await astronaut(64);
  const { files } = await writeStage(folder);
  using stage = await DecaStage.open(device, { ...files, smoothing: true });
  const points = Float32Array.from(portrait.landmarks);
  for (const found of [null, points, null]) {
    await stage.watch(portrait.picture, found);
  }
  const frame = { name: "x", eyes: "keep", expressionScale: 1 } as const;
  const transfer = await stage.transfer(portrait, frame);
  const frames = await Array.fromAsync(transfer.frames());
  assertEquals(transfer.numbers, [0, 1, 2]);
  assertEquals(frames[0].rendered, frames[1].rendered);
  assertEquals(frames[0].rendered, frames[2].rendered);
});

// Flags

Deno.test("--deca keeps the eyes, smooths nothing and takes the target's expression, as published", () => {
  const files = { deca: "deca_model.tar", flame: "generic_model.pkl" };
  const { deca, eyes, smoothing } = animateOptions({ ...files, driving: "x" });
  assertEquals(deca, { ...files, smoothing: false, add: undefined });
  assertEquals([eyes, smoothing], ["keep", undefined]);
  const changed = transferOptions({
    ...{ deca: files.deca, driving: "x", eyes: "follow", smoothing: true },
    flameExp: "0=1.5, 49=-1",
  });
  assertEquals(changed.eyes, "follow");
  const add = { 0: 1.5, 49: -1 };
  assertEquals(changed.deca, {
    ...{ deca: files.deca, flame: undefined, smoothing: true, add },
  });
  assertEquals(animateOptions({}).deca, undefined);
  assertEquals(animateOptions({}).eyes, "follow");
});

Deno.test("flags that do not go with --deca are refused", () => {
  const deca = "deca_model.tar", driving = "x";
  const refused: [Parameters<typeof animateOptions>[0], string][] = [
    [{ flame: "x" }, "--flame says more about --deca"],
    [{ flameExp: "0=1" }, "--flame-exp says more about --deca"],
    [{ deca }, "--driving"],
    [{ deca, driving, expression: "smile=1" }, "--deca and --expression"],
    [{ deca, preprocessed: "x" }, "--deca has no effect"],
    [{ deca, avatar: "x", driving }, "--deca and --avatar"],
    [{ deca, driving, flameExp: "50=1" }, "from 0 to 49"],
    [{ deca, driving, flameExp: "smile=1" }, "component smile"],
  ];
  for (const [values, said] of refused) {
    assertThrows(() => animateOptions(values), UsageError, said);
  }
});
