/** Stages C and D: schedules, masks, projection into W and tuning. */
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { type Device, openDevice, type Tensor } from "../engine/mod.ts";
import { PantomimeError } from "../pipeline/errors.ts";
import { synthesis } from "../pipeline/generator/generator.ts";
import { mapping } from "../pipeline/generator/mapping.ts";
import { RandomState } from "../pipeline/generator/random_state.ts";
import { copyGenerator, type Generator } from "../pipeline/generator/state.ts";
import {
  type OptimiserCheckpoint,
  SAVE_EVERY,
} from "../pipeline/inversion/checkpoint.ts";
import {
  blur,
  dilate,
  inpaintMouth,
  PUBLISHED_INPAINTING,
} from "../pipeline/inversion/inpaint.ts";
import {
  project,
  type ProjectionHooks,
  type ProjectionSettings,
} from "../pipeline/inversion/project.ts";
import {
  explorationNoise,
  rateRamp,
  stepRate,
} from "../pipeline/inversion/schedule.ts";
import { latentStatistics } from "../pipeline/inversion/statistics.ts";
import type { FrameTarget } from "../pipeline/inversion/targets.ts";
import { type Pivot, tune } from "../pipeline/inversion/tune.ts";
import { loadFaceFeatures } from "../pipeline/losses/networks.ts";
import type { FeatureNetwork } from "../pipeline/losses/perceptual.ts";
import { psnr } from "../pipeline/quality.ts";
import { pictureOf } from "../pipeline/results.ts";
import { RunFolder } from "../pipeline/run_folder.ts";
import {
  labelAt,
  latent,
  SMALL,
  smallGenerator,
  TINY,
} from "./support/generator.ts";
import { relativeDistance } from "./support/golden_mannequin.ts";
import { scratch } from "./support/media.ts";

// Schedules

Deno.test("the rate ramp has the published code's values", () => {
  const expected = [
    [0, 0],
    [0.01, 0.2],
    [0.025, 0.5],
    [0.05, 1],
    [0.5, 1],
    [0.75, 1],
    [0.8, 0.904508],
    [0.9, 0.345492],
    [0.95, 0.095492],
    [0.9995, 1e-5],
  ];
  for (const [t, factor] of expected) {
    assertAlmostEquals(rateRamp(t), factor, 5e-7, `at ${t}`);
  }
});

Deno.test("even a single step moves, and no step goes beyond the peak", () => {
  assert(stepRate(0, 1) > 0);
  for (const steps of [1, 2, 7, 100]) {
    for (let k = 0; k < steps; k++) {
      const rate = stepRate(k, steps);
      assert(rate > 0 && rate <= 1, `step ${k} of ${steps}: ${rate}`);
    }
  }
});

Deno.test("exploration begins at a twentieth of the spread and ends at three quarters", () => {
  assertAlmostEquals(explorationNoise(0), 0.05, 1e-12);
  assertAlmostEquals(explorationNoise(0.375), 0.0125, 1e-12);
  assertEquals([0.75, 0.8, 1].map(explorationNoise), [0, 0, 0]);
});

// Statistics of w

Deno.test("statistics of w are those of the published 600 latents, mapped", async () => {
  using device = await openDevice();
  const generator = await smallGenerator(device, TINY);
  const label = await labelAt(device).data();
  const { mean, spread } = await latentStatistics(device, generator, label);
  const { z_dim, w_dim } = generator.config;
  const z = device.tensor(new RandomState(123).normals(600 * z_dim), [
    600,
    z_dim,
  ]);
  const ws = await mapping(generator, z, device.zeros([600, 25])).data();
  const expected = Float64Array.from(
    { length: w_dim },
    (_, k) => {
      let sum = 0;
      for (let row = 0; row < 600; row++) sum += ws[row * w_dim + k];
      return sum / 600;
    },
  );
  const squares = ws.reduce(
    (sum, v, k) => sum + (v - expected[k % w_dim]) ** 2,
    0,
  );
  assertEquals(mean.shape, [1, w_dim]);
  assert(relativeDistance(await mean.data(), expected) < 1e-5);
  assertAlmostEquals(spread / Math.sqrt(squares / 600), 1, 1e-5);
  // the mean that training kept lies nearby
  const kept = await generator.state.get("backbone.mapping.w_avg")!.data();
  const off = Math.hypot(...kept.map((v, k) => v - expected[k]));
  assert(off < spread, `${off} against a spread of ${spread}`);
});

