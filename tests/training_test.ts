/** Training: it lowers the loss, goes on exactly, and leaves what it promises. */
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { join } from "@std/path";
import {
  cameraRays,
  normals,
  openDevice,
  Random,
  reshape,
} from "../engine/mod.ts";
import { type RunContext, silentContext } from "../pipeline/context.ts";
import { PantomimeError, UsageError } from "../pipeline/errors.ts";
import { planes as makePlanes } from "../pipeline/generator/backbone.ts";
import { mapping } from "../pipeline/generator/mapping.ts";
import { renderRays } from "../pipeline/generator/renderer/march.ts";
import { render } from "../pipeline/generator/renderer/renderer.ts";
import { loadGenerator } from "../pipeline/generator/state.ts";
import { readPicture } from "../pipeline/media/picture.ts";
import { beginning } from "../training/begin.ts";
import { Draw } from "../training/draw.ts";
import { TRAIN_FLAGS, trainOptions } from "../training/flags.ts";
import { drawHead, heldOutShots, measureHeldOut } from "../training/heldout.ts";
import { VARIED_LATENT } from "../training/heads/latent.ts";
import {
  freshWeights,
  grownWeights,
  variedWeights,
} from "../training/initial.ts";
import { readLog, TrainingLog } from "../training/log.ts";
import { train } from "../training/loop.ts";
import { defaultTrainOptions, type TrainOptions } from "../training/options.ts";
import { drawWindow, windowLabel, windowOf } from "../training/piece.ts";
import { rayOf } from "../training/rays.ts";
import { FILES, type TrainingRecord } from "../training/result.ts";
import { nextLeg, rateFactor } from "../training/schedule.ts";
import { SittingClock } from "../training/sitting.ts";
import { teachMapping } from "../training/teach.ts";
import { parseFlags } from "../pipeline/cli/args.ts";
import {
  encodeSafetensors,
  fromFloat32,
  type GeneratorWeights,
  readGenerator,
  readSafetensors,
} from "../weights/mod.ts";
import {
  labelAt,
  latent,
  smallGenerator,
  smallMannequin,
  TINY,
} from "./support/generator.ts";
import { scratch } from "./support/media.ts";
import { Teacher } from "./support/teacher.ts";

/** One for all tests: most of their time would go into compiling kernels. */
const device = await openDevice();
Deno.test.afterAll(() => device.close());

/** A little training that stops after some steps. */
function quick(out: string, changed: Partial<TrainOptions> = {}): TrainOptions {
  return {
    ...defaultTrainOptions(),
    out,
    steps: 20,
    rays: 64,
    views: 2,
    saveSeconds: Infinity,
    ...changed,
  };
}

/** Weights that have forgotten some of what they knew. */
function blurred(
  { config, tensors }: GeneratorWeights,
  share: number,
): GeneratorWeights {
  const forgot = [...tensors].map(([name, { shape, data }], k) => {
    const learned = /backbone\.synthesis\..*weight$/.test(name);
    const size = Math.sqrt(data.reduce((a, v) => a + v * v, 0) / data.length);
    const noise = learned ? normals(7, k, data.length) : null;
    const changed = noise
      ? data.map((v, i) => v + share * size * noise[i])
      : data;
    return [name, { shape, data: changed }] as const;
  });
  return { config, tensors: new Map(forgot) };
}

async function write(path: string, weights: GeneratorWeights): Promise<string> {
  await Deno.writeFile(
    path,
    encodeSafetensors({
      metadata: { config: JSON.stringify(weights.config) },
      tensors: new Map(
        [...weights.tensors].map(([name, t]) => [name, fromFloat32(t)]),
      ),
    }),
  );
  return path;
}

/** A tiny teacher, and a file of a pupil that knows less. */
async function school(
  file: string,
): Promise<{ teacher: Teacher; from: string }> {
  const known = await smallMannequin(TINY);
  return {
    teacher: new Teacher(device, known),
    from: await write(file, blurred(known, 0.2)),
  };
}

/** A training from its options alone. */
async function learn(
  teacher: Teacher,
  options: TrainOptions,
  context: RunContext,
): Promise<TrainingRecord> {
  return await train(
    device,
    teacher,
    await beginning(options),
    options,
    context,
  );
}

