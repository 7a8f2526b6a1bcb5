/** What the engine says when something is wrong. */
import {
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  Adam,
  add,
  avgPool2d,
  biasAct,
  broadcastTo,
  concat,
  conv2d,
  convTranspose2d,
  decodeTriplane,
  type Device,
  DeviceLostError,
  EngineError,
  flip,
  gradients,
  importanceDepths,
  interpolate,
  KernelError,
  layerNorm,
  matmul,
  maxPool2d,
  openDevice,
  pad,
  permute,
  pointsOnRays,
  rayMarch,
  ReleasedError,
  reshape,
  sampleChannelsLast,
  sampleTriplane,
  ShapeError,
  slice,
  square,
  stratifiedDepths,
  sum,
  sumOfProducts,
  sumOfSquares,
  type Tensor,
  TensorTooLargeError,
  upfirdn2d,
} from "../engine/mod.ts";
import {
  defineKernel,
  type Kernel,
  KernelDefinitionError,
} from "../kernels/kernel.ts";
import { DOUBLE } from "./support/double_kernel.ts";

Deno.test("use after release is an error that says how to keep the tensor", async () => {
  using device = await openDevice();
  const x = device.tensor([1], [1]);
  x.release();
  const error = assertThrows(() => square(x), ReleasedError);
  assertStringIncludes(error.message, "scope.keep");
  await assertRejects(() => x.data(), ReleasedError);
  x.release();
});

Deno.test("shapes that do not fit are errors that name both", async () => {
  using device = await openDevice();
  const a = device.zeros([2, 3]), b = device.zeros([4, 3]);
  const picture = device.zeros([1, 2, 4, 5]), rows = device.zeros([6, 4]);
  const limits = device.zeros([6, 2]), three = device.zeros([6, 3]);
  const densities = device.zeros([6, 3, 1]), taps = device.zeros([2, 2, 2, 2]);
  const wrong: [() => unknown, string, string][] = [
    [() => permute(a, [0, 0]), "0,0", "2,3"],
    [() => permute(a, [1]), "[1]", "2,3"],
    [() => broadcastTo(a, [4, 3]), "2,3", "4,3"],
    [() => broadcastTo(a, [3]), "2,3", "[3]"],
    [() => reshape(a, [4, -1]), "2,3", "4,-1"],
    [() => pad(a, [[1, 1]]), "2,3", "[[1,1]]"],
    [() => pad(a, [[0, 0], [-1, 0]]), "2,3", "-1"],
    [() => concat([a, device.zeros([2])], 0), "2,3", "[2]"],
    [() => concat([], 0), "no tensors", "concat"],
    [() => flip(a, [2]), "2", "2 axes"],
    [() => slice(a, [0.5, 0], [1, 1]), "0.5", "2,3"],
    [() => sumOfSquares(a, 3), "3 last axes", "2,3"],
    [() => sumOfProducts(a, b, 1), "2,3", "4,3"],
    [() => conv2d(picture, device.zeros([3, 5, 3, 3])), "1,2,4,5", "3,5,3,3"],
    [() => biasAct(picture, device.zeros([3])), "[3]", "1,2,4,5"],
    [() => layerNorm(a, device.zeros([2]), device.zeros([3])), "[2]", "2,3"],
    [() => maxPool2d(picture, { kernel: 6 }), "6,6", "1,2,4,5"],
    [() => avgPool2d(picture, { kernel: 2, stride: 0 }), "0,0", "1,2,4,5"],
    [() => interpolate(picture, [2.5, 2]), "2.5,2", "1,2,4,5"],
    [() => upfirdn2d(picture, []), "0 taps", "upfirdn2d"],
    [() => upfirdn2d(picture, [1], { up: 0 }), "up 0", "upfirdn2d"],
    [() => rayMarch(device.zeros([5, 4, 2]), rows), "5,4,2", "6,4"],
    [() => pointsOnRays(device.zeros([5, 6]), rows), "5,6", "6,4"],
    [() => stratifiedDepths(device.zeros([5, 2]), rows), "5,2", "6,4"],
    [() => stratifiedDepths(limits, device.zeros([6, 1])), "at least 2", "6,1"],
    [() => importanceDepths(three, densities, rows), "at least 4", "6,3"],
    [() => conv2d(picture, taps, { padding: 0.5 }), "0.5", "whole number"],
    [
      () => convTranspose2d(picture, taps, { padding: [0, NaN, 1, 1] }),
      "0,NaN,1,1",
      "whole number",
    ],
    [
      () => maxPool2d(picture, { kernel: 2, padding: 0.5 }),
      "0.5",
      "whole numbers",
    ],
    [
      () => avgPool2d(picture, { kernel: 2, padding: [0, 0, 0.5, 0.5] }),
      "0,0,0.5,0.5",
      "whole numbers",
    ],
    [() => new Adam([a]).step([]), "2,3", "none"],
    [() => new Adam([a]).step([b]), "2,3", "4,3"],
    [() => gradients(square(a), [a], { seed: b }), "4,3", "2,3"],
    [() => device.write(a, [1, 2]), "2,3", "not 2"],
    [() => device.copy(a, b), "4,3", "not 6"],
    [() => add(a, b), "2,3", "4,3"],
    [() => matmul(a, b), "2,3", "4,3"],
    [() => reshape(a, [7]), "2,3", "7"],
    [() => slice(a, [1, 0], [2, 3]), "1,0", "2,3"],
    [() => device.tensor([1, 2], [3]), "3", "2"],
    [() => sum(a, { axes: [2] }), "2", "2 axes"],
  ];
  for (const [run, first, second] of wrong) {
    const error = assertThrows(run, ShapeError);
    assertStringIncludes(error.message, first);
    assertStringIncludes(error.message, second);
  }
});