// Mouth inpainting

Deno.test("dilation widens by its radius, axis by axis", () => {
  const mask = new Float32Array(81);
  mask[4 * 9 + 4] = 1;
  const wide = dilate(mask, 9, 2);
  wide.forEach((v, k) => {
    const [x, y] = [k % 9, Math.floor(k / 9)];
    const near = Math.abs(x - 4) <= 2 && Math.abs(y - 4) <= 2;
    assertEquals(v, near ? 1 : 0, `${x}, ${y}`);
  });
  assertEquals(dilate(mask, 9, 0.4), mask);
});

Deno.test("blurring keeps constants, the sum inside, and symmetry", () => {
  const ones = new Float32Array(256).fill(0.7);
  assert(blur(ones, 16, 2, 6).every((v) => Math.abs(v - 0.7) < 1e-6));
  const dot = new Float32Array(31 * 31);
  dot[15 * 31 + 15] = 1;
  const soft = blur(dot, 31, 2, 6);
  assertAlmostEquals(soft.reduce((a, b) => a + b), 1, 1e-5);
  assertAlmostEquals(soft[15 * 31 + 12], soft[15 * 31 + 18], 1e-9);
  assertAlmostEquals(soft[12 * 31 + 15], soft[15 * 31 + 12], 1e-9);
  // a Gaussian of sigma 2: exp(-9 / 8) at three pixels
  assertAlmostEquals(
    soft[15 * 31 + 12] / soft[15 * 31 + 15],
    Math.exp(-9 / 8),
    1e-5,
  );
  assertEquals(blur(dot, 31, 0, 6), dot);
});

Deno.test("the feather of the mouth is the published kernel: 9 pixels, sigma 3, of 512", () => {
  const side = 512, pixels = side * side, row = 256 * side;
  const hole = new Float32Array(pixels);
  for (let y = 200; y < 312; y++) hole.fill(1, y * side, y * side + 256);
  const target = { edited: new Float32Array(3 * pixels), face: hole, hole };
  const render = new Float32Array(3 * pixels).fill(1);
  const filled = inpaintMouth(target, render, side, PUBLISHED_INPAINTING);
  const taps = [-4, -3, -2, -1, 0, 1, 2, 3, 4].map((k) =>
    Math.exp(-k * k / 18)
  );
  const total = taps.reduce((a, b) => a + b);
  // the hole ends behind column 255, widened by 16 behind column 271
  for (let x = 265; x < 279; x++) {
    const inside = taps.filter((_, k) => x + k - 4 <= 271);
    const wanted = inside.reduce((a, b) => a + b, 0) / total;
    assertAlmostEquals(filled[row + x], wanted, 1e-6, `column ${x}`);
  }
});

