/** Choosing kernels: only right ones, the fastest of them, once for all runs. */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  adapterKey,
  affine,
  Autotuner,
  chosen,
  conv2d,
  type Device,
  EngineError,
  gradients,
  matmul,
  openDevice,
  Random,
  type Stopwatch,
  sum,
  type Tensor,
  TensorTooLargeError,
  type Tunable,
  type TuneCache,
} from "../engine/mod.ts";
import { relativeError } from "../engine/ops/conformance.ts";
import { defineKernel } from "../kernels/kernel.ts";
import { TuningFiles } from "../weights/mod.ts";
import { DOUBLE } from "./support/double_kernel.ts";

/** Two ways to double numbers, and one that only looks like it. */
type Doubling = "twice" | "added" | "lazy";

const doubling: Tunable<Doubling> = {
  key: "double [100]",
  methods: ["twice", "added", "lazy"],
  reference: "twice",
  name: (m) => m,
  inputs: [{ shape: [100], dtype: "f32" }],
  run: ([x], m) => {
    if (m === "lazy") return x.detach();
    return m === "twice" ? affine(x, 2) : affine(affine(x, 1), 2);
  },
  operations: 100,
};

/** Says how long the methods take, told apart by their launches: one or two. */
function stopwatch([one, two]: readonly number[]): Stopwatch {
  return (device, run) => {
    const before = device.dispatches;
    run();
    return Promise.resolve(device.dispatches - before === 1 ? one : two);
  };
}

/** A cache in memory. */
function memory(): TuneCache & { saved: Record<string, string> | null } {
  return {
    saved: null,
    load() {
      return Promise.resolve(this.saved);
    },
    save(_adapter, choices) {
      this.saved = { ...choices };
      return Promise.resolve();
    },
  };
}

Deno.test("a method with wrong numbers is never chosen, though it is the fastest", async () => {
  using device = await openDevice();
  // the lazy one would take no time at all, but it is not even timed
  const tuner = await Autotuner.open("a", memory(), stopwatch([5, 3]));
  assertEquals(tuner.pick(doubling), "twice");
  const [tuned] = await tuner.tune(device);
  assertEquals(tuned.rejected, ["lazy"]);
  assertEquals(tuned.method, "added");
  assertEquals(tuner.pick(doubling), "added");
});

Deno.test("a method that is hardly faster does not replace the default", async () => {
  using device = await openDevice();
  const tuner = await Autotuner.open("a", memory(), stopwatch([5, 4.9]));
  tuner.pick(doubling);
  const [tuned] = await tuner.tune(device);
  assertEquals(tuned.method, "twice");
});

Deno.test("a method whose numbers are not finite is wrong", async () => {
  using device = await openDevice();
  const tuner = await Autotuner.open("a", memory(), stopwatch([5, 1]));
  const run = ([x]: readonly Tensor[], m: Doubling) =>
    m === "twice" ? affine(x, 2) : device.full(x.shape, NaN);
  tuner.pick({ ...doubling, methods: ["twice", "added"], run });
  const [tuned] = await tuner.tune(device);
  assertEquals(tuned.rejected, ["added"]);
});

Deno.test("a default method with wrong numbers is replaced", async () => {
  using device = await openDevice();
  const tuner = await Autotuner.open("a", memory(), stopwatch([5, 5]));
  tuner.pick({ ...doubling, methods: ["lazy", "twice"] });
  const [tuned] = await tuner.tune(device);
  assertEquals(tuned.method, "twice");
  assertEquals(tuned.rejected, ["lazy"]);
});

Deno.test("a method that fails is rejected, at a shape itself and at its reduced one", async () => {
  using device = await openDevice();
  const right = ([x]: readonly Tensor[], method: string) =>
    doubling.run([x], method === "added" ? method : "twice");
  const broken = defineKernel("test.broken", DOUBLE.replace("x[id.x]", "z"));
  const run = ([x]: readonly Tensor[], method: string) => {
    if (method === "twice" || method === "added") return right([x], method);
    const y = device.empty(x.shape), tensors = { x, y };
    device.run(broken, { tensors, params: { n: 100 }, workgroups: [2] });
    // by then it is not known yet that the kernel does not compile
    if (method === "throws") throw new TensorTooLargeError("too large");
    return y;
  };
  const methods = ["throws", "broken", "twice", "added"];
  const name = (method: string) => method, operations = 2 ** 40;
  const small: Tunable<string> = { ...doubling, methods, name, run, reduced };
  function reduced(): Tunable<string> {
    return { ...small, run: right };
  }
  const tuner = await Autotuner.open("a", memory(), stopwatch([5, 3]));
  tuner.pick(small);
  tuner.pick({ ...small, key: "large", operations });
  tuner.pick({ ...small, key: "reduced", operations, reduced: () => small });
  const tuned = await tuner.tune(device);
  assertEquals(tuned.length, 3);
  for (const { key, method, rejected } of tuned) {
    assertEquals(rejected, ["throws", "broken"], key);
    assertEquals(method, "added", key);
  }
});