Deno.test("planes and points of tri-planes that do not fit are errors that name both", async () => {
  using device = await openDevice();
  const decoder = {
    w1: device.zeros([8, 4]),
    b1: device.zeros([8]),
    w2: device.zeros([2, 8]),
    b2: device.zeros([2]),
  };
  const planes = [1, 3, 5, 6, 4], points = [1, 7, 3];
  const wrong = [
    [planes, [7, 3]],
    [planes, [1, 7, 2]],
    [planes, [2, 7, 3]],
    [planes, [1, 7, 3, 1]],
    [[1, 2, 5, 6, 4], points],
  ];
  const options = { boxWarp: 1 };
  for (const shapes of wrong) {
    const [p, x] = shapes.map((shape) => device.zeros(shape));
    for (
      const run of [
        () => decodeTriplane(p, x, decoder, options),
        () => sampleChannelsLast(p, x, options),
        () => sampleTriplane(p, x, options),
      ]
    ) {
      const error = assertThrows(run, ShapeError);
      for (const shape of shapes) {
        assertStringIncludes(error.message, `[${shape}]`);
      }
    }
  }
  const five = device.zeros([1, 3, 5, 6, 5]), x = device.zeros(points);
  assertThrows(
    () => sampleChannelsLast(five, x, options),
    ShapeError,
    "multiple of 4",
  );
});

Deno.test("a tensor that the adapter cannot bind is refused with both sizes", async () => {
  using device = await openDevice();
  const count = device.maxTensorBytes / 4 + 1;
  const error = assertThrows(() => device.empty([count]), TensorTooLargeError);
  assertStringIncludes(error.message, `${count * 4} bytes`);
  assertStringIncludes(error.message, `${device.maxTensorBytes}`);
});

/** Launches a kernel like `DOUBLE` on new tensors and returns its output. */
function launchDouble(device: Device, kernel: Kernel): Tensor {
  const x = device.full([4], 1), y = device.empty([4]);
  device.run(kernel, {
    tensors: { x, y },
    params: { n: 4 },
    constants: { FACTOR: 3 },
    workgroups: [1],
  });
  return y;
}

const BROKEN = DOUBLE.replace("x[id.x] *", "z[id.x] *");

Deno.test("a kernel that does not compile is named with its specialisation and line", async () => {
  using device = await openDevice();
  const y = launchDouble(device, defineKernel("test.broken", BROKEN));
  const error = await assertRejects(() => y.data(), KernelError);
  assertStringIncludes(error.message, "test.broken<FACTOR=3>");
  const line = BROKEN.split("\n").findIndex((text) => text.includes("z["));
  assertStringIncludes(error.message, `line ${line + 1}`);
  assertStringIncludes(error.message, "`z`");
});

Deno.test("a kernel that does not compile takes nothing else with it", async () => {
  using device = await openDevice();
  const kernel = defineKernel("test.broken", BROKEN);
  const before = square(device.full([4], 3));
  const y = launchDouble(device, kernel);
  const after = square(device.full([4], 5));
  await assertRejects(() => y.data(), KernelError);
  // thrown once: what was computed around it is right, and the device goes on
  const data = await device.read(before, after, square(after));
  assertEquals(data.map((d) => d[3]), [9, 25, 625]);
  assertThrows(() => launchDouble(device, kernel), KernelError, "line");
  const mended = launchDouble(device, defineKernel("test.broken", DOUBLE));
  assertEquals([...await mended.data()], [3, 3, 3, 3]);
});

