/** Memory, order of work, and where the engine runs. */
import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  add,
  affine,
  conv2d,
  defineOperator,
  type Device,
  exp,
  gradients,
  leakyRelu,
  matmul,
  mean,
  openDevice,
  rasterise,
  square,
  subtract,
  sum,
  type Tensor,
  TensorTooLargeError,
} from "../engine/mod.ts";
import { formula } from "../engine/ops/formula.ts";
import { applyMaps, axisMap } from "../engine/ops/taps.ts";
import { Adam } from "../engine/optim/adam.ts";
import { defineKernel } from "../kernels/kernel.ts";
import { DOUBLE } from "./support/double_kernel.ts";

/** One training step of a two-layer network, as small as it can be. */
function trainingStep(
  device: Device,
  adam: Adam,
  x: Tensor,
  target: Tensor,
): Tensor {
  using scope = device.scope();
  const [w1, b1, w2] = adam.parameters;
  const hidden = leakyRelu(add(matmul(x, w1), b1));
  const loss = mean(square(subtract(matmul(hidden, w2), target)));
  adam.step(gradients(loss, adam.parameters));
  return scope.keep(loss.detach());
}

Deno.test("1,000 training steps learn, and take no more buffers and bytes than 10", async () => {
  using device = await openDevice();
  const parameters = [[3, 16], [16], [16, 2]].map((shape, k) =>
    device.tensor(formula(`w${k}`, shape, 0.5), shape).track()
  );
  const x = device.tensor(formula("x", [32, 3]), [32, 3]);
  const target = device.tensor(formula("target", [32, 2]), [32, 2]);
  using adam = new Adam(parameters, { rate: 0.01 });
  const losses: number[] = [];
  let early = device.memory;
  for (let step = 0; step < 1000; step++) {
    const loss = trainingStep(device, adam, x, target);
    if (step % 250 === 9) losses.push(await loss.item());
    loss.release();
    if (step === 9) early = device.memory;
  }
  await device.finish();
  assertEquals(device.memory, early);
  assert(losses[3] < losses[0] / 2, `losses ${losses}`);
});

Deno.test("a scope releases what was made in it, except what is kept", async () => {
  using device = await openDevice();
  const x = device.tensor([1, 2, 3], [3]);
  const before = device.memory.live;
  let inner: Tensor, kept: Tensor;
  {
    using scope = device.scope();
    inner = square(x);
    kept = scope.keep(affine(inner, 2));
  }
  assert(inner.released);
  assert(!kept.released);
  assertEquals([...await kept.data()], [2, 8, 18]);
  kept.release();
  assertEquals(device.memory.live, before);
});

Deno.test("a kept tensor belongs to the enclosing scope", async () => {
  using device = await openDevice();
  let kept: Tensor;
  {
    using _outer = device.scope();
    {
      using inner = device.scope();
      kept = inner.keep(device.full([2], 1));
    }
    assert(!kept.released);
  }
  assert(kept.released);
});

Deno.test("unscoped tensors outlive every scope", async () => {
  using device = await openDevice();
  let table: Tensor;
  {
    using _scope = device.scope();
    table = device.unscoped(() => device.full([2], 3));
  }
  assertEquals([...await table.data()], [3, 3]);
});

Deno.test("a view keeps the buffer of a released tensor", async () => {
  using device = await openDevice();
  const x = device.tensor([1, 2, 3, 4], [4]), view = x.view([2, 2]);
  x.release();
  device.full([4], 9);
  assertEquals([...await view.data()], [1, 2, 3, 4]);
});

Deno.test("a user's kernel runs with its constants", async () => {
  using device = await openDevice();
  const kernel = defineKernel("test.double", DOUBLE);
  const x = device.tensor([1, 2, 3], [3]), y = device.empty([3]);
  const launch = (factor?: number) => {
    device.run(kernel, {
      tensors: { x, y },
      params: { n: 3 },
      constants: factor ? { FACTOR: factor } : {},
      workgroups: [1],
    });
    return y.data();
  };
  assertEquals([...await launch()], [2, 4, 6]);
  assertEquals([...await launch(-1)], [-1, -2, -3]);
});

