/** Tensors stored as f16: numbers, memory, kernels, refusals. */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  add,
  affine,
  biasAct,
  cast,
  concat,
  conv2d,
  convTranspose2d,
  countNonFinite,
  Device,
  DtypeError,
  type EngineError,
  gradients,
  interpolate,
  matmul,
  multiply,
  openDevice,
  permute,
  reshape,
  slice,
  sum,
} from "../engine/mod.ts";
import { modulatedConv2d } from "../engine/nn/modulated_conv2d.ts";
import { families } from "../engine/ops/cases.ts";
import { relativeError } from "../engine/ops/conformance.ts";
import { formula } from "../engine/ops/formula.ts";
import { catalog, type KernelProfile } from "../kernels/catalog.ts";
import { defineKernel, dtypesOf, specialise } from "../kernels/kernel.ts";
import { DOUBLE } from "./support/double_kernel.ts";

const cases = families.f16;

Deno.test("an f16 tensor holds its numbers rounded to 11 bits in half the bytes", async () => {
  using device = await openDevice();
  const numbers = [1, -2.5, 1 / 3, 65504, 1e6, 6e-8, NaN];
  const x = device.tensor(numbers, [7], "f16");
  assertEquals([x.dtype, x.bytes], ["f16", 16]);
  assertEquals(device.tensor(numbers, [7]).bytes, 28);
  assertEquals(await x.data(), Float32Array.from(numbers, Math.f16round));
  assertEquals(x.view([7, 1]).dtype, "f16");
  assertEquals(reshape(x, [1, 7]).dtype, "f16");
});

Deno.test("f16 tensors are filled, copied and overwritten like others", async () => {
  using device = await openDevice();
  const x = device.full([3, 3], 0.1, "f16"), y = device.zeros([3, 3], "f16");
  device.copy(x, y);
  const z = device.empty([5], "f16");
  device.write(z, [1, 2, 3, 4, 5]);
  const [a, b] = await device.read(y, z);
  assertEquals(a, new Float32Array(9).fill(Math.f16round(0.1)));
  assertEquals([...b], [1, 2, 3, 4, 5]);
  assertThrows(() => device.copy(x, device.zeros([3, 3])), DtypeError, "copy");
});

Deno.test("a poisoned device shows f16 numbers that no kernel wrote", async () => {
  using device = await openDevice({ poison: true });
  const data = await device.empty([5], "f16").data();
  assert(data.every((v) => Number.isNaN(v)));
});

Deno.test("a cast rounds to the nearest number, and its gradient is cast back", async () => {
  using device = await openDevice();
  const numbers = formula("cast", [1001], 100);
  const x = device.tensor(numbers, [1001]).track();
  const y = cast(x, "f16");
  assertEquals(cast(y, "f16"), y);
  const [g] = gradients(y, [x], { seed: device.full([1001], 3, "f16") });
  assertEquals([y.dtype, g.dtype], ["f16", "f32"]);
  const [values, slopes] = await device.read(y, g);
  const wanted = numbers.map(Math.f16round);
  assert(relativeError(values, wanted) < 1e-3);
  assert(slopes.every((v) => v === 3));
  // what nothing depends on has a gradient of zeros in its own type
  const [none] = gradients(sum(x), [device.zeros([2], "f16").track()]);
  assertEquals(none.dtype, "f16");
});

Deno.test("operators on f16 make f16, and sums within them are f32", async () => {
  using device = await openDevice();
  const x = device.full([1, 64, 8, 8], 0.1, "f16");
  const w = device.full([2, 64, 3, 3], 0.1);
  const results = [
    add(x, x),
    affine(x, 2),
    permute(x, [0, 2, 3, 1]),
    slice(x, [0, 1, 2, 3], [1, 2, 3, 4]),
    concat([x, x], 1),
    biasAct(x, null, { act: "lrelu" }),
    conv2d(x, w, { padding: 1 }),
    convTranspose2d(x, device.full([64, 2, 3, 3], 0.1), { stride: 2 }),
  ];
  for (const y of results) assertEquals(y.dtype, "f16");
  // 2,048 + 1 is 2,048 in f16: a sum of 4,096 ones would stop there
  const ones = device.full([1, 4096, 1, 1], 1, "f16");
  const total = conv2d(ones, device.full([1, 4096, 1, 1], 1));
  assertEquals(await total.item(), 4096);
});