Deno.test("A pupil comes closer to its teacher, and everything that is promised is in the folder", async () => {
  await using folder = scratch();
  const { teacher, from } = await school(folder.file("pupil"));
  const out = folder.file("out");
  const options = quick(out, { from, steps: 30, rate: 30 });
  const record = await learn(teacher, options, silentContext());
  const { before, after } = record.figures;
  assert(after.psnr > before.psnr + 0.5, `${before.psnr} to ${after.psnr} dB`);
  assert(after.distanceError < before.distanceError);
  assertEquals([record.steps, record.headsSeen], [30, 30]);

  const lines = await readLog(join(out, FILES.log));
  const losses = lines.flatMap(({ loss }) =>
    typeof loss === "number" ? loss : []
  );
  assertEquals(losses.length, 3);
  assert(losses[2] < losses[0], `losses ${losses}`);
  assertEquals(lines.filter(({ heldOut }) => heldOut).length, 2);

  const sheet = await readPicture(join(out, "previews", "step-0000030.png"));
  assertEquals([sheet.width, sheet.height], [8 * TINY.side, 3 * TINY.side]);
  assertEquals(
    JSON.parse(await Deno.readTextFile(join(out, FILES.record))),
    JSON.parse(JSON.stringify(record)),
  );
  const full = await readGenerator(join(out, FILES.full));
  const half = await readSafetensors(join(out, FILES.half));
  assertEquals(
    [...full.tensors.keys()].sort(),
    [...half.tensors.keys()].sort(),
  );
  assertEquals(full.config.img_resolution, TINY.side);
  assertEquals(JSON.parse(half.metadata.config).steps, 30);
  assert([...half.tensors.values()].every(({ dtype }) => dtype === "F16"));
  const left = [...Deno.readDirSync(out)].map(({ name }) => name).sort();
  assertEquals(left, Object.values(FILES).sort());
});

Deno.test("Half precision takes the same way as single precision", async () => {
  await using folder = scratch();
  const { teacher, from } = await school(folder.file("pupil"));
  const runs = [];
  for (const precision of ["f32", "f16"] as const) {
    const out = folder.file(precision);
    const options = quick(out, { from, steps: 10, rate: 30, precision });
    const { figures } = await learn(teacher, options, silentContext());
    const { tensors } = await readGenerator(join(out, FILES.full));
    runs.push({ figures, tensors });
  }
  const [single, half] = runs;
  assertAlmostEquals(half.figures.after.psnr, single.figures.after.psnr, 0.2);
  const start = (await readGenerator(from)).tensors;
  const name = "backbone.synthesis.b8.conv1.weight";
  const moved = runs.map(({ tensors }) =>
    tensors.get(name)!.data.map((v, k) => v - start.get(name)!.data[k])
  );
  const product = (a: Float32Array, b: Float32Array) =>
    a.reduce((sum, v, k) => sum + v * b[k], 0);
  const cosine = product(moved[0], moved[1]) /
    Math.sqrt(product(moved[0], moved[0]) * product(moved[1], moved[1]));
  assert(cosine > 0.95 && cosine < 1, `cosine ${cosine}`);
});

Deno.test("A training that was stopped ends in the same bits as one that was not", async () => {
  await using folder = scratch();
  const { teacher, from } = await school(folder.file("pupil"));
  const options = { from, steps: 6, batch: 2, accumulate: 2 };
  const whole = quick(folder.file("whole"), options);
  await learn(teacher, whole, silentContext());
  const halved = quick(folder.file("halved"), options);
  const pressed = new AbortController();
  teacher.drawn = 0;
  // previews and a full shelf take fewer: Ctrl-C comes while new heads are drawn
  teacher.onDraw = () => teacher.drawn > 60 && pressed.abort();
  await assertRejects(
    () => learn(teacher, halved, silentContext(pressed.signal)),
    DOMException,
  );
  const { step } = (await readLog(join(halved.out, FILES.log))).at(-1)!;
  assert(step > 0 && step < 6, `stopped at step ${step}`);
  await learn(teacher, { ...halved, resume: true }, silentContext());

  for (const name of [FILES.checkpoint, FILES.full]) {
    const [a, b] = await Promise.all(
      [whole, halved].map(({ out }) => readSafetensors(join(out, name))),
    );
    assertEquals(a.tensors.size, b.tensors.size);
    for (const [tensor, { bytes }] of a.tensors) {
      assertEquals(bytes, b.tensors.get(tensor)!.bytes, `${name}: ${tensor}`);
    }
  }
  const [first, second] = await Promise.all(
    [whole, halved].map(({ out }) => readLog(join(out, FILES.log))),
  );
  assertEquals(first.at(-1)!.heldOut, second.at(-1)!.heldOut);
});