Deno.test("the engine works inside a worker", async () => {
  const worker = new Worker(
    new URL("support/engine_worker.ts", import.meta.url),
    { type: "module" },
  );
  const answer = Promise.withResolvers<number>();
  worker.onmessage = (event) => answer.resolve(event.data);
  worker.onerror = (event) => answer.reject(event.error);
  worker.postMessage([1, 2, 3.5]);
  assertEquals(await answer.promise, 6.5);
  worker.terminate();
});

Deno.test({
  name: "kernels of one's own and Adam need no permission",
  permissions: "none",
  fn: async () => {
    using device = await openDevice();
    const double = defineOperator({
      name: "double",
      kernel: defineKernel("test.double", DOUBLE),
      backward: ({ gradient }) => ({ x: affine(gradient, 2) }),
    });
    const x = device.tensor([3, -1], [2]).track();
    using adam = new Adam([x], { rate: 0.1 });
    for (let step = 0; step < 60; step++) {
      using _scope = device.scope();
      adam.step(gradients(mean(square(double({ x }))), [x]));
    }
    const left = await x.data();
    assert(left.every((v) => Math.abs(v) < 0.3), `${left}`);
  },
});

Deno.test({
  name: "the engine needs no permission",
  permissions: "none",
  fn: async () => {
    using device = await openDevice();
    const x = device.tensor(formula("x", [1, 2, 5, 5]), [1, 2, 5, 5]).track();
    const w = device.tensor(formula("w", [3, 2, 3, 3]), [3, 2, 3, 3]).track();
    const loss = sum(square(conv2d(x, w, { padding: 1 })));
    const data = await device.read(...gradients(loss, [x, w]));
    assertEquals(data.map((d) => d.length), [50, 54]);
  },
});

Deno.test("a write after recorded work does not overtake it", async () => {
  using device = await openDevice();
  const x = device.tensor([1, 2], [2]);
  const before = square(x);
  device.write(x, [10, 20]);
  const after = square(x);
  const data = await device.read(before, after);
  assertEquals(data.map((d) => [...d]), [[1, 4], [100, 400]]);
});

Deno.test("a buffer that is reused keeps the order of work", async () => {
  using device = await openDevice();
  const results: Tensor[] = [];
  for (let k = 0; k < 300; k++) {
    using _scope = device.scope();
    using x = device.unscoped(() => device.full([4], k));
    results.push(device.unscoped(() => affine(x, 2)));
  }
  const data = await device.read(...results);
  data.forEach((d, k) => assertEquals([...d], [2 * k, 2 * k, 2 * k, 2 * k]));
});

Deno.test("many read-backs at once are right and leave nothing behind", async () => {
  using device = await openDevice();
  const tensors = Array.from({ length: 20 }, (_, k) => device.full([k + 1], k));
  const data = await Promise.all(tensors.map((t) => t.data()));
  data.forEach((d, k) => assert(d.length === k + 1 && d.every((v) => v === k)));
});

Deno.test("profileKernels counts launches and gives times", async () => {
  using device = await openDevice();
  const x = device.full([1000], 1);
  const times = await device.profileKernels(() => {
    for (let k = 0; k < 5; k++) exp(x);
    add(x, x);
  });
  if (times === null) return; // the adapter has no timestamps
  const counts = Object.fromEntries(times.map((t) => [t.kernel, t.count]));
  assertEquals(counts["elementwise.unary"], 5);
  assertEquals(counts["elementwise.binary_same"], 1);
  assert(times.every((t) => t.milliseconds >= 0));
  // and the device goes on without a profile
  assertEquals((await square(x).data())[0], 1);
});

Deno.test("profileKernels counts more launches than a query set has room for", async () => {
  using device = await openDevice();
  const x = device.full([1], 1), y = device.empty([1]);
  const kernel = defineKernel("test.double", DOUBLE);
  const times = await device.profileKernels(() => {
    for (let k = 0; k < 2100; k++) {
      device.run(kernel, {
        tensors: { x, y },
        params: { n: 1 },
        workgroups: [1],
      });
    }
  });
  if (times === null) return; // the adapter has no timestamps
  assertEquals(times.map((t) => [t.kernel, t.count]), [["test.double", 2100]]);
});