Deno.test("the opened mouth is filled from the render, and nothing else is", () => {
  const side = 64, pixels = side * side;
  const hole = new Float32Array(pixels);
  for (let y = 30; y < 36; y++) hole.fill(1, y * side + 24, y * side + 40);
  const edited = Float32Array.from(
    { length: 3 * pixels },
    (_, k) => Math.sin(k),
  );
  const target: FrameTarget = {
    edited,
    face: new Float32Array(pixels).fill(1),
    hole,
  };
  const render = edited.map((v) => v + 10);
  const filled = inpaintMouth(target, render, side, {
    ...PUBLISHED_INPAINTING,
    margin: 4 / 64,
    feather: 1 / 64,
  });
  // how much of the render there is: it is the edited picture and 10 more
  const share = (x: number, y: number) =>
    (filled[y * side + x] - edited[y * side + x]) / 10;
  for (let y = 30; y < 36; y++) {
    for (let x = 24; x < 40; x++) assertAlmostEquals(share(x, y), 1, 1e-5);
  }
  for (let k = 0; k < pixels; k++) {
    const [x, y] = [k % side, Math.floor(k / side)];
    const away = Math.max(24 - x, x - 39, 30 - y, y - 35);
    if (away > 4 + 3) {
      assertEquals(
        [0, 1, 2].map((c) => filled[c * pixels + k]),
        [0, 1, 2].map(
          (c) => edited[c * pixels + k],
        ),
      );
    }
  }
  // the feather lies around the widened hole's edge, four pixels out
  const profile = [38, 40, 41, 42, 43, 44, 45, 46, 48].map((x) => share(x, 33));
  assert(profile.every((v, k) => k === 0 || v <= profile[k - 1] + 1e-6));
  assert(share(43, 33) > 0.5 && share(43, 33) < 0.9, `${share(43, 33)}`);
  assert(share(44, 33) < 0.5 && share(44, 33) > 0.1, `${share(44, 33)}`);
  // all three colours alike
  assertAlmostEquals(
    filled[2 * pixels + 33 * side + 43] - edited[2 * pixels + 33 * side + 43],
    10 * share(43, 33),
    1e-5,
  );
});

Deno.test("a cavity keeps its share of the hole's own dark", () => {
  const side = 32, pixels = side * side;
  const hole = new Float32Array(pixels).fill(1);
  const target: FrameTarget = {
    edited: new Float32Array(3 * pixels).fill(-1),
    face: hole,
    hole,
  };
  const render = new Float32Array(3 * pixels).fill(1);
  const filled = inpaintMouth(target, render, side, {
    ...PUBLISHED_INPAINTING,
    cavity: 0.75,
  });
  assert(filled.every((v) => Math.abs(v + 0.5) < 1e-5));
});

Deno.test("a shut mouth leaves the edited picture as it is", () => {
  const side = 32, pixels = side * side;
  const edited = Float32Array.from(
    { length: 3 * pixels },
    (_, k) => Math.cos(k),
  );
  const target: FrameTarget = {
    edited,
    face: new Float32Array(pixels).fill(1),
    hole: new Float32Array(pixels),
  };
  const render = new Float32Array(3 * pixels).fill(9);
  assertEquals(
    inpaintMouth(target, render, side, PUBLISHED_INPAINTING),
    edited,
  );
});

// Projection and tuning

interface Stage extends Disposable {
  device: Device;
  generator: Generator;
  label: Float32Array;
}

async function stage(sizes = TINY): Promise<Stage> {
  const device = await openDevice();
  const generator = await smallGenerator(device, sizes);
  const label = await labelAt(device, 8, 0).data();
  return { device, generator, label, [Symbol.dispose]: () => device.close() };
}

/** A feature network that sees colours only: enough for what is true of any. */
const PIXELS: FeatureNetwork = {
  name: "pixels",
  features: (pictures: Tensor) => [pictures],
};

/** A head of the generator's own by name, with its w. */
async function head(
  { device, generator, label }: Stage,
  name: string,
): Promise<{ w: Float32Array; picture: Float32Array }> {
  using _scope = device.scope();
  const w = mapping(
    generator,
    latent(device, generator, name),
    device.zeros([1, 25]),
    { truncationPsi: 0.7 },
  );
  const { image } = synthesis(generator, w, device.tensor(label, [1, 25]));
  const [values, picture] = await device.read(w, image);
  return { w: values, picture };
}

/** Masks an oval in the middle as the face. */
function targetOf(picture: Float32Array): FrameTarget {
  const side = Math.sqrt(picture.length / 3);
  const face = Float32Array.from({ length: side * side }, (_, k) => {
    const x = (k % side + 0.5) / side - 0.5;
    const y = (Math.floor(k / side) + 0.5) / side - 0.55;
    return x * x / 0.09 + y * y / 0.14 < 1 ? 1 : 0;
  });
  return { edited: picture, face, hole: new Float32Array(side * side) };
}

