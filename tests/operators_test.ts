import { assert, assertEquals } from "@std/assert";
import {
  biasAct,
  broadcastTo,
  clamp,
  decodeTriplane,
  type Device,
  gradients,
  interpolate,
  maxAlong,
  maximum,
  maxPool2d,
  minimum,
  multiply,
  openDevice,
  pad,
  permute,
  relu,
  reshape,
  slice,
  softmax,
  square,
  sum,
  tanh,
  type Tensor,
  type TileProfile,
  upfirdn2d,
} from "../engine/mod.ts";
import { families } from "../engine/ops/cases.ts";
import {
  type CaseResult,
  checkCase,
  type OperatorCase,
  relativeError,
} from "../engine/ops/conformance.ts";
import { ACTIVATIONS } from "../kernels/bias_act/bias_act.ts";
import { catalog } from "../kernels/catalog.ts";
import { GOLDEN_RUNNERS, goldenFiles } from "./support/goldens.ts";
import { watchKernels } from "./support/watch_kernels.ts";
import { formula } from "../engine/ops/formula.ts";

const FILTER = [1, 3, 3, 1];
const PROFILES: TileProfile[] = ["cpu", "gpu"];

/** Kernels that cases have run, by profile, and families that are still to come. */
const seen = { cpu: new Set<string>(), gpu: new Set<string>() };
const waiting = new Set<string>();

/** A CPU whose driver offers no subgroups of 8 lanes. */
async function openSimpleDevice(): Promise<Device> {
  const device = await openDevice({ profile: "cpu", poison: true });
  const { vendor, architecture, description } = device.info;
  const info = { vendor, architecture, description, subgroupMinSize: 0 };
  return Object.defineProperty(device, "info", { value: info });
}

async function failures(
  device: Device,
  cases: readonly OperatorCase[],
): Promise<string[]> {
  const found: string[] = [];
  using watch = watchKernels(device);
  for (const c of cases) {
    const result: CaseResult = await checkCase(device, c);
    if (result.failures.length === 0) continue;
    found.push(`${c.operator}, ${c.name}: ${result.failures.join("; ")}`);
  }
  for (const name of watch.names) seen[device.profile].add(name);
  return found;
}

for (const profile of PROFILES) {
  for (const [family, cases] of Object.entries(families)) {
    waiting.add(`${family} on ${profile}`);
    Deno.test(`${family} operators agree with float64 in value and gradient on ${profile} tiles`, async () => {
      using device = await openDevice({ profile, poison: true });
      assertEquals(await failures(device, cases), []);
      waiting.delete(`${family} on ${profile}`);
    });
  }
}

/** Families with kernels of their own for subgroups. */
const LANES = ["matmul", "conv2d", "triplane"];

for (const family of LANES) {
  waiting.add(family);
  Deno.test(`${family} operators agree with float64 on a CPU without subgroups`, async () => {
    using device = await openSimpleDevice();
    assertEquals(await failures(device, families[family]), []);
    assert(![...seen.cpu].some((name) => name.endsWith("_tiles")));
    waiting.delete(family);
  });
}

Deno.test("every kernel has a case on each profile that it serves", () => {
  // with --filter not all of them have run
  if (waiting.size > 0) return;
  const missing = catalog.flatMap(({ name, profiles }) =>
    profiles.filter((p) => !seen[p].has(name)).map((p) => `${name} on ${p}`)
  );
  assertEquals(missing, []);
});

Deno.test("the operators agree with the published code's golden numbers", async () => {
  const folder = new URL("goldens", import.meta.url).pathname;
  const files = (await goldenFiles(folder)).filter((f) => f.kind === "ops");
  assert(files.length > 0);
  for (const profile of PROFILES) {
    using device = await openDevice({ profile, poison: true });
    for (const file of files) {
      const results = await GOLDEN_RUNNERS.ops(device, file);
      const failed = results.filter((r) => r.failure !== null);
      assertEquals(failed, []);
    }
  }
});