Deno.test("A training is neither overwritten nor made up, and goes on with its own settings only", async () => {
  await using folder = scratch();
  const { teacher, from } = await school(folder.file("pupil"));
  const options = quick(folder.file("out"), { from, steps: 1 });
  const again = (changed: Partial<TrainOptions>) => () =>
    learn(teacher, { ...options, ...changed }, silentContext());
  await assertRejects(
    again({ resume: true }),
    PantomimeError,
    "no training in",
  );
  await again({})();
  await assertRejects(again({}), PantomimeError, "go on with --resume");
  await assertRejects(
    again({ resume: true, rays: 65 }),
    PantomimeError,
    "ran with rays 64, not 65",
  );
  await assertRejects(
    again({ resume: true, resolution: 64 }),
    PantomimeError,
    "draws 32 px, not 64",
  );
});

Deno.test("A perfect copy has the best figures there are", async () => {
  const weights = await smallMannequin(TINY);
  const teacher = new Teacher(device, weights);
  const shots = await heldOutShots(device, teacher, 2, 2, TINY.side);
  const { figures } = await measureHeldOut(device, teacher.generator, shots);
  assertEquals([figures.psnr, figures.maskIou], [60, 1]);
  assertAlmostEquals(figures.distanceError, 0, 1e-6);
  const worse = loadGenerator(device, blurred(weights, 0.2));
  const other = (await measureHeldOut(device, worse, shots)).figures;
  assert(other.psnr < 40 && other.distanceError > 1e-4);
});

Deno.test("However many heads are held out, the first are the same ones", async () => {
  const teacher = new Teacher(device, await smallMannequin(TINY));
  const photographed = (heads: number) =>
    heldOutShots(device, teacher, heads, 1, TINY.side);
  const few = await photographed(3), many = await photographed(11);
  assertEquals([many.heads, many.labels.length], [11, 11 * 25]);
  const { picture } = few;
  assertEquals(many.picture.length, 11 * picture.length / 3);
  const error = picture.map((v, k) => Math.abs(v - many.picture[k]));
  assert(Math.max(...error) < 1e-3);
});

Deno.test("Single rays see what the pixels of a picture show", async () => {
  using _scope = device.scope();
  const generator = await smallGenerator(device, TINY), { config } = generator;
  const label = labelAt(device, 15, 5),
    side = config.neural_rendering_resolution;
  const planes = makePlanes(
    generator,
    mapping(generator, latent(device, generator, "rays"), label),
  );
  const random = new Random(device, 3), count = side * side;
  const noise = {
    jitter: random.uniform([count, config.depth_resolution]),
    u: random.uniform([count, config.depth_resolution_importance]),
  };
  const rays = reshape(cameraRays(label, side), [count, 6]);
  const single = renderRays(generator, planes, rays, noise);
  const picture = render(generator, planes, label, {
    noise: {
      jitter: reshape(noise.jitter, [1, ...noise.jitter.shape]),
      u: reshape(noise.u, [1, ...noise.u.shape]),
    },
  });
  const [colours, features, opacity, wanted] = await device.read(
    single.colours,
    picture.features,
    single.opacity,
    picture.opacity,
  );
  for (let k = 0; k < count; k++) {
    assertAlmostEquals(opacity[k], wanted[k], 1e-5);
    for (let c = 0; c < 3; c++) {
      assertAlmostEquals(colours[3 * k + c], features[c * count + k], 1e-5);
    }
  }
});