/** A CPU whose driver offers no subgroups of 8 lanes. */
async function openSimple(): Promise<Device> {
  const device = await openDevice({ profile: "cpu", poison: true });
  const info = { ...device.info, subgroupMinSize: 0 };
  return Object.defineProperty(device, "info", { value: info });
}

/** Kernels that the cases launch with an f16 tensor. */
async function launchedOnF16(device: Device): Promise<Set<string>> {
  const names = new Set<string>(), run = device.run;
  device.run = (kernel, launch) => {
    const types = Object.values(launch.tensors).map((t) => t.dtype);
    if (types.includes("f16")) names.add(kernel.name);
    run.call(device, kernel, launch);
  };
  for (const c of cases) {
    using _scope = device.scope();
    const inputs = Object.fromEntries(
      Object.entries(c.inputs).map(([name, { shape, dtype }]) =>
        [name, device.full(shape, 1, dtype)] as const
      ),
    );
    c.run(inputs);
  }
  await device.finish();
  return names;
}

Deno.test("every kernel that takes f16 has an f16 case on each profile that it serves", async () => {
  using cpu = await openDevice({ profile: "cpu" });
  using simple = await openSimple();
  using gpu = await openDevice({ profile: "gpu" });
  const onCpu = await launchedOnF16(cpu);
  const all: Record<KernelProfile, Set<string>> = {
    cpu: onCpu.union(await launchedOnF16(simple)),
    gpu: await launchedOnF16(gpu),
  };
  for (const profile of ["cpu", "gpu"] as const) {
    const missing = catalog.filter(({ name, profiles, dtypes }) =>
      profiles.includes(profile) && dtypes.includes("f16") &&
      !all[profile].has(name)
    );
    assertEquals(missing.map((entry) => entry.name), []);
  }
});

Deno.test("numbers that are not finite are counted by their bits", async () => {
  using device = await openDevice();
  const numbers = new Float32Array(10_001);
  numbers[0] = NaN;
  numbers[5000] = -Infinity;
  numbers[10_000] = Infinity;
  const good = device.tensor(numbers.map(() => 60_000), [10_001], "f16");
  const count = async (x: typeof good) => await countNonFinite(x).item();
  assertEquals(await count(device.tensor(numbers, [10_001])), 3);
  assertEquals(await count(device.tensor(numbers, [10_001], "f16")), 3);
  assertEquals(await count(good), 0);
  assertEquals(await count(affine(good, 2)), 10_001);
});

Deno.test("a modulated convolution of f16 does not overflow where its weights and styles are large", async () => {
  using device = await openDevice();
  const of = (name: string, shape: number[], scale: number) =>
    device.tensor(formula(name, shape, scale), shape);
  const x = of("x", [1, 64, 16, 16], 250), weight = of("w", [64, 64, 3, 3], 40);
  const styles = of("s", [1, 64], 90);
  for (const up of [1, 2] as const) {
    const wanted = modulatedConv2d(x, weight, styles, { up });
    const found = modulatedConv2d(cast(x, "f16"), weight, styles, { up });
    const [a, b] = await device.read(wanted, found);
    assertEquals(found.dtype, "f16");
    assert(relativeError(b, a) < 4e-3);
  }
});

Deno.test("a channel without weights and a sample without styles come to zero, not NaN", async () => {
  using device = await openDevice();
  const x = device.full([2, 3, 4, 4], 1, "f16");
  const weight = device.tensor(
    formula("w", [2, 3, 3, 3]).fill(0, 0, 27),
    [2, 3, 3, 3],
  );
  const styles = device.tensor([1, 2, 3, 0, 0, 0], [2, 3]);
  const y = await modulatedConv2d(x, weight, styles).data();
  assert(y.every((v) => Number.isFinite(v)));
  assert(y.subarray(0, 16).every((v) => v === 0));
  assert(y.subarray(32).every((v) => v === 0));
});

