import { assertEquals, assertThrows } from "@std/assert";
import {
  conv2d,
  convTranspose2d,
  Device,
  gradients,
  matmul,
  multiply,
  openDevice,
  ShapeError,
  sum,
  type Tensor,
} from "../engine/mod.ts";
import { conv2dCases } from "../engine/ops/conv2d.cases.ts";
import { matmulCases } from "../engine/ops/matmul.cases.ts";

type Case = (typeof conv2dCases)[number];

function noise(count: number, seed: number): Float64Array {
  let s = seed >>> 0;
  return Float64Array.from({ length: count }, () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return Math.fround(s / 2 ** 31 - 1);
  });
}

function size(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
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

/**
 * The operators are linear in each input, so the gradient is checked in full:
 * <cotangent, run(direction)> equals <gradient, direction>.
 */
async function checkCase(device: Device, one: Case): Promise<void> {
  using _scope = device.scope();
  const names = Object.keys(one.inputs);
  const arrays = Object.fromEntries(names.map((name, k) => {
    const shape = [...one.inputs[name].shape];
    return [name, { data: noise(size(shape), k + 1), shape }];
  }));
  const tensors: Record<string, Tensor> = Object.fromEntries(
    names.map((
      n,
    ) => [n, device.tensor(arrays[n].data, arrays[n].shape).track()]),
  );
  const want = one.reference(arrays), label = `${one.operator}: ${one.name}`;
  const y = one.run(tensors);
  assertEquals([...y.shape], want.shape, label);
  const cotangent = noise(y.size, 77);
  const seed = device.tensor(cotangent, y.shape);
  const found = gradients(y, names.map((n) => tensors[n]), { seed });
  const [value, ...slopes] = await device.read(y, ...found);
  assertEquals(worst(value, want.data) < 1e-5, true, `${label}: value off`);
  for (let k = 0; k < names.length; k++) {
    const direction = noise(slopes[k].length, 99 + k);
    const moved = one.reference({
      ...arrays,
      [names[k]]: { data: direction, shape: arrays[names[k]].shape },
    });
    let left = 0, right = 0, scale = 0;
    moved.data.forEach((v, i) => {
      left += v * cotangent[i];
      scale += Math.abs(v * cotangent[i]);
    });
    direction.forEach((v, i) => right += v * slopes[k][i]);
    const off = Math.abs(left - right) / scale;
    assertEquals(
      off < 1e-5,
      true,
      `${label}: gradient of ${names[k]} off by ${off}`,
    );
  }
}

/** A CPU device with or without subgroups, whatever `openDevice` asks for. */
async function openCpu(subgroups: boolean): Promise<Device | null> {
  const adapter = (await navigator.gpu.requestAdapter())!;
  const features = (subgroups ? ["subgroups"] : []) as GPUFeatureName[];
  try {
    const gpu = await adapter.requestDevice({ requiredFeatures: features });
    return new Device(gpu, adapter.info, { profile: "cpu", poison: true });
  } catch {
    return null;
  }
}

const devices: Record<string, () => Promise<Device | null>> = {
  simple: () => openCpu(false),
  lanes: () => openCpu(true),
  tiles: () => openDevice({ profile: "gpu", poison: true }),
};

for (const variant in devices) {
  Deno.test(`convolutions and products, ${variant} kernels`, async () => {
    using device = await devices[variant]();
    if (!device) return;
    for (const one of [...conv2dCases, ...matmulCases]) {
      await checkCase(device, one);
    }
  });
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
