import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type Device,
  openDevice,
  type Tensor,
  type TileProfile,
} from "../engine/mod.ts";
import { families, wideCases } from "../engine/ops/cases.ts";
import {
  type CaseResult,
  checkCase,
  type OperatorCase,
} from "../engine/ops/conformance.ts";
import { formula } from "../engine/ops/formula.ts";
import { withBlocks } from "../kernels/blocks/mod.ts";
import { catalog } from "../kernels/catalog.ts";
import { openPoisoned, PLAIN_FAMILIES } from "./support/devices.ts";
import { GOLDEN_RUNNERS, goldenFiles } from "./support/goldens.ts";
import { watchKernels } from "./support/watch_kernels.ts";

const PROFILES: TileProfile[] = ["cpu", "gpu"];

/** Kernels that cases have run, by profile, and families that are still to come. */
const seen = { cpu: new Set<string>(), gpu: new Set<string>() };
const waiting = new Set<string>();

async function failures(
  device: Device,
  cases: readonly OperatorCase[],
): Promise<string[]> {
  const found: string[] = [];
  using watch = watchKernels(device);
  for (const c of cases) {
    const result: CaseResult = await checkCase(device, c);
    if (result.failures.length === 0) continue;
    found.push(`${c.operator}, ${c.name}: ${result.failures.join("; ")}`);
  }
  for (const name of watch.groups.keys()) seen[device.profile].add(name);
  return found;
}

for (const profile of PROFILES) {
  for (const [family, cases] of Object.entries(families)) {
    waiting.add(`${family} on ${profile}`);
    Deno.test(`${family} operators agree with float64 in value and gradient on ${profile} tiles`, async () => {
      using device = await openPoisoned(profile);
      assertEquals(await failures(device, cases), []);
      waiting.delete(`${family} on ${profile}`);
    });
  }
}

for (const family of PLAIN_FAMILIES) {
  waiting.add(family);
  Deno.test(`${family} operators agree with float64 on a CPU without subgroups`, async () => {
    using device = await openPoisoned("plain");
    assertEquals(await failures(device, families[family]), []);
    assert(![...seen.cpu].some((name) => name.endsWith("_tiles")));
    waiting.delete(family);
  });
}

Deno.test("every kernel has a case on each profile that it serves", () => {
  // with --filter not all of them have run
  if (waiting.size > 0) return;
  const missing = catalog.flatMap(({ name, profiles }) =>
    profiles.filter((p) => !seen[p].has(name)).map((p) => `${name} on ${p}`)
  );
  assertEquals(missing, []);
});

Deno.test("the operators agree with the published code's golden numbers", async () => {
  const folder = new URL("goldens", import.meta.url).pathname;
  const files = (await goldenFiles(folder)).filter((f) => f.kind === "ops");
  assert(files.length > 0);
  for (const profile of PROFILES) {
    using device = await openDevice({ profile, poison: true });
    for (const file of files) {
      const results = await GOLDEN_RUNNERS.ops(device, file);
      const failed = results.filter((r) => r.failure !== null);
      assertEquals(failed, []);
    }
  }
});

/** WGSL files with an entry point, as `family/file`. */
async function kernelFiles(): Promise<string[]> {
  const root = new URL("../kernels", import.meta.url).pathname;
  const found: string[] = [];
  for await (const family of Deno.readDir(root)) {
    if (!family.isDirectory) continue;
    for await (const file of Deno.readDir(`${root}/${family.name}`)) {
      if (!file.name.endsWith(".wgsl")) continue;
      const text = await Deno.readTextFile(
        `${root}/${family.name}/${file.name}`,
      );
      if (text.includes("@compute")) found.push(text);
    }
  }
  return found;
}

Deno.test("every kernel file is in the catalogue, with a formula", async () => {
  // blocks stand indented in their kernels
  const flat = (text: string) => text.replace(/^ +/gm, "").trimEnd();
  const sources = catalog.map((entry) => flat(entry.kernel.source));
  for (const text of await kernelFiles()) {
    assert(
      sources.some((source) => source.includes(flat(withBlocks(text)))),
      `not in kernels/catalog.ts: ${text.slice(0, 80)}`,
    );
  }
  for (const entry of catalog) assert(entry.formula.length > 5, entry.name);
  const names = catalog.map((entry) => entry.name);
  assertEquals(names.length, new Set(names).size);
});

Deno.test("a kernel cannot name a block that there is not", () => {
  assertThrows(
    () => withBlocks("fn main() {\n  // block: nothing\n}"),
    Error,
    'no block "nothing"',
  );
});

Deno.test("no two conformance cases share a name", () => {
  const names = Object.values(families).flat()
    .map((c) => `${c.operator}, ${c.name}`);
  assertEquals(names.length, new Set(names).size);
});

/** Of the wide cases those that take a second; the conformance command runs all. */
const QUICK_WIDE = [
  ...["relu", "multiply", "permute", "sum", "maxAlong", "Adam"],
  ...["cameraRays", "pointsOnRays", "stratifiedDepths"],
];

Deno.test("operators go on beyond 65,535 workgroups", async () => {
  // on a CPU elementwise kernels take 16 numbers each and never get there
  using device = await openPoisoned("gpu");
  const quick = wideCases.filter((c) => QUICK_WIDE.includes(c.operator));
  assertEquals(await failures(device, quick), []);
});

Deno.test("products go on beyond 65,535 workgroups on every CPU", async () => {
  const products = wideCases.filter((c) => c.operator === "matmul");
  for (const kind of ["cpu", "plain"] as const) {
    using device = await openPoisoned(kind);
    using watch = watchKernels(device);
    assertEquals(await failures(device, products), []);
    assert([...watch.groups.values()].some((count) => count > 65535));
  }
});

const NAN = 0x7fc00000;

Deno.test("a poisoned device shows numbers that no kernel wrote", async () => {
  using device = await openDevice({ poison: true });
  const data = await device.empty([5]).data();
  assert(new Uint32Array(data.buffer).every((word) => word === NAN));
});

Deno.test("the same operator twice gives the same bits", async () => {
  using device = await openDevice();
  for (const c of Object.values(families).flatMap((f) => f.slice(0, 1))) {
    using _scope = device.scope();
    const results: Float32Array[] = [];
    for (let k = 0; k < 2; k++) {
      const inputs: Record<string, Tensor> = {};
      for (const [name, { shape, scale, shift }] of Object.entries(c.inputs)) {
        inputs[name] = device.tensor(formula(name, shape, scale, shift), shape);
      }
      results.push(await c.run(inputs).data());
    }
    assertEquals(results[0], results[1], c.operator);
  }
});