/** WGSL files with an entry point, as `family/file`. */
async function kernelFiles(): Promise<string[]> {
  const root = new URL("../kernels", import.meta.url).pathname;
  const found: string[] = [];
  for await (const family of Deno.readDir(root)) {
    if (!family.isDirectory) continue;
    for await (const file of Deno.readDir(`${root}/${family.name}`)) {
      if (!file.name.endsWith(".wgsl")) continue;
      const text = await Deno.readTextFile(
        `${root}/${family.name}/${file.name}`,
      );
      if (text.includes("@compute")) found.push(text);
    }
  }
  return found;
}

Deno.test("every kernel file is in the catalogue, with a formula", async () => {
  const sources = catalog.map((entry) => entry.kernel.source);
  for (const text of await kernelFiles()) {
    assert(
      sources.some((source) => source.includes(text)),
      `not in kernels/catalog.ts: ${text.slice(0, 80)}`,
    );
  }
  for (const entry of catalog) assert(entry.formula.length > 5, entry.name);
  const names = catalog.map((entry) => entry.name);
  assertEquals(names.length, new Set(names).size);
});

Deno.test("no two conformance cases share a name", () => {
  const names = Object.values(families).flat()
    .map((c) => `${c.operator}, ${c.name}`);
  assertEquals(names.length, new Set(names).size);
});

/**
 * Results and gradients of f for one sample alone, and for the last of many
 * copies of it: [alone, last, gradient alone, gradient last].
 */
async function aloneAndLast(
  device: Device,
  shape: number[],
  times: number,
  f: (x: Tensor) => Tensor,
): Promise<Float32Array[]> {
  using _scope = device.scope();
  const one = device.tensor(formula("sample", shape), [1, ...shape]).track();
  const many = device.withoutTape(() => broadcastTo(one, [times, ...shape]))
    .track();
  const run = (x: Tensor) => {
    const y = f(x), inner = y.shape.slice(1);
    const seed = broadcastTo(
      device.tensor(formula("seed", inner), inner),
      y.shape,
    );
    return [y, gradients(y, [x], { seed })[0]];
  };
  const last = (t: Tensor) =>
    slice(t, t.shape.map((n, k) => k === 0 ? n - 1 : 0), [
      1,
      ...t.shape.slice(1),
    ]);
  const [y, dy] = run(one), [z, dz] = run(many);
  return await device.read(y, last(z), dy, last(dz));
}

const COPIES = 4111;

/** Shape of a sample, so that results and gradients of 4,111 need more than 65,535 groups. */
const WIDE: Record<string, { shape: number[]; f: (x: Tensor) => Tensor }> = {
  square: { shape: [1049], f: square },
  permute: { shape: [3, 7, 50], f: (x) => permute(x, [0, 2, 3, 1]) },
  sum: { shape: [1049, 1], f: (x) => sum(x, { axes: [2] }) },
  biasAct: { shape: [5, 211], f: (x) => biasAct(x, null, { act: "lrelu" }) },
  upfirdn2d: {
    shape: [2, 23, 23],
    f: (x) => upfirdn2d(x, FILTER, { up: 2, down: 2, padding: [2, 1, 2, 1] }),
  },
  "upfirdn2d by four taps": {
    shape: [1, 33, 128],
    f: (x) => upfirdn2d(x, FILTER, { padding: [1, 2, 1, 2] }),
  },
  interpolate: { shape: [1, 33, 33], f: (x) => interpolate(x, [34, 32]) },
  maxPool2d: {
    shape: [1, 34, 34],
    f: (x) => maxPool2d(x, { kernel: 2, stride: 1 }),
  },
  softmax: { shape: [1021, 1], f: softmax },
};

Deno.test("operators go on beyond 65,535 workgroups", async () => {
  // on a CPU elementwise kernels take 16 numbers each and never get there
  using device = await openDevice({ profile: "gpu" });
  for (const [name, { shape, f }] of Object.entries(WIDE)) {
    const [y, z, dy, dz] = await aloneAndLast(device, shape, COPIES, f);
    assertEquals(z, y, name);
    assertEquals(dz, dy, `gradient of ${name}`);
  }
});

