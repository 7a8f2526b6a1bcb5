/** Published generators: what a checkpoint says of itself, and every switch of the renderer. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  boxLimits,
  type Device,
  gradients,
  openDevice,
  Random,
  ShapeError,
  slice,
} from "../engine/mod.ts";
import { modulatedConv2d } from "../engine/nn/modulated_conv2d.ts";
import { planes } from "../pipeline/generator/backbone.ts";
import { sphereCamera } from "../pipeline/generator/cameras.ts";
import { synthesis, view } from "../pipeline/generator/generator.ts";
import { mapping } from "../pipeline/generator/mapping.ts";
import { Painter } from "../pipeline/generator/painter.ts";
import { RandomState } from "../pipeline/generator/random_state.ts";
import {
  render,
  samplePoints,
} from "../pipeline/generator/renderer/renderer.ts";
import { type Generator, loadGenerator } from "../pipeline/generator/state.ts";
import {
  eg3dConfig,
  type GeneratorConfig,
  parseGeneratorConfig,
  WeightsError,
} from "../weights/mod.ts";
import { eg3dShapes } from "./support/eg3d_by_rule.ts";
import { smallMannequin, TINY } from "./support/generator.ts";
import { relativeDistance } from "./support/golden_mannequin.ts";

/** Options of a published generator, as its checkpoint has them. */
function published(module: string, more: Record<string, unknown> = {}) {
  return {
    superresolution_module: `training.superresolution.${module}`,
    c_scale: 1,
    sr_antialias: true,
    superresolution_noise_mode: "none",
    depth_resolution: 48,
    depth_resolution_importance: 48,
    ray_start: 2.25,
    ray_end: 3.3,
    box_warp: 1,
    ...more,
  };
}

function describe(module: string, more: Record<string, unknown> = {}) {
  const renderingKwargs = published(module, more);
  const shapes = eg3dShapes({
    z_dim: 512,
    w_dim: 512,
    neural_rendering_resolution: 64,
    rendering_kwargs: renderingKwargs,
  });
  return {
    source: "a.pkl",
    shapes: new Map(Object.entries(shapes)),
    renderingKwargs,
    neuralRenderingResolution: 128,
  };
}

Deno.test("a published checkpoint's sizes are read off its parameters", () => {
  const config = eg3dConfig(describe("SuperresolutionHybrid8XDC"));
  assertEquals([config.z_dim, config.c_dim, config.w_dim], [512, 25, 512]);
  assertEquals(config.num_ws, 14);
  assertEquals([config.plane_resolution, config.plane_channels], [256, 32]);
  assertEquals(config.channels["128"], 256);
  assertEquals([config.decoder_hidden, config.decoder_output], [64, 32]);
  assertEquals(config.neural_rendering_resolution, 128);
  const { superresolution, img_resolution } = config;
  assertEquals(img_resolution, 512);
  assertEquals(superresolution.blocks, [
    { resolution: 256, up: 2, channels: 256 },
    { resolution: 512, up: 2, channels: 128 },
  ]);
  assertEquals(superresolution.conv_clamp, 256);
  // what is stored is what is read
  assertEquals(parseGeneratorConfig(JSON.stringify(config), "it"), config);
});

Deno.test("each superresolution module has its own sizes and its own way to resize", () => {
  const of = (module: string) => {
    const config = eg3dConfig(describe(module));
    const { input_resolution, resize, blocks } = config.superresolution;
    return [
      input_resolution,
      config.img_resolution,
      resize,
      blocks.map(({ up }) => up),
    ];
  };
  assertEquals(of("SuperresolutionHybrid2X"), [64, 128, "always", [1, 2]]);
  assertEquals(of("SuperresolutionHybrid4X"), [128, 256, "enlarge", [1, 2]]);
  assertEquals(of("SuperresolutionHybrid8X"), [128, 512, "always", [2, 2]]);
  const { message } = assertThrows(
    () =>
      eg3dConfig({
        ...describe("SuperresolutionHybrid2X"),
        renderingKwargs: { superresolution_module: "mine.Upscaler" },
      }),
    WeightsError,
  );
  assert(message.includes("mine.Upscaler"), message);
});

Deno.test("the camera is scaled by 0 where a public checkpoint names no scale, by 1 in the pre-release", () => {
  const { c_scale: _left, ...options } = published("SuperresolutionHybrid2X");
  const it = {
    ...describe("SuperresolutionHybrid2X"),
    renderingKwargs: options,
  };
  assertEquals(eg3dConfig(it).c_scale, 0);
  const before = eg3dConfig({ ...it, className: "SRPosedGenerator" });
  assertEquals([before.c_scale, before.decoder_lr_mul], [1, 0.3]);
});

