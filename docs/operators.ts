/**
 * `deno task docs`: writes docs/OPERATORS.md from the conformance cases, the operators' doc comments
 * and the kernel table. What an operator launches, and whether it has a first and a second
 * derivative, is seen by running it.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import {
  type Device,
  EngineError,
  gradients,
  square,
  sum,
  type Tensor,
} from "../engine/mod.ts";
import { families } from "../engine/ops/cases.ts";
import type { NonFinite, OperatorCase } from "../engine/ops/conformance.ts";
import { differentiable, inputValues } from "../engine/ops/expectation.ts";
import { catalog } from "../kernels/catalog.ts";
import { openPoisoned } from "../tests/support/devices.ts";
import { watchKernels } from "../tests/support/watch_kernels.ts";

/** Where the page lies. */
export const PAGE: string = fromFileUrl(
  new URL("OPERATORS.md", import.meta.url),
);

/** What is known of an operator. */
interface Operator {
  name: string;
  forward: Set<string>;
  backward: Set<string>;
  /** Whether its derivative has been seen to have one. */
  second: boolean | null;
  /** Whether a case stores an input in f16. */
  half: boolean;
  /** The weakest promise of NaN and infinity by input. */
  nonFinite: Map<string, NonFinite>;
}

/** From the strongest to the weakest. */
const PROMISES: readonly NonFinite[] = ["exact", "spreads", "any"];

/** Where operators and their doc comments are. */
const SOURCES = ["engine/ops", "engine/nn", "engine", "engine/optim"];

/** First sentences of the doc comments of functions, classes and methods, by name. */
async function comments(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const folder of SOURCES) {
    const url = new URL(`../${folder}/`, import.meta.url);
    for await (const entry of Deno.readDir(url)) {
      if (!/^\w+\.ts$/.test(entry.name)) continue;
      const text = await Deno.readTextFile(new URL(entry.name, url));
      const documented =
        /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(?:export (?:async )?(?:function|class) )?(\w+)\s*[({<\s]/g;
      for (const [, comment, name] of text.matchAll(documented)) {
        if (!found.has(name)) found.set(name, firstParagraph(comment));
      }
    }
  }
  return found;
}

/** The text before the first empty line or tag, in one line. */
function firstParagraph(comment: string): string {
  const lines = comment.split("\n").map((l) => l.replace(/^\s*\*? ?/, ""));
  const text = lines.slice(lines.findIndex((l) => l.trim() !== ""));
  const end = text.findIndex((l) => l.trim() === "" || l.startsWith("@"));
  return text.slice(0, end < 0 ? text.length : end).join(" ")
    .replace(/\{@linkcode (\w+)\}/g, "`$1`").trim();
}

/** Kernels for a kind of device are named by what they do. */
function plainName(kernel: string): string {
  return kernel.replace(/_(lanes|tiles)$/, "");
}

/** The inputs of a case on a device, tracked where it differentiates. */
function inputsOf(device: Device, c: OperatorCase): Record<string, Tensor> {
  const values = inputValues(c), wanted = differentiable(c);
  return Object.fromEntries(
    Object.entries(c.inputs).map(([name, { shape, dtype }]) => {
      const t = device.tensor(values[name], shape, dtype);
      return [name, wanted.includes(name) ? t.track() : t];
    }),
  );
}

/** Runs a case and notes what it launches. */
function observe(device: Device, c: OperatorCase, operator: Operator): void {
  using _scope = device.scope();
  for (
    const [name, { dtype, nonFinite = "exact" }] of Object.entries(c.inputs)
  ) {
    const weakest = [operator.nonFinite.get(name) ?? "exact", nonFinite]
      .sort((a, b) => PROMISES.indexOf(a) - PROMISES.indexOf(b))[1];
    operator.nonFinite.set(name, weakest);
    operator.half ||= dtype === "f16";
  }
  const inputs = inputsOf(device, c);
  const result = watching(device, operator.forward, () => c.run(inputs));
  if (!result.tracked) return;
  const wanted = differentiable(c).map((name) => inputs[name]);
  const seed = device.zeros(result.shape, result.dtype);
  watching(
    device,
    operator.backward,
    () => gradients(result, wanted, { seed }),
  );
  operator.second ??= hasSecond(c.run(inputs), wanted, seed.track());
}

/** Adds the kernels that `body` launches, those for one kind of device by what they do. */
function watching<T>(
  device: Device,
  kernels: Set<string>,
  body: () => T,
): T {
  using watch = watchKernels(device);
  const result = body();
  for (const name of watch.groups.keys()) {
    // what fills a poisoned device is not the operator's
    if (name !== "elementwise.fill") kernels.add(plainName(name));
  }
  return result;
}

/** Whether the gradients of a result can be differentiated. */
function hasSecond(result: Tensor, wanted: Tensor[], seed: Tensor): boolean {
  try {
    const slopes = gradients(result, wanted, { seed, createGraph: true });
    for (const slope of slopes.filter((t) => t.tracked)) {
      gradients(sum(square(slope)), [...wanted, seed]);
    }
    return true;
  } catch (error) {
    if (error instanceof EngineError) return false;
    throw error;
  }
}

/** Every operator that has cases, as seen on a GPU's tiles and on a CPU without subgroups. */
async function observeAll(): Promise<Map<string, Operator>> {
  const found = new Map<string, Operator>();
  for (const kind of ["gpu", "plain"] as const) {
    using device = await openPoisoned(kind);
    for (const c of Object.values(families).flat()) {
      const operator = found.get(c.operator) ?? {
        name: c.operator,
        forward: new Set(),
        backward: new Set(),
        second: null,
        half: false,
        nonFinite: new Map(),
      };
      found.set(c.operator, operator);
      observe(device, c, operator);
    }
    await device.finish();
  }
  return found;
}

function table(head: readonly string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((c) => c.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)]
    .join("\n");
}