Deno.test("choices that were made before tuning failed are saved", async () => {
  using device = await openDevice();
  const cache = memory();
  const tuner = await Autotuner.open("a", cache, stopwatch([5, 3]));
  tuner.pick(doubling);
  const run = () => {
    throw new EngineError("nothing works");
  };
  tuner.pick({ ...doubling, key: "hopeless", run });
  await assertRejects(() => tuner.tune(device), EngineError, "nothing works");
  assertEquals(cache.saved, { [doubling.key]: "added" });
});

Deno.test("choices survive in a file", async () => {
  const folder = await Deno.makeTempDir();
  using device = await openDevice();
  const files = new TuningFiles(`${folder}/tuning`);
  const first = await Autotuner.open("a", files, stopwatch([5, 3]));
  first.pick(doubling);
  await first.tune(device);
  const second = await Autotuner.open("a", files);
  assertEquals(second.pick(doubling), "added");
  assertEquals(second.waiting, 0);
  const other = await Autotuner.open("another adapter", files);
  assertEquals(other.pick(doubling), "twice");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("damaged and foreign files of choices are ignored with a sentence and made anew", async () => {
  const folder = await Deno.makeTempDir();
  using device = await openDevice();
  const bad = [
    "{ torn",
    "[]",
    "null",
    `{"adapter":"a"}`,
    `{"adapter":"a","choices":{"double [100]":7}}`,
    `{"adapter":"b","choices":{}}`,
  ];
  for (const text of bad) {
    const sentences: string[] = [];
    const files = new TuningFiles(folder, (s) => sentences.push(s));
    await Deno.writeTextFile(files.path("a"), text);
    const tuner = await Autotuner.open("a", files, stopwatch([5, 3]));
    assertEquals(sentences.length, 1, text);
    assertStringIncludes(sentences[0], "it is ignored and will be made anew.");
    assertEquals(tuner.pick(doubling), "twice");
    await tuner.tune(device);
    assertEquals((await files.load("a"))?.[doubling.key], "added");
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a choice that no longer exists is made again", async () => {
  const cache = memory();
  cache.saved = { [doubling.key]: "by magic" };
  const tuner = await Autotuner.open("a", cache);
  assertEquals(tuner.pick(doubling), "twice");
  assertEquals(tuner.waiting, 1);
});

Deno.test("without a cache nothing is tuned", async () => {
  using device = await openDevice();
  assertEquals(device.tuner, null);
  const never = () => {
    throw new Error("asked for nothing");
  };
  assertEquals(chosen(device, ["default", "other"], never), "default");
  assertEquals(await device.tune(), []);
});

Deno.test("choices hold for one adapter, kernel profile and set of kernels", async () => {
  using cpu = await openDevice({ profile: "cpu" });
  using gpu = await openDevice({ profile: "gpu" });
  assert(adapterKey(cpu) !== adapterKey(gpu));
  assertStringIncludes(adapterKey(cpu), Deno.version.deno);
});

/** A convolution, its gradients and a product, whose shapes have several methods. */
async function work(device: Device): Promise<Float32Array[]> {
  using _scope = device.scope();
  const random = new Random(device, 3);
  const x = random.normal([2, 34, 13, 11]).track();
  const w = random.normal([66, 34, 3, 3]).track();
  const thin = random.normal([2, 5, 13, 11]).track();
  const taps = random.normal([5, 1, 3, 3]);
  const y = conv2d(x, w, { padding: 1 });
  const z = conv2d(thin, taps, { padding: 1, groups: 5 });
  const m = matmul(
    random.normal([70, 600]),
    random.normal([65, 600]),
    { transposeB: true },
  );
  return await device.read(y, z, m, ...gradients(sum(y), [x, w]));
}

for (const profile of ["cpu", "gpu"] as const) {
  Deno.test(`tuned operators compute the same on ${profile} kernels`, async () => {
    using plain = await openDevice({ profile });
    const wanted = await work(plain);
    using device = await openDevice({ profile, tune: memory() });
    await work(device);
    const tuned = await device.tune();
    assertEquals(tuned.length, 5);
    // every specialisation that is offered for these shapes is right
    for (const { key, rejected } of tuned) assertEquals(rejected, [], key);
    const got = await work(device);
    assertEquals(device.tuner!.waiting, 0);
    got.forEach((numbers, k) =>
      assert(relativeError(numbers, wanted[k]) < 1e-4, `result ${k}`)
    );
  });
}