Deno.test("the renderer's operators go on beyond 65,535 workgroups", async () => {
  using device = await openDevice();
  const count = 65536 * 32 + 5, few = 37;
  const of = (name: string, shape: number[]) =>
    device.tensor(formula(name, shape), shape);
  const planes = of("planes", [1, 3, 5, 5, 4]).track();
  const decoder = {
    w1: of("w1", [3, 4]),
    b1: of("b1", [3]),
    w2: of("w2", [1, 3]),
    b2: of("b2", [1]),
  };
  const run = (points: Tensor, seed: Tensor) => {
    const y = decodeTriplane(planes, points, decoder, { boxWarp: 2 });
    return [y, gradients(y, [planes], { seed })[0]];
  };
  const points = of("points", [1, count, 3]), g = of("g", [few, 1]);
  const [y, dy] = run(points, pad(g, [[count - few, 0], [0, 0]]));
  const [z, dz] = run(slice(points, [0, count - few, 0], [1, few, 3]), g);
  const last = slice(y, [count - few, 0], [few, 1]);
  const [a, b, da, db] = await device.read(last, z, dy, dz);
  assertEquals(a, b);
  assert(relativeError(da, db) < 1e-6);
});

const NAN = 0x7fc00000;

/** NaN by its bits: some drivers fold `isnan` away, and so might a comparison. */
function isNaNWord(word: number): boolean {
  return (word & 0x7fffffff) > 0x7f800000;
}

Deno.test("a poisoned device shows numbers that no kernel wrote", async () => {
  using device = await openDevice({ poison: true });
  const data = await device.empty([5]).data();
  assert(new Uint32Array(data.buffer).every((word) => word === NAN));
});

Deno.test("NaN and infinity pass through sums, products and copies", async () => {
  using device = await openDevice();
  const special = new Float32Array([NaN, Infinity, -Infinity, 1]);
  const x = device.tensor(special, [4]);
  const [copy, doubled, total] = await device.read(
    permute(reshape(x, [2, 2]), [0, 1]),
    multiply(x, device.full([1], 2)),
    sum(x),
  );
  assertEquals(copy, special);
  assertEquals(doubled, new Float32Array([NaN, Infinity, -Infinity, 2]));
  assert(isNaNWord(new Uint32Array(total.buffer)[0]));
});

Deno.test("NaN is not hidden by activations, limits and maxima", async () => {
  using device = await openDevice();
  const x = device.tensor([NaN, 1, NaN, 2], [1, 4]);
  const one = device.full([1, 4], 1);
  const picture = reshape(x, [1, 1, 2, 2]);
  const acts = Object.keys(ACTIVATIONS) as (keyof typeof ACTIVATIONS)[];
  const results: Record<string, Tensor> = {
    relu: relu(x),
    tanh: tanh(x),
    clamp: clamp(x, -1, 1),
    "maximum of a": maximum(x, one),
    "maximum of b": maximum(one, x),
    "minimum of a": minimum(x, one),
    "minimum of b": minimum(one, x),
    maxAlong: maxAlong(x, 1),
    maxPool2d: maxPool2d(picture, { kernel: 2 }),
    ...Object.fromEntries(acts.map((act) => [act, biasAct(x, null, { act })])),
    "biasAct's clamp": biasAct(x, null, { clamp: 1 }),
  };
  const data = await device.read(...Object.values(results));
  Object.keys(results).forEach((name, k) =>
    assert(isNaNWord(new Uint32Array(data[k].buffer)[0]), name)
  );
});

Deno.test("the same operator twice gives the same bits", async () => {
  using device = await openDevice();
  for (const c of Object.values(families).flatMap((f) => f.slice(0, 1))) {
    using _scope = device.scope();
    const results: Float32Array[] = [];
    for (let k = 0; k < 2; k++) {
      const inputs: Record<string, Tensor> = {};
      for (const [name, { shape, scale, shift }] of Object.entries(c.inputs)) {
        inputs[name] = device.tensor(formula(name, shape, scale, shift), shape);
      }
      results.push(await c.run(inputs).data());
    }
    assertEquals(results[0], results[1], c.operator);
  }
});