Deno.test("projection finds its way to a head that the generator made", async () => {
  using s = await stage(SMALL);
  using _scope = s.device.scope();
  const network = await loadFaceFeatures(s.device);
  const { w: truth, picture } = await head(s, "b");
  const targets = [targetOf(picture), targetOf(picture)];
  const settings: ProjectionSettings = {
    firstSteps: 8,
    nextSteps: 2,
    rate: 0.05,
    pixel: 2,
    surroundings: 1,
  };
  const run = (settings: ProjectionSettings) =>
    project(s.device, s.generator, network, s.label, targets, settings);
  // the loss of a step is measured before it moves: of a single one, at the mean of w
  const [start] =
    (await run({ ...settings, firstSteps: 1, nextSteps: 0 })).losses;
  const { ws, losses: [first, second] } = await run(settings);
  assert(first < 0.8 * start, `${start} to ${first}`);
  assert(second < first, `${first} to ${second}`);
  const { mean } = await latentStatistics(s.device, s.generator, s.label);
  const average = await mean.data();
  const distance = (w: Float32Array) =>
    Math.hypot(...w.map((v, k) => v - truth[k]));
  assert(
    distance(ws[1]) < 0.97 * distance(average),
    `${distance(average)} to ${distance(ws[1])}`,
  );
});

Deno.test("projection repeats itself, resumes after any frame, and heeds its seed", async () => {
  using s = await stage();
  const pictures = [await head(s, "a"), await head(s, "b"), await head(s, "c")];
  const targets = pictures.map(({ picture }) => targetOf(picture));
  const settings = { firstSteps: 4, nextSteps: 2, pixel: 1, seed: 7 };
  const run = (hooks: ProjectionHooks = {}, seed = 7) =>
    project(
      s.device,
      s.generator,
      PIXELS,
      s.label,
      targets,
      { ...settings, seed },
      hooks,
    );
  const seen: [number, number][] = [], finished: number[] = [];
  const { ws, losses } = await run({
    onStep: (frame, step) => seen.push([frame, step]),
    onFrame: (frame) => void finished.push(frame),
  });
  assertEquals(seen, [
    ...[[0, 1], [0, 2], [0, 3], [0, 4]],
    ...[[1, 1], [1, 2], [2, 1], [2, 2]],
  ] as [number, number][]);
  assertEquals(finished, [0, 1, 2]);
  assert(losses.every(Number.isFinite));
  assertEquals((await run()).ws, ws);
  assertNotEquals((await run({}, 8)).ws[0], ws[0]);
  const resumed = await run({ done: ws.slice(0, 1) });
  assertEquals(resumed.ws, ws);
  assert(Number.isNaN(resumed.losses[0]) && resumed.losses[2] === losses[2]);
});

Deno.test("projection that was interrupted within a frame ends with the same bits", async () => {
  using s = await stage();
  const pictures = [await head(s, "a"), await head(s, "b")];
  const targets = pictures.map(({ picture }) => targetOf(picture));
  const settings = { firstSteps: 3, nextSteps: 3, pixel: 1, seed: 7 };
  const run = (hooks: ProjectionHooks) =>
    project(s.device, s.generator, PIXELS, s.label, targets, settings, hooks);
  const whole = await run({});
  for (const frame of [0, 1]) {
    await using folder = scratch();
    const place = await RunFolder.open(folder.path, { a: 1 }, false);
    const stop = new AbortController(), done: Float32Array[] = [];
    await assertRejects(
      () =>
        run({
          onCheckpoint: (checkpoint) => place.saveProjection(checkpoint),
          onStep: (at, step) => at === frame && step === 2 && stop.abort(),
          onFrame: (_, w) => void done.push(w),
          signal: stop.signal,
        }),
      DOMException,
    );
    const again = await RunFolder.open(folder.path, { a: 1 }, true);
    const resume = await again.projection();
    assertEquals([resume?.frame, resume?.step], [frame, 2]);
    const taken: [number, number][] = [];
    const resumed = await run({
      done,
      resume,
      onStep: (at, step) => taken.push([at, step]),
    });
    assertEquals(taken[0], [frame, 3]);
    assertEquals(resumed.ws, whole.ws);
    assertEquals(resumed.losses.slice(frame), whole.losses.slice(frame));
    // when the frame was finished since, the next one does not begin there
    const finished = whole.ws.slice(0, frame + 1);
    assertEquals((await run({ done: finished, resume })).ws, whole.ws);
  }
});