Deno.test("element types that do not fit are refused by operator and type", async () => {
  using device = await openDevice();
  const single = device.full([1, 2, 4, 4], 1);
  const half = device.full([1, 2, 4, 4], 1, "f16");
  const matrix = device.full([4, 4], 1, "f16");
  const wide = device.full([2, 2, 3, 3], 1), narrow = cast(wide, "f16");
  const styles = device.full([1, 2], 1, "f16");
  const wrong: [() => unknown, string][] = [
    [() => matmul(matrix, matrix), "matmul."],
    [() => interpolate(half, [8, 8]), "interpolate."],
    [() => multiply(half, single), "multiply takes"],
    [() => concat([half, single], 1), "concat takes"],
    [() => conv2d(single, narrow), "conv2d takes"],
    [() => convTranspose2d(single, narrow), "convTranspose2d takes"],
    [() => modulatedConv2d(half, wide, styles), "Modulated convolution takes"],
  ];
  for (const [run, name] of wrong) {
    const { message } = assertThrows(run, DtypeError);
    assertStringIncludes(message, name);
    assertStringIncludes(message, "f16");
    assert(/cast|only x/.test(message), message);
  }
  await device.finish();
});

Deno.test("gradients have the type of what they are of, and sums in them are f32", async () => {
  using device = await openDevice();
  const x = device.full([1, 4096, 1, 1], 1, "f16").track();
  const w = device.full([2, 4096, 1, 1], 1).track();
  const b = device.zeros([2]).track();
  const y = biasAct(conv2d(x, w), b);
  const [gx, gw, gb] = gradients(y, [x, w, b], {
    seed: device.full(y.shape, 0.25, "f16"),
  });
  assertEquals([gx.dtype, gw.dtype, gb.dtype], ["f16", "f32", "f32"]);
  assertEquals(await gx.data(), new Float32Array(4096).fill(0.5));
  // 2,048 + 1 is 2,048 in f16: a sum of 4,096 ones would stop there
  assertEquals(await sum(x).item(), 4096);
});

Deno.test("an adapter without 16-bit numbers says so when an f16 tensor is made", async () => {
  const adapter = (await navigator.gpu.requestAdapter())!;
  using device = new Device(await adapter.requestDevice(), adapter.info, {});
  const made = [
    () => device.tensor([1], [1], "f16"),
    () => device.empty([1], "f16"),
    () => cast(device.full([1], 1), "f16"),
  ];
  for (const make of made) assertThrows(make, DtypeError, "shader-f16");
});

Deno.test("a kernel's aliases become f16 and its other buffers are refused f16", async () => {
  using device = await openDevice();
  const text = DOUBLE.replace("override", "alias x_t = f32;\noverride")
    .replace("x: array<f32>", "x: array<x_t>")
    .replace("x[id.x]", "f32(x[id.x])");
  const kernel = defineKernel("test.half_in", text);
  assertEquals(dtypesOf(kernel), ["f32", "f16"]);
  assertEquals(dtypesOf(defineKernel("test.double", DOUBLE)), ["f32"]);
  assertEquals(specialise(kernel, {}).code, text);
  const { code } = specialise(kernel, {}, ["x_t"]);
  assert(code.startsWith("enable f16;") && code.includes("alias x_t = f16;"));
  const x = device.tensor([1, 2, 3], [3], "f16"), y = device.empty([3]);
  const launch = { params: { n: 3 }, workgroups: [1] as const };
  device.run(kernel, { tensors: { x, y }, ...launch });
  assertEquals([...await y.data()], [2, 4, 6]);
  const tensors = { x, y: device.empty([3], "f16") };
  assertThrows(
    () => device.run(kernel, { tensors, ...launch }),
    DtypeError,
    "test.half_in takes f32 tensors and its y is f16",
  );
});

Deno.test("a kernel that does not compile for f16 is named with its types", async () => {
  using device = await openDevice();
  const text = DOUBLE.replace("override", "alias x_t = f32;\noverride")
    .replace("x: array<f32>", "x: array<x_t>");
  const x = device.full([3], 1, "f16"), y = device.empty([3]);
  device.run(defineKernel("test.unconverted", text), {
    tensors: { x, y },
    params: { n: 3 },
    workgroups: [1],
  });
  const error = await assertRejects(() => y.data()) as EngineError;
  assertStringIncludes(error.message, "test.unconverted<x_t=f16>");
});
