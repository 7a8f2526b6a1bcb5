/** What the engine says when something is wrong. */
import {
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  add,
  DeviceLostError,
  EngineError,
  KernelError,
  matmul,
  openDevice,
  ReleasedError,
  reshape,
  ShapeError,
  slice,
  square,
  sum,
  TensorTooLargeError,
} from "../engine/mod.ts";
import { defineKernel, KernelDefinitionError } from "../kernels/kernel.ts";
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
  const wrong: [() => unknown, string, string][] = [
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

Deno.test("a tensor that the adapter cannot bind is refused with both sizes", async () => {
  using device = await openDevice();
  const count = device.maxTensorBytes / 4 + 1;
  const error = assertThrows(() => device.empty([count]), TensorTooLargeError);
  assertStringIncludes(error.message, `${count * 4} bytes`);
  assertStringIncludes(error.message, `${device.maxTensorBytes}`);
});

Deno.test("a kernel that does not compile is named with its specialisation", async () => {
  using device = await openDevice();
  const broken = defineKernel(
    "test.broken",
    DOUBLE.replace("x[id.x] *", "z[id.x] *"),
  );
  const x = device.full([4], 1), y = device.empty([4]);
  device.run(broken, {
    tensors: { x, y },
    params: { n: 4 },
    constants: { FACTOR: 3 },
    workgroups: [1],
  });
  const error = await assertRejects(() => y.data(), KernelError);
  assertStringIncludes(error.message, "test.broken<FACTOR=3>");
  assertStringIncludes(error.message, "z");
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

Deno.test("a command that WebGPU refuses reaches the caller", async () => {
  using device = await openDevice();
  const kernel = defineKernel("test.double", DOUBLE);
  const y = device.empty([3]);
  // one buffer as input and output of a dispatch
  device.run(kernel, {
    tensors: { x: y, y },
    params: { n: 3 },
    workgroups: [1],
  });
  await assertRejects(() => y.data(), EngineError, "WebGPU refused");
});

Deno.test("two devices work side by side and do not mix", async () => {
  using one = await openDevice({ profile: "cpu" });
  using two = await openDevice({ profile: "gpu" });
  const a = square(one.full([2], 3)), b = square(two.full([2], 4));
  const [x, y] = await Promise.all([a.data(), b.data()]);
  assertEquals([...x, ...y], [9, 9, 16, 16]);
  assertThrows(() => add(a, b), EngineError, "device");
});