const DTYPES = new Map(
  catalog.map(({ name, dtypes }) => [plainName(name), dtypes]),
);

function operatorRow(o: Operator, comment: string | undefined): string[] {
  const kernels = (names: Set<string>) =>
    [...names].sort().map((k) => `\`${k}\``).join(", ");
  const half = o.half || o.forward.size > 0 &&
      [...o.forward].every((k) => DTYPES.get(k)?.includes("f16"));
  const promises = [...o.nonFinite]
    .filter(([, promise]) => promise !== "exact")
    .map(([input, promise]) => `${input}: ${promise}`);
  return [
    `\`${o.name}\``,
    comment ?? "",
    half ? "f32, f16" : "f32",
    kernels(o.forward) || "none: a view",
    o.second === null ? "-" : kernels(o.backward) || "none: a view",
    o.second === null ? "-" : o.second ? "yes" : "no",
    promises.join(", ") || "as the reference",
  ];
}

/** Kernels by what they do, with their variants for kinds of devices. */
function kernelRows(): string[][] {
  const found = new Map<string, string[]>();
  for (const { name } of catalog) {
    const plain = plainName(name);
    found.set(plain, [...found.get(plain) ?? [], name]);
  }
  return [...found].map(([plain, names]) => {
    const entry = catalog.find(({ name }) => name === names[0])!;
    const variants = names.map((name) => {
      const [, ending] = /_(lanes|tiles)$/.exec(name) ?? [];
      return ending === "lanes"
        ? "lanes (CPU)"
        : ending === "tiles"
        ? "tiles (GPU)"
        : "any device";
    });
    return [
      `\`${plain}\``,
      entry.formula.split("\n")
        .map((l) => `\`${l.trim().replaceAll("`", "")}\``).join("<br>"),
      entry.dtypes.join(", "),
      variants.join(", "),
    ];
  });
}

/** The page. */
export async function operatorsPage(): Promise<string> {
  const known = await comments(), operators = await observeAll();
  const row = (o: Operator) =>
    operatorRow(o, known.get(o.name) ?? known.get(o.name.split(".").pop()!));
  return `# Operators

<!-- Written by \`deno task docs\`; a test fails when it is out of date. -->

Every operator with the kernels that it launches, on all of its conformance
cases together. Kernels are named by what they do: most have variants for kinds
of devices, listed below. \`deno task conformance\` holds each of them to a
reference in double precision, in value and in gradient.

- Element types are those of storage: arithmetic is f32. A gradient has the type
  of what it is of.
- A second derivative is there where the backward rule consists of operators
  that have one.
- NaN and infinity: \`as the reference\` means NaN exactly where the reference
  has NaN, infinities of the same sign exactly where it has them, anything else
  within tolerance. \`spreads\`: never finite where the reference is not, but NaN
  may stand for infinity, and a few numbers beside those may not be finite
  either. \`any\`: nothing is promised, as for positions and indices.

${
    table(
      [
        "Operator",
        "Computes",
        "Types",
        "Forward",
        "Backward",
        "Second derivative",
        "NaN and infinity",
      ],
      [...operators.values()].map(row),
    )
  }

## Kernels

${table(["Kernel", "Formula", "Types", "Variants"], kernelRows())}
`;
}

if (import.meta.main) {
  await Deno.writeTextFile(PAGE, await operatorsPage());
  console.log(`written to ${PAGE}`);
}