Deno.test("a frame that takes long is saved now and then", async () => {
  using s = await stage();
  const { picture } = await head(s, "a");
  const saved: number[] = [];
  const clock = Date.now;
  let now = 0;
  // every look at the clock finds it a little later
  Date.now = () => now += 1000 * SAVE_EVERY / 2;
  try {
    await project(s.device, s.generator, PIXELS, s.label, [targetOf(picture)], {
      firstSteps: 8,
      nextSteps: 0,
    }, { onCheckpoint: ({ step }) => void saved.push(step) });
  } finally {
    Date.now = clock;
  }
  assert(saved.length > 0 && saved.every((step) => step < 8), `${saved}`);
});

Deno.test("each frame starts where the one before ended, moved by the expected shift", async () => {
  using s = await stage();
  const { picture } = await head(s, "a");
  const targets = [1, 2, 3].map(() => targetOf(picture));
  const settings = { firstSteps: 2, nextSteps: 0, pixel: 1 };
  const run = (hooks: ProjectionHooks) =>
    project(s.device, s.generator, PIXELS, s.label, targets, settings, hooks);
  const still = await run({});
  assertEquals(still.ws[2], still.ws[0]);
  const shifts = [0, 1, 0.25].map((v) => still.ws[0].map(() => v));
  const { ws } = await run({ shifts });
  assertEquals(ws[0], still.ws[0]);
  for (const [frame, by] of [[1, 1], [2, 0.25]]) {
    assert(
      ws[frame].every((v, k) => Math.abs(v - ws[0][k] - by) < 1e-5),
      `frame ${frame}`,
    );
  }
});

Deno.test("projection and tuning stop between two steps when they are told to", async () => {
  using s = await stage();
  const { w, picture } = await head(s, "a");
  const target = targetOf(picture);
  for (const stage of ["projection", "tuning"]) {
    const stop = new AbortController();
    const steps: number[] = [];
    const onStep = (_: number, step: number) => {
      steps.push(step);
      if (steps.length === 3) stop.abort();
    };
    const hooks = { signal: stop.signal };
    const run = () =>
      stage === "projection"
        ? project(s.device, s.generator, PIXELS, s.label, [target], {
          firstSteps: 50,
          nextSteps: 0,
        }, { ...hooks, onStep })
        : tune(
          s.device,
          copyGenerator(s.device, s.generator),
          PIXELS,
          s.label,
          [{ w, picture, face: target.face }],
          { steps: 50 },
          { ...hooks, onStep: (step) => onStep(0, step) },
        );
    const { name } = await assertRejects(run, DOMException);
    assertEquals(name, "AbortError");
    assertEquals(steps, [1, 2, 3], stage);
  }
});

