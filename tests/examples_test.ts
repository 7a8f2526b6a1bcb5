/** The examples do what they say. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { openDevice } from "../engine/mod.ts";
import { animate } from "../examples/animate.ts";
import { checkBlobs, fitBlobs } from "../examples/custom_kernel.ts";
import { fitPicture } from "../examples/fit_picture.ts";
import { renderHead, sheet, YAWS } from "../examples/render_heads.ts";
import { largest, runGraphModel } from "../examples/run_graph_model.ts";
import { spirals, trainMlp } from "../examples/train_mlp.ts";
import * as everything from "../mod.ts";
import { crop, readPicture, resize } from "../pipeline/media/picture.ts";
import { BUNDLED_SOURCE } from "../pipeline/options.ts";
import { psnr } from "../pipeline/quality.ts";
import { findNpmPackage } from "../weights/mod.ts";
import {
  SMALL,
  smallGenerator,
  smallMannequinFile,
} from "./support/generator.ts";
import { scratch } from "./support/media.ts";
import { denoRun, ROOT } from "./support/process.ts";

Deno.test("examples/animate.ts animates and says how far it is", async () => {
  await using folder = scratch();
  const generator = folder.file("small.safetensors");
  await Deno.writeFile(generator, await smallMannequinFile(SMALL));
  const said: string[] = [];
  const report = await animate({
    ...{ generator, out: folder.file("out") },
    ...{ frames: 1, wSteps: 2, wNextSteps: 0, tuneSteps: 0 },
  }, (line) => said.push(line));
  assert(report.quality!.sourcePsnr! > 5);
  const text = said.join("\n");
  assertStringIncludes(text, "Inverting ...\nInverting 50 %\nInverting 100 %");
  assertStringIncludes(text, folder.file("out"));
  await Deno.stat(join(folder.file("out"), "animation.webp"));
});

Deno.test("examples/render_heads.ts shows a head from several sides", async () => {
  using device = await openDevice();
  const generator = await smallGenerator(device);
  const row = await renderHead(device, generator, 3);
  assertEquals(row.length, YAWS.length);
  const all = sheet([row, row]);
  assertEquals([all.width, all.height], [5 * SMALL.side, 2 * SMALL.side]);
  const box = { left: 64, top: 64, width: 64, height: 64 };
  assertEquals([...crop(all, box).data], [...row[1].data]);
  assert(psnr(row[0].data, row[4].data) < 30);
});

Deno.test("examples/fit_picture.ts learns a picture", async () => {
  using device = await openDevice();
  const face = crop(await readPicture(BUNDLED_SOURCE), {
    ...{ left: 135, top: 36, width: 180, height: 180 },
  });
  const picture = await resize(face, 32, 32);
  const losses: number[] = [];
  const fitted = await fitPicture(device, picture, {
    steps: 150,
    hidden: 32,
    onLoss: (_, loss) => losses.push(loss),
  });
  assertEquals(losses.length, 3);
  assert(losses[2] < 0.6 * losses[0], `${losses}`);
  const quality = psnr(fitted.data, picture.data);
  assert(quality > 20, `${quality} dB`);
});

Deno.test({
  name: "examples/train_mlp.ts tells two spirals apart, without any permission",
  permissions: "none",
  fn: async () => {
    using device = await openDevice();
    const { losses, accuracy } = await trainMlp(
      device,
      spirals(400, 1),
      spirals(300, 2),
      150,
    );
    assertEquals(losses.length, 10);
    assert(losses[9] < 0.3 * losses[0], `${losses}`);
    assert(accuracy > 0.95, `${accuracy}`);
  },
});

Deno.test("examples/custom_kernel.ts holds its kernels to double precision and draws a picture", async () => {
  assertEquals(await checkBlobs(), []);
  using device = await openDevice();
  const face = crop(await readPicture(BUNDLED_SOURCE), {
    ...{ left: 135, top: 36, width: 180, height: 180 },
  });
  const picture = await resize(face, 24, 24);
  const drawn = await fitBlobs(device, picture, { count: 60, steps: 60 });
  const quality = psnr(drawn.data, picture.data);
  assert(quality > 17, `${quality} dB`);
});

Deno.test("examples/run_graph_model.ts tells a woman in her middle years from her photograph", async () => {
  using device = await openDevice();
  const face = crop(await readPicture(BUNDLED_SOURCE), {
    ...{ left: 135, top: 36, width: 180, height: 180 },
  });
  const { folder } = findNpmPackage("@vladmandic/human");
  const outputs = await runGraphModel(
    device,
    `${folder}/models/faceres.json`,
    face,
    [0, 255],
  );
  const of = (size: number) =>
    outputs.find(({ data }) => data.length === size)!;
  assertEquals(outputs.map(({ data }) => data.length).sort(), [1, 100, 1024]);
  const [male] = of(1).data;
  assert(male < 0.4, `${male}`);
  const age = of(100).data.reduce((sum, p, k) => sum + p * (k + 0.5), 0);
  assert(age > 20 && age < 50, `${age} years`);
  assertEquals(
    largest({ ...of(1), data: Float32Array.of(2, 5, 3) }, 2),
    "1: 5.000, 2: 3.000",
  );
});

Deno.test("an example runs as a program, and says in one sentence what is wrong", async () => {
  await using folder = scratch();
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: denoRun(join(ROOT, "examples/animate.ts"), "/no/such/picture.jpg"),
    cwd: folder.path,
  }).output();
  assertEquals(code, 1);
  assertEquals(
    new TextDecoder().decode(stderr).trim(),
    'There is no file or folder "/no/such/picture.jpg"; check the path.',
  );
});

Deno.test("mod.ts offers the whole method, its stages and its errors", () => {
  const names = Object.keys(everything);
  for (
    const name of [
      ...["runAnimate", "defaultAnimateOptions", "silentContext", "openDevice"],
      ...[
        "loadPortrait",
        "expressionTargets",
        "project",
        "tune",
        "renderFrames",
      ],
      ...["loadMannequin", "loadGenerator", "mapping", "synthesis", "render"],
      ...["loadAvatar", "saveAvatar", "readMotion", "PantomimeError"],
      ...["WeightsError", "EngineError"],
    ]
  ) assert(names.includes(name), name);
});
