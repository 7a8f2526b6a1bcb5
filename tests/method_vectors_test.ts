/** The reference vectors of the method (section 13c) that concern operators. */
import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  cameraRays,
  type Device,
  importanceDepths,
  openDevice,
  rayMarch,
  sampleTriplane,
  stratifiedDepths,
  type TileProfile,
  upsample2d,
} from "../engine/mod.ts";
import {
  modulatedConv2d,
  type ModulatedConv2dOptions,
} from "../engine/nn/modulated_conv2d.ts";
import {
  invertedCdf,
  marchWeights,
  smoothedWeights,
} from "../engine/ops/raymarch.reference.ts";

const PROFILES: TileProfile[] = ["cpu", "gpu"];

/** Camera in front, as labels hold it: pose, then intrinsics. */
const FRONTAL = [
  ...[1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, 2.7, 0, 0, 0, 1],
  ...[4.2647, 0, 0.5, 0, 4.2647, 0.5, 0, 0, 1],
];

function assertClose(
  got: ArrayLike<number>,
  wanted: readonly number[],
  tolerance: number,
): void {
  assertEquals(got.length, wanted.length);
  wanted.forEach((v, k) => assertAlmostEquals(got[k], v, tolerance));
}

/** A test on both kinds of device. */
function vector(name: string, body: (device: Device) => Promise<void>): void {
  for (const profile of PROFILES) {
    Deno.test(`method vectors: ${name} on ${profile} tiles`, async () => {
      using device = await openDevice({ profile, poison: true });
      await body(device);
    });
  }
}

const count = (n: number, start = 0) =>
  Array.from({ length: n }, (_, k) => start + k);

vector("rays of the frontal camera", async (device) => {
  const rays = await cameraRays(device.tensor(FRONTAL, [1, 25]), 4).data();
  const first = [0, 1, 2, 3].flatMap((k) => [...rays.slice(6 * k, 6 * k + 6)]);
  assertClose(first, [
    ...[0, 0, 2.7, -.0873, .0873, -.9924],
    ...[0, 0, 2.7, -.0292, .0876, -.9957],
    ...[0, 0, 2.7, .0292, .0876, -.9957],
    ...[0, 0, 2.7, .0873, .0873, -.9924],
  ], 1e-4);
});

vector("projection of (1, 2, 3) on the planes", async (device) => {
  // planes that hold their own coordinates: u in channel 0, v in channel 1
  const side = 16, boxWarp = 8;
  const place = (k: number) => ((2 * k + 1) / side - 1) * boxWarp / 2;
  const ramps = [
    ...count(side * side).map((k) => place(k % side)),
    ...count(side * side).map((k) => place(Math.floor(k / side))),
  ];
  const planes = device.tensor([...ramps, ...ramps, ...ramps], [
    ...[1, 3, 2, side, side],
  ]);
  const point = device.tensor([1, 2, 3], [1, 1, 3]);
  const uv = sampleTriplane(planes, point, { boxWarp, mean: false });
  assertClose(await uv.data(), [1, 2, 1, 3, 3, 1], 1e-5);
});

vector("sampling of three planes of 4 x 4", async (device) => {
  const planes = device.tensor(count(48), [1, 3, 1, 4, 4]);
  const point = device.tensor([.1, .2, -.3], [1, 1, 3]);
  const each = sampleTriplane(planes, point, { boxWarp: 1, mean: false });
  assertClose(await each.data(), [11.1, 19.1, 39.9], 1e-4);
  const mean = sampleTriplane(planes, point, { boxWarp: 1 });
  assertClose(await mean.data(), [(11.1 + 19.1 + 39.9) / 3], 1e-4);
});

vector("the marcher", async (device) => {
  const raw = device.tensor([0, 0, 1, .5, 2, 1, 1, .25], [1, 4, 2]);
  const t = device.tensor([1, 2, 3, 4], [1, 4]);
  const seen = await rayMarch(raw, t, { sigmoid: false }).data();
  const opacity = .377541 + .387456 + .146280;
  assertClose(seen, [-.047196, 2.246223 * opacity, opacity], 2e-6);
  assertClose(marchWeights([0, 1, 2, 1], [1, 2, 3, 4]), [
    ...[.377541, .387456, .146280],
  ], 1e-6);
});