Deno.test("tuning brings the generator closer to every picture, and leaves the original alone", async () => {
  using s = await stage(SMALL);
  using _scope = s.device.scope();
  const network = await loadFaceFeatures(s.device);
  const near = await head(s, "a");
  // the same w shall show other people: the generator has to change
  const pivots: Pivot[] = [];
  for (const name of ["b", "c"]) {
    const { w, picture } = await head(s, name);
    const { face } = targetOf(picture);
    const between = w.map((v, k) => 0.5 * v + 0.5 * near.w[k]);
    pivots.push({ w: between, picture, face });
  }
  const show = async (generator: Generator, { w }: Pivot) => {
    using _scope = s.device.scope();
    const { image } = synthesis(
      generator,
      s.device.tensor(w, [1, w.length]),
      s.device.tensor(s.label, [1, 25]),
    );
    return pictureOf(await image.data());
  };
  const tuned = copyGenerator(s.device, s.generator);
  const untouched = await s.generator.state.get("decoder.net.0.weight")!.data();
  const mapped = await tuned.state.get("backbone.mapping.fc0.weight")!.data();
  const losses = await tune(
    s.device,
    tuned,
    network,
    s.label,
    pivots,
    { steps: 8, rate: 4e-3, pixel: 2 },
  );
  assert(losses.length === 1 && losses.every(Number.isFinite), `${losses}`);
  for (const pivot of pivots) {
    const wanted = pictureOf(pivot.picture).data;
    const before = psnr((await show(s.generator, pivot)).data, wanted);
    const after = psnr((await show(tuned, pivot)).data, wanted);
    assert(after > before + 1, `${before} dB to ${after} dB`);
  }
  assertEquals(
    await s.generator.state.get("decoder.net.0.weight")!.data(),
    untouched,
  );
  assertEquals(
    await tuned.state.get("backbone.mapping.fc0.weight")!.data(),
    mapped,
  );
});

Deno.test("tuning that was interrupted ends with the same bits as tuning that was not", async () => {
  using s = await stage();
  await using folder = scratch();
  const pivots: Pivot[] = [];
  for (const name of ["a", "b", "c"]) {
    const { w, picture } = await head(s, name);
    pivots.push({
      w: w.map((v) => 0.9 * v),
      picture,
      face: targetOf(picture).face,
    });
  }
  const settings = { steps: 8, rate: 2e-3, seed: 3 };
  const run = (generator: Generator, hooks: Parameters<typeof tune>[6]) =>
    tune(s.device, generator, PIXELS, s.label, pivots, settings, hooks);
  const numbers = (generator: Generator) =>
    s.device.read(...generator.state.values());

  const whole = copyGenerator(s.device, s.generator);
  let last: OptimiserCheckpoint | null = null;
  await run(whole, { onCheckpoint: (checkpoint) => void (last = checkpoint) });
  assertEquals(last!.step, 8);

  // stopped at step 3, after the first pass over the frames
  const place = await RunFolder.open(folder.path, { a: 1 }, false);
  const stop = new AbortController();
  await assertRejects(
    () =>
      run(copyGenerator(s.device, s.generator), {
        onCheckpoint: (checkpoint) => place.saveTuning(checkpoint),
        onStep: (step) => step === 3 && stop.abort(),
        signal: stop.signal,
      }),
    DOMException,
  );
  const again = await RunFolder.open(folder.path, { a: 1 }, true);
  const resume = await again.tuning();
  assertEquals(resume?.step, 3);
  const resumed = copyGenerator(s.device, s.generator);
  const taken: number[] = [];
  await run(resumed, { resume, onStep: (step) => void taken.push(step) });
  assertEquals(taken, [4, 5, 6, 7, 8]);
  assertEquals(await numbers(resumed), await numbers(whole));
});

Deno.test("an unfinished run is kept for the same settings only", async () => {
  await using folder = scratch();
  const ws = [Float32Array.of(1, 2), Float32Array.of(3, 1e-7)];
  const place = await RunFolder.open(folder.path, { seed: 1 }, false);
  assertEquals([await place.latents(), await place.tuning()], [[], null]);
  assertEquals(await place.projection(), null);
  await place.saveLatents(ws);
  const same = await RunFolder.open(folder.path, { seed: 1 }, true);
  assertEquals(await same.latents(), ws);
  const { message } = await assertRejects(
    () => RunFolder.open(folder.path, { seed: 2 }, true),
    PantomimeError,
  );
  assert(/other inputs or settings.*--resume/.test(message), message);
  // without --resume everything starts afresh
  const fresh = await RunFolder.open(folder.path, { seed: 2 }, false);
  assertEquals(await fresh.latents(), []);
  await fresh.remove();
  assertEquals((await Array.fromAsync(Deno.readDir(folder.path))).length, 0);
});