Deno.test("maps of two axes do not push each other out of a full cache", async () => {
  using device = await openDevice();
  const x = device.full([1, 1, 1, 1], 1);
  const by = (weight: number) =>
    axisMap(`test by ${weight}`, 1, () => [{ start: 0, weights: [weight] }]);
  for (let k = 1; k < 1030; k++) {
    using y = applyMaps(x, by(0.5), by(k));
    if (k > 1020) assertEquals(await y.item(), k / 2);
  }
});

/** Runs `body` as if the adapter bound no more than this. */
function bindingAtMost<T>(device: Device, bytes: number, body: () => T): T {
  const value = { value: bytes, configurable: true };
  Object.defineProperty(device, "maxTensorBytes", value);
  try {
    return body();
  } finally {
    delete (device as { maxTensorBytes?: number }).maxTensorBytes;
  }
}

Deno.test("a mesh of very many triangles is drawn in bands with the same result", async () => {
  using device = await openDevice();
  const count = 12_000, size = { height: 168, width: 240 };
  const corners = formula("corners", [3 * count, 3], 4);
  const centres = formula("centres", [count, 2]);
  for (let k = 0; k < corners.length; k += 3) {
    const [x, y] = centres.subarray(2 * Math.floor(k / 9));
    corners[k] += 120 + 130 * x;
    corners[k + 1] += 84 + 90 * y;
  }
  const vertices = device.tensor(corners, [3 * count, 3]);
  const triangles = device.empty([count, 3]);
  device.writeWords(
    triangles,
    Uint32Array.from({ length: 3 * count }, (_, k) => k),
  );
  const draw = () => rasterise(vertices, triangles, size);
  const whole = draw(), before = device.dispatches;
  const bands = bindingAtMost(device, 500_000, draw);
  assertEquals(device.dispatches - before, 5); // one of all, two of each band
  const [a, b, c, d] = await device.read(
    ...[whole.triangle, bands.triangle],
    ...[whole.barycentric, bands.barycentric],
  );
  assertEquals(new Uint32Array(b.buffer), new Uint32Array(a.buffer));
  assertEquals(d, c);
  const shown = new Set(new Uint32Array(a.buffer));
  assert(shown.size > 1000, `${shown.size} triangles`);
});

Deno.test("more triangles than a row of tiles has room for are refused", async () => {
  using device = await openDevice();
  const vertices = device.zeros([3, 3]), triangles = device.zeros([2000, 3]);
  const draw = () =>
    rasterise(vertices, triangles, { height: 1, width: 65535 });
  const error = assertThrows(
    () => bindingAtMost(device, 1_000_000, draw),
    TensorTooLargeError,
  );
  assertStringIncludes(error.message, "2000 triangles");
});

Deno.test("ever new shapes do not use up the process's memory mappings", async () => {
  if (Deno.build.os !== "linux") return;
  // CPU Vulkan maps memory for every bind group, and has 65,530 maps in all
  // (a file that Deno itself reads only with every permission there is)
  const mappings = async () => {
    const args = ["-l", `/proc/${Deno.pid}/maps`];
    const { stdout } = await new Deno.Command("wc", { args }).output();
    return parseInt(new TextDecoder().decode(stdout));
  };
  using device = await openDevice();
  const before = await mappings();
  for (let k = 1; k <= 20_000; k++) {
    using _scope = device.scope();
    square(device.empty([k]));
    if (k % 1000 === 0) await device.finish();
  }
  const more = await mappings() - before;
  assert(more < 18_000, `${more} mappings`);
});

Deno.test("trim gives waiting buffers back and work goes on", async () => {
  using device = await openDevice();
  {
    using _scope = device.scope();
    device.zeros([100_000]);
  }
  const before = device.memory.total;
  device.trim();
  assert(device.memory.total < before);
  assertEquals((await square(device.full([1], 5)).data())[0], 25);
});
