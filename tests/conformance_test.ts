/** The conformance command, and that its checks notice what is wrong. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { affine, openDevice, record, type Tensor } from "../engine/mod.ts";
import { checkCase, type OperatorCase } from "../engine/ops/conformance.ts";
import { formula } from "../engine/ops/formula.ts";
import { writeSafetensors } from "../weights/formats/safetensors.ts";

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
  const folder = await Deno.makeTempDir();
  const metadata = { kind: "tea" };
  await writeSafetensors(`${folder}/a.safetensors`, {
    metadata,
    tensors: new Map(),
  });
  const { code, lines } = await conformance(
    "--goldens",
    folder,
    "--only",
    "tea",
  );
  await Deno.remove(folder, { recursive: true });
  assertEquals(code, 0);
  assert(
    lines.some((line) => line.includes("skipped") && line.includes("tea")),
  );
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
  };
  for (const [name, [run, reason]] of Object.entries(wrong)) {
    const { failures } = await checkCase(device, doubled(run, name));
    if (reason === null) assertEquals(failures, []);
    else assertStringIncludes(failures.join("; "), reason, name);
  }
});
