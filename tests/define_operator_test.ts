/** Operators around a kernel of one's own, and what is said when one is wrong. */
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { checkCase, map, zip } from "../engine/conformance.ts";
import {
  affine,
  cos,
  defineOperator,
  EngineError,
  gradients,
  KernelError,
  multiply,
  negate,
  openDevice,
  sin,
  sum,
} from "../engine/mod.ts";
import { defineKernel } from "../kernels/mod.ts";
import { DOUBLE } from "./support/double_kernel.ts";

/** y = SCALE x sin(z + shift) where z is repeated as often as needed. */
const WAVE = `
override SCALE: f32 = 1.0;
struct Params { n: u32, length: u32, shift: f32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> z: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;
@compute @workgroup_size(8, 4)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) groups: vec3u
) {
  let i = (group.x + group.y * groups.x) * 32u + lane;
  if (i < params.n) { y[i] = SCALE * x[i] * sin(z[i % params.length] + params.shift); }
}`;

const wave = defineOperator({
  name: "wave",
  kernel: defineKernel("test.wave", WAVE),
  params: ({ z }) => ({ length: z[0] }),
  backward: ({ gradient, inputs: { x, z }, settings: { SCALE, shift } }) => {
    const g = affine(gradient, SCALE), angle = affine(z, 1, shift);
    return {
      x: multiply(g, sin(angle)),
      z: sum(multiply(multiply(g, x), cos(angle)), { axes: [0] }),
    };
  },
  reference: ({ x, z }, { SCALE, shift }) =>
    zip(x, z, (v, w) => SCALE * v * Math.sin(w + shift)),
});

Deno.test("a kernel of one's own is held to double precision like the engine's", async () => {
  using device = await openDevice({ poison: true });
  for (const rows of [1, 3, 41]) {
    const c = wave.case(`${rows} rows`, {
      x: { shape: [rows, 5] },
      z: { shape: [5], scale: 2 },
    }, { SCALE: 1.5, shift: 0.25 });
    assertEquals((await checkCase(device, c)).failures, []);
  }
});

Deno.test("a wrong kernel of one's own is found out", async () => {
  using device = await openDevice({ poison: true });
  const wrong = {
    "the gradient": defineOperator({
      name: "double",
      kernel: defineKernel("test.double", DOUBLE),
      backward: ({ gradient }) => ({ x: affine(gradient, 2.1) }),
      reference: ({ x }) => map(x, (v) => 2 * v),
    }),
    "the result": defineOperator({
      name: "half",
      kernel: defineKernel("test.double", DOUBLE),
      // some numbers are not written
      params: ({ x }) => ({ n: x[0] - 1 }),
      backward: ({ gradient }) => ({ x: affine(gradient, 2) }),
      reference: ({ x }) => map(x, (v) => 2 * v),
    }),
  };
  for (const [reason, operator] of Object.entries(wrong)) {
    const c = operator.case(reason, { x: { shape: [70] } });
    const { failures } = await checkCase(device, c);
    assertStringIncludes(failures.join("; "), reason);
  }
});

Deno.test("a backward rule of operators differentiates again", async () => {
  using device = await openDevice();
  const sine = defineOperator({
    name: "sine",
    kernel: defineKernel(
      "test.sine",
      DOUBLE.replace("x[id.x] *", "sin(x[id.x]) *"),
    ),
    backward: ({ gradient, inputs: { x }, settings: { FACTOR } }) => ({
      x: affine(multiply(gradient, cos(x)), FACTOR),
    }),
  });
  const x = device.tensor([0.5, 2], [2]).track();
  const y = sine({ x }, { FACTOR: 3 });
  const [slope] = gradients(sum(y), [x], { createGraph: true });
  const [curve] = gradients(sum(slope), [x]);
  const [got, wanted] = await device.read(curve, negate(y));
  assertEquals(
    got.map((v) => Math.round(v * 1e5)),
    wanted.map((v) => Math.round(v * 1e5)),
  );
});

Deno.test("what an operator of one's own lacks is said in a sentence", async () => {
  using device = await openDevice();
  const kernel = defineKernel("test.double", DOUBLE);
  const bare = defineOperator({ name: "bare", kernel });
  const x = device.tensor([1, 2], [2]).track();
  assertEquals([...await bare({ x: x.detach() }).data()], [2, 4]);
  assertThrows(() => bare({}), KernelError, "was given no x");
  assertThrows(() => gradients(sum(bare({ x })), [x]), EngineError, "backward");
  assertThrows(
    () => bare.case("one", { x: { shape: [1] } }),
    EngineError,
    "reference",
  );
  assertThrows(
    () => wave({ x, z: x }, { SCALE: 1 }),
    KernelError,
    "parameter shift",
  );
  const twoOutputs = WAVE.replace("read> x", "read_write> x");
  assertThrows(
    () =>
      defineOperator({
        name: "two",
        kernel: defineKernel("test.two", twoOutputs),
      }),
    KernelError,
    "writes 2",
  );
});

Deno.test("the examples in the documentation of the engine run", async () => {
  const modules = [
    "engine/mod.ts",
    "engine/conformance.ts",
    "engine/define_operator.ts",
    "kernels/mod.ts",
  ].map((name) => fromFileUrl(new URL(`../${name}`, import.meta.url)));
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "--doc", "--no-check", ...modules],
  }).output();
  const text = new TextDecoder();
  assertEquals(success, true, text.decode(stderr) + text.decode(stdout));
  assertStringIncludes(text.decode(stdout), "4 passed");
});