Deno.test("the planes are told by the renderer's own axes", () => {
  const of = (rows: number[]) =>
    eg3dConfig({
      ...describe("SuperresolutionHybrid2X"),
      planeAxes: rows.flatMap((one) => [0, 1, 2].map((k) => +(k === one))),
    }).plane_axes;
  assertEquals(of([0, 1, 2, 0, 2, 1, 2, 0, 1]), "published");
  assertEquals(of([0, 1, 2, 1, 2, 0, 2, 0, 1]), "corrected");
  assertEquals(of([0, 1, 2, 0, 2, 1, 2, 1, 0]), [[0, 1], [0, 2], [2, 1]]);
  assertThrows(() => of([3, 1, 2, 0, 1, 2, 0, 1, 2]), WeightsError, "planes");
});

Deno.test("a missing parameter is named", () => {
  const it = describe("SuperresolutionHybrid2X");
  const shapes = new Map(it.shapes);
  shapes.delete("decoder.net.2.weight");
  assertThrows(
    () => eg3dConfig({ ...it, shapes }),
    WeightsError,
    "decoder.net.2.weight",
  );
});

/** A tiny generator with another configuration. */
async function tiny(
  device: Device,
  change: (config: GeneratorConfig) => GeneratorConfig = (config) => config,
): Promise<Generator> {
  const { config, tensors } = await smallMannequin(TINY);
  return loadGenerator(device, { config: change(config), tensors });
}

function sight(device: Device, generator: Generator) {
  const { config } = generator;
  const z = new RandomState(1).normals(config.z_dim);
  const label = device.tensor(sphereCamera(config, 10, 5), [1, 25]);
  const w = mapping(generator, device.tensor(z, [1, z.length]), label);
  return { label, w };
}

Deno.test("ray limits `auto` are where rays meet the box", async () => {
  using device = await openDevice();
  const rays = device.tensor([0, 0, 2.7, 0, 0, -1], [1, 6]);
  const [near, far] = await boxLimits(rays, 1).data();
  assert(Math.abs(near - 2.2) < 1e-6 && Math.abs(far - 3.2) < 1e-6);
  const generator = await tiny(
    device,
    (config) => ({ ...config, ray_start: "auto", ray_end: "auto" }),
  );
  const { label, w } = sight(device, generator);
  const { depth } = render(generator, planes(generator, w), label);
  const seen = await depth.data();
  // the box of side 0.7 is met between these distances from 2.7 away
  assert(seen.every((d) => d > 2.1 && d < 3.5), `${Math.min(...seen)}`);
});

Deno.test("where nothing is, a white background is white and the distance the farthest", async () => {
  using device = await openDevice();
  const generator = await tiny(
    device,
    (config) => ({ ...config, white_back: true }),
  );
  const bias = generator.state.get("decoder.net.2.bias")!;
  device.write(bias, (await bias.data()).map((v, k) => k === 0 ? -1e4 : v));
  const { label, w } = sight(device, generator);
  const { imageRaw, depth } = synthesis(generator, w, label);
  const [raw, distance] = await device.read(imageRaw, depth);
  assert(raw.every((v) => Math.abs(v - 1) < 1e-5));
  assertEquals(new Set(distance).size, 1);
  assert(distance[0] > 3, `${distance[0]}`);
});

Deno.test("disparity sampling puts coarse samples nearer to the camera", async () => {
  using device = await openDevice();
  const pictures: Float32Array[] = [];
  for (const disparity_space_sampling of [false, true]) {
    const generator = await tiny(
      device,
      (config) => ({ ...config, disparity_space_sampling }),
    );
    const { label, w } = sight(device, generator);
    pictures.push(await synthesis(generator, w, label).imageRaw.data());
  }
  const apart = relativeDistance(pictures[1], pictures[0]);
  assert(apart > 1e-5 && apart < 0.2, `${apart}`);
});

Deno.test("truncation takes w towards the average, up to the cutoff", async () => {
  using device = await openDevice();
  const generator = await tiny(device);
  const { config, state } = generator;
  const z = device.tensor(new RandomState(2).normals(config.z_dim), [
    1,
    config.z_dim,
  ]);
  const c = device.tensor(sphereCamera(config), [1, 25]);
  const whole = mapping(generator, z, c);
  const part = mapping(generator, z, c, {
    truncationPsi: 0.5,
    truncationCutoff: 3,
  });
  assertEquals(part.shape, [1, config.num_ws, config.w_dim]);
  const [w, ws, average, none] = await device.read(
    whole,
    part,
    state.get("backbone.mapping.w_avg")!,
    mapping(generator, z, c, { truncationPsi: 0 }),
  );
  assert(relativeDistance(none, average) < 1e-6);
  for (let slot = 0; slot < config.num_ws; slot++) {
    const row = ws.subarray(slot * w.length, (slot + 1) * w.length);
    const wanted = slot < 3 ? w.map((v, k) => (v + average[k]) / 2) : w;
    assert(relativeDistance(row, wanted) < 1e-6, `slot ${slot}`);
  }
});

Deno.test("noise is stored, drawn or left out", async () => {
  using device = await openDevice();
  const generator = await tiny(
    device,
    (config) => ({ ...config, noise: true }),
  );
  for (const [name, tensor] of generator.state) {
    if (name.endsWith("noise_strength")) device.write(tensor, [0.3]);
  }
  const { w } = sight(device, generator);
  const of = async (noise: "const" | "random" | "none", seed = 0) =>
    await planes(generator, w, { noise, random: new Random(device, seed) })
      .data();
  const kept = await of("const"), none = await of("none");
  assertEquals(await of("const"), kept);
  const drawn = await of("random", 1);
  assertEquals(await of("random", 1), drawn);
  for (const other of [none, await of("random", 2), kept]) {
    assert(relativeDistance(other, drawn) > 1e-3);
  }
});

