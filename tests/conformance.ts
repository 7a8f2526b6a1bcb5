/**
 * `deno task conformance [--goldens DIR] [--only KIND] [--json FILE]`
 *
 * Holds every kernel to its float64 reference, in both tile profiles and on a
 * CPU without subgroups, and the engine to golden files of the published code.
 * `--only cases` runs the operator cases alone, any other kind the golden files
 * of that kind alone. Exits with 1 when something fails, and with 2 when there
 * is nothing to run.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { fromFileUrl } from "@std/path";
import { type Device, openDevice } from "../engine/mod.ts";
import { families, wideCases } from "../engine/ops/cases.ts";
import { checkCase, type OperatorCase } from "../engine/ops/conformance.ts";
import { catalog } from "../kernels/catalog.ts";
import {
  type Comparison,
  count,
  newReport,
  newRow,
  type Report,
  reportText,
  type Row,
} from "./support/conformance_report.ts";
import {
  DEVICE_KINDS,
  type DeviceKind,
  openPoisoned,
  PLAIN_FAMILIES,
} from "./support/devices.ts";
import {
  goldenPaths,
  type GoldenSelection,
  runGolden,
  selectGoldens,
} from "./support/goldens.ts";
import { watchKernels } from "./support/watch_kernels.ts";

const USAGE =
  "Usage: deno task conformance [--goldens DIR] [--only KIND] [--json FILE]";

/** Operators whose kernels need that many workgroups on a CPU too. */
const WIDE_ON_CPUS = ["matmul", "conv2d", "sampleTriplane", "decodeTriplane"];

/** What runs on a kind of device. */
function casesFor(kind: DeviceKind): OperatorCase[] {
  const names = kind === "plain" ? PLAIN_FAMILIES : Object.keys(families);
  const wide = kind === "gpu"
    ? wideCases
    : wideCases.filter((c) => WIDE_ON_CPUS.includes(c.operator));
  return [...names.flatMap((name) => families[name]), ...wide];
}

/** The checks use sums and products themselves: those count only where nothing else ran. */
function tested(names: Iterable<string>): string[] {
  const all = [...names];
  const own = all.filter((name) => !/^(elementwise|reduce)\./.test(name));
  return own.length > 0 ? own : all;
}

async function compare(
  device: Device,
  c: OperatorCase,
  kind: DeviceKind,
): Promise<Comparison> {
  const label = `${c.operator}, ${c.name} (${kind})`;
  try {
    const r = await checkCase(device, c);
    const [error, tolerance] = [
      [r.forward, r.tolerance],
      [r.gradient, r.gradientTolerance],
      [r.adjoint, r.gradientTolerance],
    ].sort((a, b) => b[0] / b[1] - a[0] / a[1])[0];
    const failure = r.failures.length > 0 ? r.failures.join("; ") : null;
    return { label, error, tolerance, failure };
  } catch (error) {
    const failure = (error as Error).message;
    return { label, error: Infinity, tolerance: 1, failure };
  }
}

/** Every operator case of a kind of device; a row for each kernel that took part in any. */
async function runCases(kind: DeviceKind, report: Report): Promise<void> {
  using device = await openPoisoned(kind);
  report.adapter = device.info.description;
  const rows = rowsFor(kind, report);
  for (const c of casesFor(kind)) {
    using seen = watchKernels(device);
    const comparison = await compare(device, c, kind);
    const own = tested(seen.groups.keys())
      .flatMap((name) => rows.get(name) ?? []);
    count(report, comparison, own);
    for (const [name, groups] of seen.groups) {
      const row = rows.get(name);
      if (row) row.workgroups = Math.max(row.workgroups, groups);
    }
    if (device.memory.total > 2 ** 28) device.trim();
  }
}

/** The catalogue's lines of a profile; both kinds of CPUs fill the same ones. */
function rowsFor(kind: DeviceKind, report: Report): Map<string, Row> {
  const profile = kind === "gpu" ? "gpu" : "cpu";
  if (kind !== "plain") {
    report.rows.push(
      ...catalog.filter((e) => e.profiles.includes(profile))
        .map((e) => newRow(e.name, profile)),
    );
  }
  return new Map(
    report.rows
      .filter((r) => r.profile === profile)
      .map((r) => [r.name, r]),
  );
}

async function runGoldens(
  { kind, path, profiles }: GoldenSelection,
  report: Report,
): Promise<void> {
  for (const profile of profiles) {
    using device = await openDevice({ profile, poison: true });
    report.adapter = device.info.description;
    const file = path.slice(path.lastIndexOf("/") + 1);
    const row = newRow(`goldens: ${file} (${kind})`, device.profile);
    for (const { name, ...r } of await runGolden(device, path)) {
      count(report, { label: `${path}, ${name} (${device.profile})`, ...r }, [
        row,
      ]);
    }
    report.rows.push(row);
  }
}

async function main(): Promise<number> {
  const flags = parseArgs(Deno.args, {
    string: ["goldens", "only", "json"],
    boolean: ["help"],
    unknown: (name: string) => {
      throw new Error(`There is no flag ${name}. ${USAGE}`);
    },
  });
  if (flags.help) {
    console.log(USAGE);
    return 0;
  }
  const folder = flags.goldens ??
    fromFileUrl(new URL("goldens", import.meta.url));
  const report = newReport(), start = performance.now();
  const goldens = flags.only === "cases"
    ? { run: [], skipped: [], broken: [] }
    : await selectGoldens(await goldenPaths(folder), folder, flags.only);
  report.skipped.push(...goldens.skipped);
  if (flags.only === undefined || flags.only === "cases") {
    for (const kind of DEVICE_KINDS) await runCases(kind, report);
  }
  for (const broken of goldens.broken) count(report, broken, []);
  for (const file of goldens.run) await runGoldens(file, report);
  report.seconds = (performance.now() - start) / 1000;
  console.log(reportText(report));
  if (flags.json) {
    await Deno.writeTextFile(
      flags.json,
      JSON.stringify(report, null, 2) + "\n",
    );
  }
  return report.failed > 0 ? 1 : 0;
}

if (import.meta.main) {
  try {
    Deno.exit(await main());
  } catch (error) {
    console.error((error as Error).message);
    Deno.exit(2);
  }
}
