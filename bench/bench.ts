/**
 * `deno task bench [--only NAME] [--runs N] [--json FILE]`
 *
 * Times operators in the shapes of the default generator, and whole steps of
 * it, on this machine's adapter.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { openDevice } from "../engine/mod.ts";
import { mannequinRows } from "./mannequin.ts";
import { measure, type Row, type Timing } from "./measure.ts";
import { operatorRows } from "./operators.ts";

const USAGE = `Usage: deno task bench [--only NAME] [--runs N] [--json FILE]

  --only NAME   only rows whose group or name contains NAME
                (groups: matmul, conv2d, mannequin)
  --runs N      timed runs of each row (7)
  --json FILE   write the figures to FILE as well`;

const ROWS: readonly Row[] = [...operatorRows, ...mannequinRows];

const LEGEND = `
kernels  median time inside kernels, by timestamps of the adapter
wall     median time from the first command to the last result
GFLOP/s  multiplications and additions of the definition per second of kernel
         time; Winograd needs fewer and may seem faster than the machine
first    first run, which compiles kernels`;

class UsageError extends Error {}

function options(args: string[]): {
  help: boolean;
  rows: readonly Row[];
  runs: number;
  json?: string;
} {
  const flags = parseArgs(args, {
    string: ["only", "runs", "json"],
    boolean: ["help"],
    unknown: (name: string) => {
      throw new UsageError(`There is no flag ${name}.\n${USAGE}`);
    },
  });
  const runs = Number(flags.runs ?? 7);
  if (!Number.isInteger(runs) || runs < 1) {
    throw new UsageError(
      `--runs takes a whole number from 1, not ${flags.runs}.`,
    );
  }
  const only = flags.only?.toLowerCase() ?? "";
  const rows = ROWS.filter(({ group, name }) =>
    `${group} ${name}`.toLowerCase().includes(only)
  );
  if (rows.length === 0) {
    throw new UsageError(`No row is called ${flags.only}.\n${USAGE}`);
  }
  return { help: flags.help, rows, runs, json: flags.json };
}

function milliseconds(value: number | null): string {
  if (value === null) return "-";
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ms`;
}

function printer(rows: readonly Row[]): (cells: readonly string[]) => void {
  const width = Math.max(...rows.map((r) => r.name.length));
  return ([name, ...figures]) =>
    console.log(
      name.padEnd(width) + figures.map((f) => f.padStart(11)).join(""),
    );
}

async function main(args: string[]): Promise<void> {
  const { help, rows, runs, json } = options(args);
  if (help) return console.log(USAGE);
  using device = await openDevice();
  const { info, profile } = device;
  const adapter = info.description || info.vendor;
  console.log(
    `${adapter}, ${profile} kernels, ${navigator.hardwareConcurrency} cores, Deno ${Deno.version.deno}, medians of ${runs} runs\n`,
  );
  const print = printer(rows), timings: Timing[] = [];
  print(["", "kernels", "wall", "GFLOP/s", "first"]);
  for (const row of rows) {
    const timing = await measure(device, row, runs);
    timings.push(timing);
    print([
      row.name,
      milliseconds(timing.kernels),
      milliseconds(timing.wall),
      timing.gflops?.toFixed(1) ?? "-",
      milliseconds(timing.first),
    ]);
  }
  console.log(LEGEND);
  if (!json) return;
  const report = { adapter, profile, deno: Deno.version.deno, timings };
  await Deno.writeTextFile(json, JSON.stringify(report, null, 2) + "\n");
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    console.error((error as Error).message);
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
}