Deno.test("launches without a buffer, a parameter or a known constant are refused", async () => {
  using device = await openDevice();
  const kernel = defineKernel("test.double", DOUBLE);
  const x = device.zeros([3]), y = device.empty([3]), workgroups = [1] as const;
  const params = { n: 3 }, tensors = { x, y };
  assertThrows(
    () => device.run(kernel, { tensors: { x }, params, workgroups }),
    KernelError,
    "buffer y",
  );
  assertThrows(
    () => device.run(kernel, { tensors, workgroups }),
    KernelError,
    "parameter n",
  );
  assertThrows(
    () =>
      device.run(kernel, {
        tensors,
        params,
        constants: { SIZE: 1 },
        workgroups,
      }),
    KernelDefinitionError,
    "SIZE",
  );
});

Deno.test("kernel texts that break the conventions are refused by name", () => {
  const texts = {
    "writes to no buffer": DOUBLE.replace("read_write", "read"),
    "entry point": DOUBLE.replace("fn main", "fn start"),
    "not declared": DOUBLE.replace("struct Params", "struct Other"),
    "vec2f": DOUBLE.replace("n: u32", "n: vec2f"),
  };
  for (const [message, text] of Object.entries(texts)) {
    const error = assertThrows(
      () => defineKernel("test.odd", text),
      KernelDefinitionError,
    );
    assertStringIncludes(error.message, message);
    assertStringIncludes(error.message, "test.odd");
  }
});

Deno.test("a closed device refuses work with a clear error", async () => {
  const device = await openDevice();
  const x = device.full([3], 1);
  device.close();
  assertThrows(() => square(x), DeviceLostError, "closed");
  assertThrows(() => device.zeros([1]), DeviceLostError);
  await assertRejects(() => x.data(), DeviceLostError);
  device.close();
});

Deno.test("a device lost in the middle of a step is an error, not silence", async () => {
  const device = await openDevice();
  const x = device.full([3], 1);
  const y = square(x);
  device.gpu.destroy();
  await assertRejects(() => y.data(), DeviceLostError);
  assertThrows(() => square(x), DeviceLostError);
  device.close();
});

Deno.test("a tensor that is written and bound twice is refused by name", async () => {
  using device = await openDevice();
  const y = device.full([3], 2);
  assertThrows(
    () =>
      device.run(defineKernel("test.double", DOUBLE), {
        tensors: { x: y, y },
        params: { n: 3 },
        workgroups: [1],
      }),
    KernelError,
    "one tensor as y, which it writes, and as x",
  );
  assertEquals([...await y.data()], [2, 2, 2]);
});

Deno.test("more workgroups than the adapter allows in one dimension are refused", async () => {
  using device = await openDevice();
  const x = device.full([3], 1), y = device.empty([3]);
  const count = device.gpu.limits.maxComputeWorkgroupsPerDimension + 1;
  assertThrows(
    () =>
      device.run(defineKernel("test.double", DOUBLE), {
        tensors: { x, y },
        params: { n: 3 },
        workgroups: [1, count],
      }),
    KernelError,
    "linearWorkgroups",
  );
});

Deno.test("a command that WebGPU refuses reaches the caller once", async () => {
  using device = await openDevice();
  const x = device.full([2], 3);
  device.gpu.createBuffer({ size: 4, usage: 0 });
  await new Promise((resolve) => setTimeout(resolve, 0));
  await assertRejects(() => x.data(), EngineError, "WebGPU refused");
  assertEquals([...await x.data()], [3, 3]);
});

Deno.test("launches that are refused do not hide what WebGPU refuses later", async () => {
  using device = await openDevice();
  const x = device.full([3], 1), y = device.empty([3]);
  // kernels that the device does not know yet, so that WebGPU is asked
  for (const launch of [{}, { params: { n: 3 }, constants: { FACTOR: NaN } }]) {
    const kernel = defineKernel("test.double", DOUBLE);
    assertThrows(() =>
      device.run(kernel, { tensors: { x, y }, workgroups: [1], ...launch })
    );
  }
  device.gpu.createBuffer({ size: 4, usage: 0 });
  await new Promise((resolve) => setTimeout(resolve, 0));
  await assertRejects(() => x.data(), EngineError, "WebGPU refused");
});

Deno.test("two devices work side by side and do not mix", async () => {
  using one = await openDevice({ profile: "cpu" });
  using two = await openDevice({ profile: "gpu" });
  const a = square(one.full([2], 3)), b = square(two.full([2], 4));
  const [x, y] = await Promise.all([a.data(), b.data()]);
  assertEquals([...x, ...y], [9, 9, 16, 16]);
  assertThrows(() => add(a, b), EngineError, "device");
});
