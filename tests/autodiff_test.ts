/** Differentiation beyond single operators. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  add,
  affine,
  checkpoint,
  conv2d,
  EngineError,
  exp,
  gradients,
  leakyRelu,
  matmul,
  multiply,
  openDevice,
  ReleasedError,
  ShapeError,
  softmax,
  square,
  sum,
  type Tensor,
} from "../engine/mod.ts";
import { relativeError } from "../engine/ops/conformance.ts";
import { formula } from "../engine/ops/formula.ts";

Deno.test("differentiating many numbers without a seed is an error", async () => {
  using device = await openDevice();
  const x = device.zeros([3]).track();
  assertThrows(() => gradients(square(x), [x]), ShapeError, "seed");
});

Deno.test("a checkpoint gives the same gradients with less memory", async () => {
  using device = await openDevice();
  const body = (x: Tensor, w: Tensor) => {
    let y = x;
    for (let k = 0; k < 8; k++) y = leakyRelu(matmul(y, w));
    return y;
  };
  const x = device.tensor(formula("x", [256, 16]), [256, 16]).track();
  const w = device.tensor(formula("w", [16, 16], 0.5), [16, 16]).track();
  const run = async (f: (x: Tensor, w: Tensor) => Tensor) => {
    using _scope = device.scope();
    const before = device.memory.live;
    const y = f(x, w), held = device.memory.live - before;
    return {
      held,
      data: await device.read(...gradients(sum(square(y)), [x, w])),
    };
  };
  const plain = await run(body);
  const thrifty = await run((x, w) => checkpoint(body, [x, w]));
  assertEquals(thrifty.data, plain.data);
  assert(
    thrifty.held < plain.held / 4,
    `${thrifty.held} of ${plain.held} bytes`,
  );
});

Deno.test("a second derivative through a checkpoint is refused, not zero", async () => {
  using device = await openDevice();
  const x = device.tensor([1, -2], [2]).track();
  const y = checkpoint((x) => multiply(x, square(x)), [x]);
  const [slope] = gradients(sum(y), [x], { createGraph: true });
  assertEquals([...await slope.data()], [3, 12]);
  assertThrows(() => gradients(sum(slope), [x]), EngineError, "checkpoint");
});

Deno.test("a checkpoint that only hands its gradient on leaves the seed alone", async () => {
  using device = await openDevice();
  const [a, b] = [1, 2].map((v) => device.full([2], v).track());
  const seed = device.tensor([3, 4], [2]);
  const y = checkpoint((a, b) => add(a, b), [a, b]);
  const found = gradients(y, [a, b], { seed, createGraph: true });
  const data = await device.read(...found);
  assertEquals(data.map((d) => [...d]), [[3, 4], [3, 4]]);
  assertEquals([seed.tracked, seed.node], [false, null]);
});

Deno.test("a checkpoint that fails when it is computed again leaves recording as it was", async () => {
  using device = await openDevice();
  const x = device.full([1], 2).track();
  let calls = 0;
  const y = checkpoint((x) => {
    if (calls++ > 0) throw new EngineError("not twice");
    return square(x);
  }, [x]);
  device.recording = false;
  const differentiate = () => gradients(y, [x], { createGraph: true });
  assertThrows(differentiate, EngineError, "not twice");
  assertEquals(device.recording, false);
});

Deno.test("second derivatives come from differentiating gradients", async () => {
  using device = await openDevice();
  const x = device.tensor([1, -2, 3], [3]).track();
  const w = device.tensor([2, 3, 4], [3]).track();
  // f = sum(w x^3): df/dx = 3 w x^2; d(sum(df/dx))/dx = 6 w x, .../dw = 3 x^2
  const f = sum(multiply(w, multiply(x, multiply(x, x))));
  const [slope] = gradients(f, [x], { createGraph: true });
  const [curve, mixed] = gradients(sum(slope), [x, w]);
  const data = await device.read(slope, curve, mixed);
  assertEquals(data.map((d) => [...d]), [[6, 36, 108], [12, -36, 72], [
    3,
    12,
    27,
  ]]);
});

Deno.test("a second derivative through leaky ReLU, exp and a convolution agrees with differences", async () => {
  using device = await openDevice();
  const w = device.tensor(formula("w", [2, 2, 3, 3]), [2, 2, 3, 3]);
  const start = formula("x", [1, 2, 4, 4]),
    direction = formula("d", [1, 2, 4, 4]);
  const slope = (x: Tensor) => {
    const y = exp(affine(leakyRelu(conv2d(x, w, { padding: 1 })), 0.2));
    return gradients(sum(square(y)), [x], { createGraph: true })[0];
  };
  const at = (step: number) =>
    device.tensor(start.map((v, k) => v + step * direction[k]), [1, 2, 4, 4])
      .track();
  const d = device.tensor(direction, [1, 2, 4, 4]);
  const x = at(0);
  const [product] = gradients(sum(multiply(slope(x), d)), [x]);
  const h = 1e-3;
  const [above, below, got] = await device.read(
    slope(at(h)),
    slope(at(-h)),
    product,
  );
  const wanted = above.map((v, k) => (v - below[k]) / (2 * h));
  assert(relativeError(got, wanted) < 2e-3, `${relativeError(got, wanted)}`);
});

Deno.test("a second derivative that no kernel computes is refused by name", async () => {
  using device = await openDevice();
  const x = device.tensor([1, 2], [1, 2]).track();
  const [slope] = gradients(sum(softmax(x)), [x], { createGraph: true });
  assertThrows(() => gradients(sum(slope), [x]), EngineError, "softmax");
});

Deno.test("a graph that was cut by a release is an error, not a gradient of zero", async () => {
  using device = await openDevice();
  const x = device.tensor([2], [1]).track();
  let loss: Tensor;
  {
    using scope = device.scope();
    loss = scope.keep(square(square(x)));
  }
  assertThrows(() => gradients(loss, [x]), ReleasedError, "scope");
});

Deno.test("gradients go through an operator that is used twice, and stop at detach", async () => {
  using device = await openDevice();
  const x = device.tensor([2], [1]).track();
  const y = square(x);
  const [once] = gradients(add(y, multiply(y, x)), [x]);
  const [stopped] = gradients(multiply(y.detach(), x), [x]);
  const [none] = gradients(square(device.full([1], 1)), [x]);
  const data = await device.read(once, stopped, none);
  // d(x^2 + x^3) = 2x + 3x^2; with x^2 held: x^2; no dependence: 0
  assertEquals(data.map((d) => d[0]), [16, 4, 0]);
});