Deno.test("points are what the ray marcher sees: dense inside the head, empty before it", async () => {
  using device = await openDevice();
  const generator = loadGenerator(device, await smallMannequin());
  const { w } = sight(device, generator);
  const points = device.tensor([0, 0, 0, 0, 0, 0.33], [1, 2, 3]);
  const { sigma, rgb } = samplePoints(generator, planes(generator, w), points);
  assertEquals([sigma.shape, rgb.shape], [[1, 2, 1], [1, 2, 32]]);
  const [[inside, before], colours] = await device.read(sigma, rgb);
  assert(inside > before + 5, `${inside}, ${before}`);
  assert(colours.every((v) => v >= -0.0011 && v <= 1.0011));
});

Deno.test("superresolution 4X refuses pictures larger than it takes", async () => {
  using device = await openDevice();
  const generator = await tiny(device, (config) => ({
    ...config,
    superresolution: { ...config.superresolution, resize: "enlarge" },
  }));
  const { label, w } = sight(device, generator);
  const flat = planes(generator, w);
  assertThrows(
    () => view(generator, flat, w, label, { resolution: 32 }),
    ShapeError,
    "at most 16 px",
  );
  // smaller ones are enlarged
  const { image } = view(generator, flat, w, label, { resolution: 8 });
  assertEquals(image.shape, [1, 3, 32, 32]);
});

Deno.test("an up-convolution too large for the adapter's bindings is taken in parts", async () => {
  using device = await openDevice();
  const random = new Random(device, 3);
  const x = random.normal([1, 4, 40, 40]).track();
  const weight = random.normal([10, 4, 3, 3]).track();
  const styles = random.normal([1, 4]);
  const seed = random.normal([1, 10, 80, 80]);
  const run = () => {
    const y = modulatedConv2d(x, weight, styles, { up: 2 });
    return device.read(y, ...gradients(y, [x, weight], { seed }));
  };
  const whole = await run();
  // what lies between convolution and filter has 10 x 81 x 81 numbers
  const value = 4 * 10 * 80 * 80;
  Object.defineProperty(device, "maxTensorBytes", { value });
  const parts = await run();
  parts.forEach((part, k) => assert(relativeDistance(part, whole[k]) < 1e-5));
});

Deno.test("seeds are NumPy's", () => {
  const numbers = new RandomState(123).normals(1300);
  const known = [-1.0856306033005612, 0.9973454465835858, 0.28297849805199204];
  known.forEach((v, k) => assert(Math.abs(numbers[k] - v) < 1e-6));
  assert(Math.abs(numbers[1299] + 2.1594416461000474) < 1e-6);
});

Deno.test("a batch of heads is drawn as each would be alone", async () => {
  using device = await openDevice();
  const generator = await tiny(device);
  const { config } = generator;
  const z = new RandomState(5).normals(2 * config.z_dim);
  const labels = [sphereCamera(config, -20), sphereCamera(config, 15, 10)];
  const c = device.tensor(labels.flatMap((label) => [...label]), [2, 25]);
  const w = mapping(generator, device.tensor(z, [2, config.z_dim]), c);
  const both = synthesis(generator, w, c).image;
  for (const b of [0, 1]) {
    const alone = synthesis(
      generator,
      slice(w, [b, 0], [1, config.w_dim]),
      slice(c, [b, 0], [1, 25]),
    ).image;
    const [all, one] = await device.read(both, alone);
    const own = all.subarray(b * one.length, (b + 1) * one.length);
    assert(relativeDistance(own, one) < 1e-5, `head ${b}`);
  }
});

Deno.test("superresolution in half precision draws the same picture, and goes on in single where it overflows", async () => {
  using device = await openDevice();
  const generator = await tiny(device);
  const { label, w } = sight(device, generator);
  const flat = planes(generator, w), camera = await label.data();
  const told: string[] = [];
  const paint = (precision: "f16" | "f32") => {
    const painter = new Painter(generator, precision, (line) => {
      told.push(line);
    });
    return painter.paint(flat, w, camera).then(({ image }) => ({
      image,
      precision: painter.precision,
    }));
  };
  const single = await paint("f32"), half = await paint("f16");
  const apart = relativeDistance(half.image, single.image);
  assert(apart > 0 && apart < 5e-3, `${apart}`);
  assertEquals([half.precision, told], ["f16", []]);

  const weight = generator.state.get("superresolution.block1.torgb.weight")!;
  device.write(weight, (await weight.data()).map((v) => v * 1e8));
  const large = await paint("f16");
  assertEquals([large.precision, told.length], ["f32", 1]);
  assert(large.image.every(Number.isFinite));
  assertEquals(large.image, (await paint("f32")).image);
});
