/** The conformance command, and that its checks notice what is wrong. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  add,
  affine,
  clamp,
  multiply,
  openDevice,
  pad,
  record,
  slice,
  sum,
  type Tensor,
} from "../engine/mod.ts";
import {
  checkCase,
  type NonFinite,
  type OperatorCase,
} from "../engine/ops/conformance.ts";
import { formula } from "../engine/ops/formula.ts";
import { softmaxReference } from "../engine/ops/norm.reference.ts";
import {
  readSafetensors,
  type Safetensors,
  writeSafetensors,
} from "../weights/formats/safetensors.ts";
import { runGolden } from "./support/goldens.ts";
import { scratch } from "./support/media.ts";
import { writeOperatorGoldens } from "./support/write_goldens.ts";

async function conformance(
  ...args: string[]
): Promise<{ code: number; lines: string[]; error: string }> {
  const script = new URL("conformance.ts", import.meta.url).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-read", script, ...args],
  }).output();
  const text = new TextDecoder();
  const lines = text.decode(stdout).trimEnd().split("\n");
  return { code, lines, error: text.decode(stderr) };
}

Deno.test("the formula gives the numbers that the golden files were made with", () => {
  const image = [-0.8593961000442505, 0.68553626537323, 0.5643253922462463];
  assertEquals([...formula("image", [3])], image);
  const u = formula("full.u", [5], 0.5, 0.5);
  assertEquals(u[4], 0.21439656615257263);
});

Deno.test("the conformance command ends with its count", async () => {
  const { code, lines } = await conformance("--only", "ops");
  assertEquals(code, 0);
  assertEquals(lines.at(-1), "76 passed, 0 failed");
});

Deno.test("the conformance command names kinds that it does not know", async () => {
  await using folder = scratch();
  await writeSafetensors(folder.file("a.safetensors"), {
    metadata: { kind: "toString" },
    tensors: new Map(),
  });
  const { code, lines } = await conformance("--goldens", folder.path, ...[
    "--only",
    "toString",
  ]);
  assertEquals(code, 0);
  assert(
    lines.some((line) => line.includes("skipped") && line.includes("toString")),
  );
});

/** A golden file of one softmax, with something changed. */
async function writeSoftmax(
  path: string,
  change: (content: Safetensors) => Safetensors = (content) => content,
): Promise<void> {
  await writeOperatorGoldens(path, "", [{
    name: "softmax.0",
    inputs: { x: [2, 3] },
    reference: ({ x }) => softmaxReference(x),
  }]);
  await writeSafetensors(path, change(await readSafetensors(path)));
}

Deno.test("a broken golden file is a failed line, and the others still run", async () => {
  await using folder = scratch();
  const whole = folder.file("whole.safetensors");
  await writeSoftmax(whole);
  const bytes = await Deno.readFile(whole);
  await Deno.writeFile(folder.file("half.safetensors"), bytes.slice(0, 200));
  await Deno.writeFile(folder.file("nothing.safetensors"), new Uint8Array());
  const { code, lines } = await conformance("--goldens", folder.path, ...[
    "--only",
    "ops",
  ]);
  assertEquals(code, 1);
  const failed = lines.filter((line) => line.startsWith("FAILED"));
  assertEquals(failed.length, 2);
  for (const line of failed) {
    assertStringIncludes(line, "is not a valid safetensors file");
  }
  assertEquals(lines.at(-1), "2 passed, 2 failed");
});

Deno.test("a golden file without what its kind promises says what is missing", async () => {
  await using folder = scratch();
  using device = await openDevice();
  const without = (name: string) => (content: Safetensors): Safetensors => ({
    ...content,
    tensors: new Map([...content.tensors].filter(([key]) => key !== name)),
  });
  const saying =
    (metadata: Record<string, string>) => (content: Safetensors) => ({
      ...content,
      metadata: { ...content.metadata, ...metadata },
    });
  const changes: [string, (content: Safetensors) => Safetensors][] = [
    ["no tensor softmax.0.out", without("softmax.0.out")],
    ["its metadata has no cases", ({ tensors }) => ({
      metadata: { kind: "ops" },
      tensors,
    })],
    ["does not hold what a file of its kind does", saying({ cases: "[{" })],
    ["it has nothing to compare", saying({ cases: "[]" })],
    [
      "there is no operator tea here",
      saying({ cases: '[{"name": "tea.0", "inputs": {"x": [2, 3]}}]' }),
    ],
    ["of its kind", saying({ kind: "lpips" })],
  ];
  const path = folder.file("a.safetensors");
  for (const [sentence, change] of changes) {
    await writeSoftmax(path, change);
    const results = await runGolden(device, path);
    assertEquals(results.length, 1);
    assertStringIncludes(results[0].failure!, sentence);
  }
});

