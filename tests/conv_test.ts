import { assertEquals, assertThrows } from "@std/assert";
import {
  conv2d,
  convTranspose2d,
  gradients,
  matmul,
  multiply,
  openDevice,
  ShapeError,
  sum,
} from "../engine/mod.ts";
import {
  backwardDataMethods,
  backwardWeightMethods,
  forwardMethods,
} from "../kernels/conv2d/methods.ts";

function noise(count: number, seed: number): Float64Array {
  let s = seed >>> 0;
  return Float64Array.from({ length: count }, () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return Math.fround(s / 2 ** 31 - 1);
  });
}

function worst(got: Float32Array, want: Float64Array): number {
  let error = 0, scale = 1e-30;
  for (let k = 0; k < want.length; k++) {
    const d = Math.abs(got[k] - want[k]);
    error = Math.max(error, Number.isNaN(d) ? Infinity : d);
    scale = Math.max(scale, Math.abs(want[k]));
  }
  return error / scale;
}

Deno.test("convolutions differentiate twice", async () => {
  using device = await openDevice({ poison: true });
  const x = device.tensor(noise(2 * 3 * 6 * 6, 1), [2, 3, 6, 6]).track();
  const w = device.tensor(noise(4 * 3 * 9, 2), [4, 3, 3, 3]).track();
  // f = sum(conv(x, w)^2) / 2 is quadratic in x: its Hessian times x is its gradient
  const y = conv2d(x, w, { stride: 2, padding: 1 });
  const f = multiply(sum(multiply(y, y)), device.full([], 0.5));
  const [first] = gradients(f, [x], { createGraph: true });
  const [second, byWeight] = gradients(first, [x, w], { seed: x.detach() });
  const [a, b, c, fx] = await device.read(first, second, byWeight, f);
  assertEquals(worst(b, Float64Array.from(a)) < 1e-5, true);
  // d/dw <x, df/dx> = d/dw 2 f, and <w, that> = 4 f
  const weights = await w.data();
  let dot = 0;
  c.forEach((v, k) => dot += v * weights[k]);
  assertEquals(Math.abs(dot / (4 * fx[0]) - 1) < 1e-5, true);
});

Deno.test("the same input gives the same bits", async () => {
  using device = await openDevice();
  const x = device.tensor(noise(16 * 33 * 33, 1), [1, 16, 33, 33]).track();
  const w = device.tensor(noise(16 * 16 * 9, 2), [16, 16, 3, 3]).track();
  const once = () => {
    const y = conv2d(x, w, { padding: 1 });
    return device.read(y, ...gradients(sum(multiply(y, y)), [x, w]));
  };
  const first = await once(), second = await once();
  assertEquals(first, second);
});

Deno.test("more than 65,535 workgroups are folded", async () => {
  using device = await openDevice({ poison: true });
  const a = device.tensor(noise(300_001 * 2, 1), [300_001, 2]);
  const b = device.tensor([1, 0, 0, 1], [2, 2]);
  const [left, right] = await device.read(matmul(a, b), a);
  assertEquals(left, right);
  const x = device.tensor(noise(2100 * 2050, 1), [1, 1, 2100, 2050]);
  const one = device.tensor([1], [1, 1, 1, 1]);
  const [same, image] = await device.read(conv2d(x, one), x);
  assertEquals(same, image);
});

Deno.test("Winograd's method is left out where the transform of a weight cannot be bound", () => {
  const side = { h: 16, w: 16, oh: 16, ow: 16, kh: 3, kw: 3, top: 1, left: 1 };
  const sizes = { n: 1, groups: 1, cin: 2048, cout: 1024 };
  const geometry = { ...side, ...sizes, stride: 1, dilation: 1 };
  const bytes = 64 * 2048 * 1024;
  for (
    const methods of [
      forwardMethods,
      backwardDataMethods,
      backwardWeightMethods,
    ]
  ) {
    const kernels = (bytes: number) =>
      methods(geometry, "tiles", bytes).map((m) => m.kernels);
    assertEquals(kernels(bytes).includes("winograd"), true);
    assertEquals(kernels(bytes - 1).includes("winograd"), false);
  }
});

Deno.test("shapes that do not fit are refused in one sentence", async () => {
  using device = await openDevice();
  const x = device.zeros([1, 3, 5, 5]);
  const refused = (body: () => unknown, part: string) =>
    assertThrows(body, ShapeError, part);
  refused(() => conv2d(x, device.zeros([4, 2, 3, 3])), "needs a weight of");
  refused(() => conv2d(x, device.zeros([4, 3, 7, 7])), "larger than");
  refused(() => conv2d(x, device.zeros([3, 3])), "4 axes");
  refused(
    () => conv2d(x, device.zeros([4, 3, 3, 3]), { stride: 0 }),
    "at least 1",
  );
  refused(
    () => convTranspose2d(x, device.zeros([4, 3, 3, 3])),
    "needs a weight",
  );
  refused(
    () => matmul(device.zeros([2, 3]), device.zeros([4, 2])),
    "inner sizes 3 and 4",
  );
  refused(
    () => matmul(device.zeros([2, 3, 4]), device.zeros([3, 4, 5])),
    "batches of 2 and 3",
  );
  refused(() => matmul(x, device.zeros([2, 2])), "matrices");
});
