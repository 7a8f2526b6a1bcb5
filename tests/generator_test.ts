/** The tri-plane generator: held to the published code, and to itself in other words. */
import {
  assert,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import {
  type Device,
  gradients,
  mean,
  multiply,
  openDevice,
  type Tensor,
} from "../engine/mod.ts";
import { formula } from "../engine/ops/formula.ts";
import { planes } from "../pipeline/generator/backbone.ts";
import { synthesis, view } from "../pipeline/generator/generator.ts";
import { mapping } from "../pipeline/generator/mapping.ts";
import { render } from "../pipeline/generator/renderer/renderer.ts";
import {
  copyGenerator,
  type Generator,
  loadGenerator,
  tunable,
} from "../pipeline/generator/state.ts";
import { loadMannequin, WeightsError } from "../weights/mod.ts";
import {
  labelAt,
  latent,
  smallGenerator,
  smallMannequin,
} from "./support/generator.ts";
import { relativeDistance, runMannequin } from "./support/golden_mannequin.ts";
import { goldenFiles } from "./support/goldens.ts";

const GOLDENS = new URL("goldens", import.meta.url).pathname;

interface Stage {
  device: Device;
  generator: Generator;
  w: Tensor;
  label: Tensor;
}

/** A small generator with one head in front of a turned camera. */
async function stage(
  options: Parameters<typeof openDevice>[0] = {},
): Promise<Stage & Disposable> {
  const device = await openDevice(options);
  const generator = await smallGenerator(device);
  const label = labelAt(device, 15, -5);
  const w = mapping(generator, latent(device, generator, "a"), label);
  return {
    device,
    generator,
    w,
    label,
    [Symbol.dispose]: () => device.close(),
  };
}

/** mean(image * formula): a number that every pixel matters to. */
function score(image: Tensor): Tensor {
  const weights = formula("score", image.shape);
  return mean(multiply(image, image.device.tensor(weights, image.shape)));
}

/** Runs `body` as if the adapter bound no more than this. */
function bindingAtMost<T>(device: Device, bytes: number, body: () => T): T {
  Object.defineProperty(device, "maxTensorBytes", {
    value: bytes,
    configurable: true,
  });
  try {
    return body();
  } finally {
    delete (device as { maxTensorBytes?: number }).maxTensorBytes;
  }
}

Deno.test("the embedded generator agrees with the published code from z to the picture", async () => {
  const file = (await goldenFiles(GOLDENS)).find(({ kind }) =>
    kind === "mannequin"
  )!;
  using device = await openDevice({ poison: true });
  const results = await runMannequin(device, file);
  assertEquals(results.map(({ name, failure }) => [name, failure]), [
    ["w", null],
    ["planes", null],
    ["image_raw", null],
    ["image_depth", null],
    ["opacity", null],
    ["image", null],
  ]);
});

Deno.test("a slightly wrong generator does not agree with the golden file", async () => {
  const file = (await goldenFiles(GOLDENS)).find(({ kind }) =>
    kind === "mannequin"
  )!;
  const { config, tensors } = await loadMannequin();
  const bent = new Map(tensors);
  const name = "backbone.synthesis.b32.conv0.bias", bias = tensors.get(name)!;
  bent.set(name, { ...bias, data: bias.data.map((v) => v + 0.01) });
  using device = await openDevice();
  const failed = (await runMannequin(device, file, { config, tensors: bent }))
    .filter(({ failure }) => failure !== null).map(({ name }) => name);
  assertEquals(failed, [
    "planes",
    "image_raw",
    "image_depth",
    "opacity",
    "image",
  ]);
});

Deno.test("equal slots of W+ give the picture of W", async () => {
  using s = await stage();
  const { num_ws, w_dim } = s.generator.config;
  const one = await s.w.data();
  const all = new Float32Array(num_ws * w_dim);
  for (let k = 0; k < num_ws; k++) all.set(one, k * w_dim);
  const wide = s.device.tensor(all, [1, num_ws, w_dim]);
  const a = synthesis(s.generator, s.w, s.label).image;
  const b = synthesis(s.generator, wide, s.label).image;
  const [first, second] = await s.device.read(a, b);
  assertEquals(second, first);
  // the last slot styles the superresolution and the last planes
  all[all.length - 1] += 1;
  const other = s.device.tensor(all, [1, num_ws, w_dim]);
  const c = await synthesis(s.generator, other, s.label).image.data();
  assertNotEquals(c, first);
});

Deno.test("a batch of two gives the two pictures", async () => {
  using s = await stage();
  const w2 = mapping(s.generator, latent(s.device, s.generator, "b"), s.label);
  const label2 = labelAt(s.device, -25, 10);
  const { w_dim } = s.generator.config;
  const [a, b, la, lb] = await s.device.read(s.w, w2, s.label, label2);
  const both = synthesis(
    s.generator,
    s.device.tensor([...a, ...b], [2, w_dim]),
    s.device.tensor([...la, ...lb], [2, 25]),
  );
  const one = synthesis(s.generator, s.w, s.label);
  const two = synthesis(s.generator, w2, label2);
  for (const part of ["image", "depth", "opacity"] as const) {
    const [pair, first, second] = await s.device.read(
      both[part],
      one[part],
      two[part],
    );
    assert(relativeDistance(pair, [...first, ...second]) < 1e-5, part);
  }
});

Deno.test("rays taken in chunks give the same picture and the same gradient", async () => {
  using s = await stage();
  const flat = planes(s.generator, s.w).detach().track();
  const weight = s.generator.state.get("decoder.net.0.weight")!.track();
  // 4 KiB of decoder outputs a ray: 342, 342 and 340 of the 1,024 rays
  const whole = render(s.generator, flat, s.label);
  const parts = bindingAtMost(
    s.device,
    342 * 16 * 64 * 4,
    () => render(s.generator, flat, s.label),
  );
  const found = [whole, parts].flatMap((r) => [
    r.features,
    r.depth,
    ...gradients(score(r.features), [flat, weight]),
  ]);
  const data = await s.device.read(...found);
  for (
    const [k, what] of ["features", "depth", "planes", "decoder"].entries()
  ) {
    const error = relativeDistance(data[4 + k], data[k]);
    assert(error < 1e-5, `${what}: ${error}`);
  }
  assert(data[2].some((v) => v !== 0) && data[3].some((v) => v !== 0));
});

Deno.test("planes that are kept give the picture of the whole generator", async () => {
  using s = await stage();
  const whole = synthesis(s.generator, s.w, s.label);
  const kept = view(s.generator, planes(s.generator, s.w), s.w, s.label);
  const [a, b] = await s.device.read(whole.image, kept.image);
  assertEquals(a, b);
});

Deno.test("truncation 0 gives the mean w, and 0.5 half the way", async () => {
  using s = await stage();
  const z = latent(s.device, s.generator, "a");
  const at = async (truncationPsi: number) =>
    await mapping(s.generator, z, s.label, { truncationPsi }).data();
  const [zero, half, one] = [await at(0), await at(0.5), await at(1)];
  const average = await s.generator.state.get("backbone.mapping.w_avg")!.data();
  assertEquals(zero, average);
  assertEquals(one, await s.w.data());
  assert(
    relativeDistance(half, one.map((v, k) => (v + average[k]) / 2)) < 1e-6,
  );
});

Deno.test("the mannequin's mapping network does not see the camera", async () => {
  using s = await stage();
  const z = latent(s.device, s.generator, "a");
  const other = mapping(s.generator, z, labelAt(s.device, -40, 20));
  assertEquals(await other.data(), await s.w.data());
});

/** Slope of `f` at 0 by differences of fourth order; larger steps meet the kinks of leaky ReLU. */
async function slope(
  f: (t: number) => Promise<number>,
  h: number,
): Promise<number> {
  const [a, b, c, d] = [
    await f(-2 * h),
    await f(-h),
    await f(h),
    await f(2 * h),
  ];
  return (a - 8 * b + 8 * c - d) / (12 * h);
}

/** The median over steps of several sizes: kinks of lrelu and clamp put any single one off. */
async function steadySlope(
  f: (t: number) => Promise<number>,
): Promise<number> {
  const slopes: number[] = [];
  for (const h of [2.5e-3, 1.25e-3, 6e-4, 3e-4, 1.5e-4]) {
    slopes.push(await slope(f, h));
  }
  return slopes.sort((a, b) => a - b)[2];
}

Deno.test("the generator's gradient by w and by its parameters agrees with differences", async () => {
  using device = await openDevice();
  const { config, tensors } = await smallMannequin();
  // importance samples move with w and are no part of the gradient: without them it is exact
  const generator = loadGenerator(device, {
    config: {
      ...config,
      depth_resolution: 16,
      depth_resolution_importance: 0,
    },
    tensors,
  });
  const label = labelAt(device, 15, -5);
  const w = mapping(generator, latent(device, generator, "a"), label).detach();
  const start = await w.data();
  const names = [...tunable(generator).keys()].filter((name) =>
    name.endsWith("weight")
  );
  const parameters = names.map((name) => generator.state.get(name)!);
  [w, ...parameters].forEach((t) => t.track());
  const [gw, ...gp] = gradients(
    score(synthesis(generator, w, label).image),
    [w, ...parameters],
  );
  const slopes = await device.read(gw, ...gp);
  const before = await device.read(...parameters);
  const value = () =>
    device.withoutTape(() => {
      using scope = device.scope();
      return scope.keep(score(synthesis(generator, w, label).image));
    }).item();

  const toward = formula("direction", w.shape);
  const byW = await steadySlope(async (t) => {
    device.write(w, start.map((v, k) => v + t * toward[k]));
    return await value();
  });
  device.write(w, start);
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Array.from(a).reduce((sum, v, k) => sum + v * b[k], 0);
  const expected = dot(slopes[0], toward);
  assert(
    Math.abs(byW - expected) < 2e-3 * Math.abs(expected),
    `by w: ${byW}, ${expected}`,
  );

  // all weights at once, each by a share of its own size
  const steps = before.map((data, k) => {
    const size = Math.sqrt(dot(data, data) / data.length);
    return formula(names[k], parameters[k].shape, size);
  });
  const byAll = await steadySlope(async (t) => {
    before.forEach((data, k) =>
      device.write(parameters[k], data.map((v, i) => v + t * steps[k][i]))
    );
    return await value();
  });
  const total = steps.reduce(
    (sum, step, k) => sum + dot(slopes[1 + k], step),
    0,
  );
  assert(
    Math.abs(byAll - total) < 2e-3 * Math.abs(total),
    `by all weights: ${byAll}, ${total}`,
  );
});

Deno.test("a poisoned device gives the same picture and gradient, bit for bit", async () => {
  const results: Float32Array[][] = [];
  for (const poison of [false, true]) {
    using s = await stage({ poison });
    const w = s.w.detach().track();
    const weight = s.generator.state.get("decoder.net.2.weight")!.track();
    const { image } = synthesis(s.generator, w, s.label);
    const found = gradients(score(image), [w, weight]);
    results.push(await s.device.read(image, ...found));
  }
  assertEquals(results[1], results[0]);
  assert(results[0].every((data) => data.every(Number.isFinite)));
});

Deno.test("CPU and GPU tiles give the same picture", async () => {
  const pictures: Float32Array[] = [];
  for (const profile of ["cpu", "gpu"] as const) {
    using s = await stage({ profile });
    pictures.push(await synthesis(s.generator, s.w, s.label).image.data());
  }
  assert(relativeDistance(pictures[1], pictures[0]) < 1e-4);
});

Deno.test("four times the samples show the same head more exactly", async () => {
  using s = await stage();
  const pictures = [1, 4, 16].map((sampleFactor) =>
    synthesis(s.generator, s.w, s.label, { sampleFactor }).imageRaw
  );
  const [one, four, most] = await s.device.read(...pictures);
  const [coarse, fine] = [one, four].map((p) => relativeDistance(p, most));
  assert(fine < 0.3 * coarse && coarse < 0.3, `${coarse}, ${fine}`);
});

Deno.test("distance and opacity are those of a head before a backdrop", async () => {
  using device = await openDevice();
  const generator = loadGenerator(device, await loadMannequin());
  const label = labelAt(device, 15, -5);
  const w = mapping(generator, latent(device, generator, "a"), label);
  const resolution = 32;
  const flat = planes(generator, w);
  const { depth, opacity } = render(generator, flat, label, { resolution });
  const [distances, shares] = await device.read(depth, opacity);
  const near = Number(generator.config.ray_start);
  const far = Number(generator.config.ray_end);
  assertEquals(depth.shape, [1, 1, resolution, resolution]);
  assert(distances.every((d) => d > near && d < far));
  assert(shares.every((a) => a > 0.99 && a <= 1.00001));
  // the face in the middle is nearer than the upper corners
  const middle = distances[resolution / 2 * resolution + resolution / 2];
  assert(middle < distances[0] - 0.1, `${middle}, ${distances[0]}`);
  assert(middle < distances[resolution - 1] - 0.1);
});

Deno.test("a copy is tuned without touching the original", async () => {
  using s = await stage();
  const copy = copyGenerator(s.device, s.generator);
  const name = "decoder.net.0.bias";
  const before = await s.generator.state.get(name)!.data();
  s.device.write(copy.state.get(name)!, before.map(() => 0));
  assertEquals(await s.generator.state.get(name)!.data(), before);
  assertEquals([...copy.state.keys()], [...s.generator.state.keys()]);
});

Deno.test("an incomplete checkpoint is an error that names the parameter", async () => {
  using device = await openDevice();
  const { config, tensors } = await smallMannequin();
  const name = "backbone.synthesis.b16.conv1.weight";
  const generator = loadGenerator(device, {
    config,
    tensors: new Map([...tensors].filter(([key]) => key !== name)),
  });
  const w = device.zeros([1, config.w_dim]);
  const { message } = assertThrows(
    () => planes(generator, w),
    WeightsError,
  );
  assert(message.includes(name), message);
});

Deno.test("tuning leaves mapping, noise maps and buffers alone", async () => {
  using s = await stage();
  const names = [...tunable(s.generator).keys()];
  assert(names.includes("superresolution.block1.torgb.affine.weight"));
  assert(names.includes("backbone.synthesis.b4.const"));
  assert(
    names.every((name) => !/mapping|noise_|resample_filter/.test(name)),
  );
});