Deno.test("method vectors: smoothing of weights", () => {
  assertClose(smoothedWeights([0, .2, .5, .2, 0]), [
    ...[.11, .36, .51, .36, .11],
  ], 1e-12);
});

Deno.test("method vectors: inverse of the distribution", () => {
  const depths = invertedCdf(count(5), [.1, .7, .2], [0, .25, .5, .75, 1]);
  assertClose(depths, [0, 1.214279, 1.571428, 1.928576, 3], 1e-6);
});

vector(
  "importance samples follow the inverse of the distribution",
  async (device) => {
    const t = [1, 2, 3, 4, 5, 6], sigma = [0, 1, 2, 1, 3, 0];
    const u = [0, .25, .5, .75, .999];
    const weights = smoothedWeights(marchWeights(sigma, t)).slice(1, -1);
    const bins = t.slice(1).map((far, k) => (t[k] + far) / 2);
    const wanted = [...t, ...invertedCdf(bins, weights, u)].sort((a, b) =>
      a - b
    );
    const merged = importanceDepths(
      device.tensor(t, [1, 6]),
      device.tensor(sigma, [1, 6, 1]),
      device.tensor(u, [1, 5]),
    );
    assertClose(await merged.data(), wanted, 1e-5);
  },
);

vector(
  "stratified depths begin at near and step by (far - near) / (S - 1)",
  async (device) => {
    const t = stratifiedDepths(
      device.tensor([2.25, 3.3], [1, 2]),
      device.tensor([0, 0, .5, 0, 1], [1, 5]),
    );
    const step = (3.3 - 2.25) / 4;
    assertClose(
      await t.data(),
      [0, 1, 2.5, 3, 5].map((k) => 2.25 + k * step),
      1e-6,
    );
  },
);

/** `modulatedConv2d` of numbers, with style 1 unless told otherwise. */
async function convolve(
  device: Device,
  x: number[],
  side: number,
  weight: number[],
  style: number[],
  options: ModulatedConv2dOptions,
): Promise<Float32Array> {
  const ci = style.length, size = Math.sqrt(weight.length / ci);
  const y = modulatedConv2d(
    device.tensor(x, [1, ci, side, side]),
    device.tensor(weight, [1, ci, size, size]),
    device.tensor(style, [1, ci]),
    options,
  );
  return await y.data();
}

vector("modulated 1x1 convolution", async (device) => {
  const run = (demodulate: boolean) =>
    convolve(device, count(8), 2, [1, 1], [1, 2], { demodulate });
  assertClose(await run(true), [3.577709, 4.919350, 6.260990, 7.602631], 2e-6);
  assertClose(await run(false), [8, 11, 14, 17], 1e-6);
});

const IMPULSE = [0, 0, 0, 0, 1, 0, 0, 0, 0];

vector("convolution of an impulse is a correlation", async (device) => {
  const options = { demodulate: false };
  const y = await convolve(device, IMPULSE, 3, count(9, 1), [1], options);
  assertClose(y, [9, 8, 7, 6, 5, 4, 3, 2, 1], 1e-6);
});

vector("up-convolution of an impulse", async (device) => {
  const options = { up: 2, demodulate: false } as const;
  const y = await convolve(device, IMPULSE, 3, count(9, 1), [1], options);
  assertEquals(y.length, 36);
  assertClose(y.slice(0, 6), [.0625, .3125, .75, 1, .6875, .1875], 1e-5);
  assertClose(y.slice(18, 24), [
    ...[2.125, 8.9375, 17.0625, 18.8125, 11.5625, 3],
  ], 1e-4);
});

vector("upsampling of an impulse", async (device) => {
  const y = await upsample2d(device.tensor(IMPULSE, [1, 1, 3, 3])).data();
  const taps = [0, .25, .75, .75, .25, 0];
  assertClose(y, taps.flatMap((v) => taps.map((w) => v * w)), 1e-6);
});
