/**
 * `deno task conformance [--goldens DIR] [--only KIND] [--json FILE]`
 *
 * Holds every kernel to its float64 reference, in both tile profiles, and the
 * engine to golden files of the published code. `--only cases` runs the
 * operator cases alone, any other kind the golden files of that kind alone.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { type Device, openDevice, type TileProfile } from "../engine/mod.ts";
import { cases } from "../engine/ops/cases.ts";
import { checkCase } from "../engine/ops/conformance.ts";
import { catalog } from "../kernels/catalog.ts";
import { GOLDEN_RUNNERS, goldenFiles } from "./support/goldens.ts";
import { watchKernels } from "./support/watch_kernels.ts";

/** A line of the table. */
interface Row {
  name: string;
  profile: TileProfile;
  cases: number;
  failed: number;
  /** The error that comes closest to its tolerance, or exceeds it most. */
  worst: number;
  tolerance: number;
}

interface Report {
  adapter: string;
  rows: Row[];
  failures: string[];
  skipped: string[];
  passed: number;
  failed: number;
}

const PROFILES: TileProfile[] = ["cpu", "gpu"];
const USAGE =
  "Usage: deno task conformance [--goldens DIR] [--only KIND] [--json FILE]";

/** Adds one comparison to a row. */
function count(
  row: Row,
  error: number,
  tolerance: number,
  failed: boolean,
): void {
  row.cases++;
  if (failed) row.failed++;
  if (error * row.tolerance < row.worst * tolerance) return;
  row.worst = error;
  row.tolerance = tolerance;
}

function newRow(name: string, profile: TileProfile): Row {
  return { name, profile, cases: 0, failed: 0, worst: 0, tolerance: 1 };
}

function tally(report: Report, label: string, failure: string | null): void {
  if (failure === null) report.passed++;
  else {
    report.failed++;
    report.failures.push(`${label}: ${failure}`);
  }
}

/** The checks use sums and products themselves: those count only where nothing else ran. */
function tested(names: ReadonlySet<string>): string[] {
  const all = [...names];
  const own = all.filter((name) => !/^(elementwise|reduce)\./.test(name));
  return own.length > 0 ? own : all;
}

/** Every operator case; a row for each kernel that took part in any. */
async function runCases(device: Device, report: Report): Promise<void> {
  const rows = new Map(
    catalog.filter((e) => e.profiles.includes(device.profile))
      .map((e) => [e.name, newRow(e.name, device.profile)]),
  );
  for (const c of cases) {
    using seen = watchKernels(device);
    const label = `${c.operator}, ${c.name} (${device.profile})`;
    let failure: string | null, errors: [number, number][] = [[Infinity, 1]];
    try {
      const r = await checkCase(device, c);
      failure = r.failures.length > 0 ? r.failures.join("; ") : null;
      errors = [
        [r.forward, r.tolerance],
        [r.gradient, r.gradientTolerance],
        [r.adjoint, r.gradientTolerance],
      ];
    } catch (error) {
      failure = (error as Error).message;
    }
    tally(report, label, failure);
    const [worst, tolerance] = errors.sort((a, b) =>
      b[0] / b[1] - a[0] / a[1]
    )[0];
    for (const name of tested(seen.names)) {
      const row = rows.get(name) ?? newRow(name, device.profile);
      rows.set(name, row);
      count(row, worst, tolerance, failure !== null);
    }
  }
  report.rows.push(...rows.values());
}

async function runGoldens(
  device: Device,
  folder: string,
  only: string | undefined,
  report: Report,
): Promise<void> {
  for (const file of await goldenFiles(folder)) {
    if (only && file.kind !== only) continue;
    const runner = GOLDEN_RUNNERS[file.kind];
    if (!runner) {
      const line = `${file.path}: kind ${file.kind} is not known here`;
      if (!report.skipped.includes(line)) report.skipped.push(line);
      continue;
    }
    const row = newRow(`goldens: ${file.kind}`, device.profile);
    for (const r of await runner(device, file)) {
      tally(report, `${file.path}, ${r.name} (${device.profile})`, r.failure);
      count(row, r.error, r.tolerance, r.failure !== null);
    }
    report.rows.push(row);
  }
}

function print(report: Report): void {
  const width = Math.max(...report.rows.map((r) => r.name.length), 6);
  const line = (cells: string[]) =>
    console.log(
      [
        cells[0].padEnd(width),
        cells[1].padEnd(7),
        ...cells.slice(2).map((c) => c.padStart(9)),
      ]
        .join("  ").trimEnd(),
    );
  line(["kernel", "profile", "cases", "failed", "worst", "tolerance"]);
  for (const r of report.rows) {
    const figures = r.cases > 0
      ? [r.worst.toExponential(1), r.tolerance.toExponential(1)]
      : ["no case", ""];
    line([r.name, r.profile, `${r.cases}`, `${r.failed}`, ...figures]);
  }
  for (const skipped of report.skipped) console.log(`skipped ${skipped}`);
  for (const failure of report.failures) console.log(`FAILED ${failure}`);
  console.log(`${report.passed} passed, ${report.failed} failed`);
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
  const folder = flags.goldens ?? new URL("goldens", import.meta.url).pathname;
  const report: Report = {
    adapter: "",
    rows: [],
    failures: [],
    skipped: [],
    passed: 0,
    failed: 0,
  };
  for (const profile of PROFILES) {
    using device = await openDevice({ profile, poison: true });
    report.adapter = device.info.description;
    if (!flags.only || flags.only === "cases") await runCases(device, report);
    if (flags.only !== "cases") {
      await runGoldens(device, folder, flags.only, report);
    }
  }
  print(report);
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