Deno.test("A window's camera sees the rays of its pixels", async () => {
  const { config } = await smallMannequin(TINY);
  const label = await labelAt(device, 20, -10).data();
  const window = drawWindow(config, new Draw(1));
  const full = config.neural_rendering_resolution;
  const narrowed = windowLabel(label, config, window);
  for (const [row, column] of [[0, 0], [3, 5], [window.size - 1, 1]]) {
    const own = rayOf(narrowed, window.size, row * window.size + column);
    const at = (window.y + row) * full + window.x + column;
    rayOf(label, full, at).forEach((v, k) =>
      assertAlmostEquals(own[k], v, 1e-6)
    );
  }
  const picture = Float32Array.from({ length: 3 * full ** 2 }, (_, k) => k);
  const cut = windowOf(picture, config, window);
  assertEquals(cut.length, 3 * window.size ** 2);
  assertEquals(cut[window.size + 1], (window.y + 1) * full + window.x + 1);
});

Deno.test("A grown generator begins by drawing the picture of before, twice as large", async () => {
  const weights = await smallMannequin(TINY);
  const label = await labelAt(device).data(), z = normals(3, 0, 36);
  const draw = async (own: GeneratorWeights) => {
    const [{ image }] = await drawHead(
      device,
      loadGenerator(device, own),
      z,
      label,
    );
    return image;
  };
  const large = await draw(grownWeights(weights, 2 * TINY.side, 0));
  const small = await draw(weights);
  assertEquals(large.length, 4 * small.length);
  const side = TINY.side;
  let apart = 0;
  for (let k = 0; k < small.length; k++) {
    const row = Math.floor(k / side), at = 4 * row * side + 2 * (k % side);
    const mean = [0, 1, 2 * side, 2 * side + 1]
      .reduce((sum, step) => sum + large[at + step] / 4, 0);
    apart += Math.abs(mean - small[k]) / small.length;
  }
  assert(apart < 0.1, `${apart} apart`);
});

Deno.test("The first lesson lets an affine layer read latents off w", async () => {
  const weights = freshWeights(await smallMannequin(TINY), 1);
  const teacher = new Teacher(device, weights);
  const errors = [];
  for (const steps of [1, 60]) {
    const pupil = loadGenerator(device, weights);
    errors.push(await teachMapping(device, pupil, teacher, 1, steps));
  }
  assert(errors[1] < 0.7 * errors[0], `errors ${errors}`);
});

Deno.test("With variety a generator begins with the heads that it had, and other latents than the mannequin's are refused", async () => {
  const weights = await smallMannequin(TINY), { z_dim } = weights.config;
  const varied = variedWeights(weights);
  assertEquals(varied.config.z_dim, VARIED_LATENT);
  assertEquals(variedWeights(varied), varied);
  const z = normals(1, 0, z_dim), more = VARIED_LATENT - z_dim;
  // as long as a latent of its width, whatever it says more
  const rest = normals(2, 0, more);
  const scale = Math.hypot(...z) / Math.hypot(...rest) *
    Math.sqrt(more / z_dim);
  const long = [...z, ...rest.map((v) => scale * v)];
  using _scope = device.scope();
  const [w, wide] = await device.read(
    ...([[weights, [...z]], [varied, long]] as const).map(([given, latent]) =>
      mapping(
        loadGenerator(device, given),
        device.tensor(latent, [1, latent.length]),
        device.zeros([1, 25]),
      )
    ),
  );
  w.forEach((v, k) => assertAlmostEquals(v, wide[k], 1e-4));
  const other = { ...weights, config: { ...weights.config, z_dim: 512 } };
  assertThrows(() => variedWeights(other), PantomimeError, "--variety");
});

Deno.test("A training from nothing looks at points first", async () => {
  await using folder = scratch();
  const weights = await smallMannequin(TINY);
  const teacher = new Teacher(device, weights);
  const from = await write(folder.file("fresh"), freshWeights(weights, 1));
  const options = quick(folder.file("out"), { from, steps: 20, points: 10 });
  await learn(teacher, options, silentContext());
  const lines = await readLog(join(options.out, FILES.log));
  const told = lines.filter(({ loss }) => loss !== undefined);
  assertEquals(told.map((line) => "missing" in line), [true, false]);
});