Deno.test("folders and kinds with nothing in them are named, and exit with 2", async () => {
  await using folder = scratch();
  const missing = await conformance("--goldens", folder.file("nowhere"));
  assertEquals(missing.code, 2);
  assertStringIncludes(missing.error, "There is no folder of golden files");
  const empty = await conformance("--goldens", folder.path);
  assertEquals(empty.code, 2);
  assertStringIncludes(empty.error, "There is no golden file (*.safetensors)");
  const kind = await conformance("--only", "tea");
  assertEquals(kind.code, 2);
  assertStringIncludes(kind.error, "is of kind tea: there are ");
});

Deno.test("the conformance command refuses flags that it does not have", async () => {
  const { code, error } = await conformance("--golden", "x");
  assertEquals(code, 2);
  assertStringIncludes(error, "--golden");
});

/** y = 2 x with things gone wrong on purpose. */
function doubled(
  run: (x: Tensor) => Tensor,
  name = "doubled",
): OperatorCase {
  return {
    operator: "test",
    name,
    inputs: { x: { shape: [5, 7] } },
    run: (t) => run(t.x),
    reference: (a) => ({ data: a.x.data.map((v) => 2 * v), shape: a.x.shape }),
    linear: ["x"],
  };
}

Deno.test("a right operator passes and wrong ones fail for the right reason", async () => {
  using device = await openDevice({ poison: true });
  const withGradient = (y: Tensor, x: Tensor, factor: number) =>
    record(y.detach(), [x], (g) => [affine(g, factor)]);
  const wrong: Record<string, [(x: Tensor) => Tensor, string | null]> = {
    right: [(x) => affine(x, 2), null],
    "wrong value": [(x) => affine(x, 2.001), "the result"],
    "wrong gradient": [
      (x) => withGradient(affine(x, 2), x, 2.01),
      "the gradient",
    ],
    "no gradient": [(x) => affine(x, 2).detach(), "the gradient"],
    "ignores the gradient it is given": [
      (x) =>
        record(affine(x, 2).detach(), [x], (g) => [g.device.full(x.shape, 2)]),
      "the gradient",
    ],
    "unwritten numbers": [
      (x) => withGradient(x.device.empty(x.shape), x, 2),
      "the result",
    ],
    "wrong shape": [(x) => affine(x, 2).view([35]), "the shape"],
    "hides infinity": [(x) => affine(clamp(x, -9, 9), 2), "with Infinity"],
    "spreads NaN": [
      (x) => add(affine(x, 2), affine(sum(x), 0)),
      "with NaN",
    ],
  };
  for (const [name, [run, reason]] of Object.entries(wrong)) {
    const { failures } = await checkCase(device, doubled(run, name));
    if (reason === null) assertEquals(failures, []);
    else assertStringIncludes(failures.join("; "), reason, name);
  }
});

Deno.test("of NaN and infinity a case may promise that they spread a little, or nothing", async () => {
  using device = await openDevice({ poison: true });
  const promising = (run: (x: Tensor) => Tensor, nonFinite: NonFinite) => {
    const c = doubled(run, nonFinite);
    return checkCase(device, {
      ...c,
      inputs: { x: { shape: [5, 70], nonFinite } },
    });
  };
  // a few neighbours, the whole tensor, and less than there should be
  const few = (x: Tensor) =>
    add(
      affine(x, 2),
      affine(slice(pad(x, [[0, 0], [0, 3]]), [0, 3], x.shape), 0),
    );
  const all = (x: Tensor) => add(affine(x, 2), affine(sum(x), 0));
  const hidden = (x: Tensor) => affine(clamp(x, -9, 9), 2);
  assertEquals((await promising(few, "spreads")).failures, []);
  assert((await promising(few, "exact")).failures.length > 0);
  assert((await promising(all, "spreads")).failures.length > 0);
  assert((await promising(hidden, "spreads")).failures.length > 0);
  assertEquals((await promising(hidden, "any")).failures, []);
});

Deno.test("every copy of a case is looked at, in value and in gradient", async () => {
  using device = await openDevice({ poison: true });
  const many = (run: (x: Tensor) => Tensor, name: string) =>
    checkCase(device, { ...doubled(run, name), copies: 1000 });
  const but = (t: Tensor, factor: number) => {
    const [rows, columns] = t.shape;
    const factors = new Float32Array(rows).fill(factor, 777, 778);
    return add(
      affine(t, 2),
      multiply(t, t.device.tensor(factors, [rows, 1])),
    ).view([rows, columns]);
  };
  assertEquals((await many((x) => affine(x, 2), "right")).failures, []);
  const value = await many((x) => but(x, 1e-3), "one number");
  assertStringIncludes(value.failures.join(), "the result");
  const slope = await many(
    (x) => record(affine(x, 2).detach(), [x], (g) => [but(g, 1e-3)]),
    "one slope",
  );
  assertStringIncludes(slope.failures.join(), "the gradient");
});