Deno.test("Rates warm up, stay, and cool to nothing; a sitting after the end begins anew", () => {
  const leg = nextLeg({ first: 0, cooling: null }, 0, { steps: 1000 });
  assertEquals(leg, { first: 0, cooling: { from: 700, to: 1000 } });
  const rates = [0, 100, 699, 850, 1000].map((step) => rateFactor(step, leg));
  assertEquals(rates, [0.005, 0.505, 1, 0.5, 0]);
  assertEquals(nextLeg(leg, 1000, {}), { first: 1000, cooling: null });
});

Deno.test("What was interrupted is finished, unless minutes or steps ask for more", () => {
  const leg = { first: 0, cooling: { from: 700, to: 1000 } };
  assertEquals(nextLeg(leg, 800, {}), leg);
  const plateau = { first: 0, cooling: null };
  assertEquals(nextLeg(leg, 600, { minutes: 10 }), plateau);
  assertEquals(nextLeg(leg, 800, { minutes: 10 }), { ...plateau, first: 800 });
  assertEquals(nextLeg(leg, 800, { steps: 2000 }), {
    first: 0,
    cooling: { from: 1400, to: 2000 },
  });
  assertThrows(
    () => nextLeg(leg, 800, { steps: 500 }),
    PantomimeError,
    "has 800 steps already",
  );
});

Deno.test("A sitting counts steps where its end is known, and minutes otherwise", () => {
  const known = new SittingClock(
    { first: 0, cooling: { from: 70, to: 100 } },
    90,
  );
  assertEquals([known.total, known.done(95)], [10, 5]);
  const open = { first: 0, cooling: null };
  const clock = new SittingClock(open, 90, 1);
  assertEquals([clock.total, clock.done(95)], [60, 0]);
  assertEquals([clock.pace, clock.end(open, 90)], [0, open]);
  clock.mark(90);
  clock.mark(91);
  assert(clock.pace > 0);
});

Deno.test("A log forgets what was not saved, and lines that broke off", async () => {
  await using folder = scratch();
  const path = folder.file("log.jsonl");
  await Deno.writeTextFile(path, `{"step":1}\n{"step":30,"a":1}\n{"step":2,"`);
  const log = await TrainingLog.open(path, 20);
  await log.add({ step: 3, loss: 0.5 });
  assertEquals(await readLog(path), [{ step: 1 }, { step: 3, loss: 0.5 }]);
});

Deno.test("Random numbers of one stream repeat, and those of two do not meet", () => {
  const numbers = new Draw(1, 2, 3).uniforms(1000);
  assertEquals(new Draw(1, 2, 3).uniforms(1000), numbers);
  assert(new Draw(1, 3, 2).uniforms(1000).every((v, k) => v !== numbers[k]));
  assert(numbers.every((v) => v >= 0 && v < 1));
  assertAlmostEquals(numbers.reduce((a, b) => a + b) / 1000, 0.5, 0.05);
});

Deno.test("Flags become options: a larger batch and half precision on a GPU, points for a training from nothing", () => {
  const options = (
    args: string[],
    profile: "cpu" | "gpu" = "cpu",
    half = true,
  ) => trainOptions(parseFlags(TRAIN_FLAGS, args), { profile, half });
  assertEquals(options([]).batch, 1);
  assertEquals(options([], "gpu").batch, 8);
  assertEquals(options(["--batch", "3"], "gpu").batch, 3);
  const { from, points } = options(["--from", "none"]);
  assertEquals([from, points], ["none", 3000]);
  assertEquals(options(["--points", "5", "--from", "none"]).points, 5);
  const precisions = [
    options([]),
    options([], "gpu"),
    options([], "gpu", false),
    options(["--precision", "f16"]),
    options(["--precision", "f32"], "gpu"),
  ].map(({ precision }) => precision);
  assertEquals(precisions, ["f32", "f16", "f32", "f16", "f32"]);
  const flags = (args: string[]) => parseFlags(TRAIN_FLAGS, args);
  const cpu = { profile: "cpu", half: true } as const;
  const settings = { batch: 4, rate: 2.5, precision: "f16" };
  const gone = trainOptions(flags(["--resume", "--rate", "1"]), cpu, settings);
  assertEquals([gone.batch, gone.rate, gone.precision], [4, 1, "f16"]);
  assertThrows(
    () => trainOptions(flags(["--resume", "--from", "none"]), cpu, settings),
    UsageError,
    "leave out --from",
  );
});
