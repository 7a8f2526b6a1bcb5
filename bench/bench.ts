/**
 * `deno task bench [--peers] [--only NAME] [--runs N] [--tune] [--json FILE]`
 *
 * Times operators at EG3D's and the default generator's shapes, and whole steps
 * of the generator, on this machine's adapter; with `--peers` beside other
 * WebGPU engines in the same process.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { openDevice } from "../engine/mod.ts";
import { TuningFiles } from "../weights/mod.ts";
import { eg3dRows } from "./eg3d.ts";
import { firstFrameRows, measureProcess } from "./first_frame.ts";
import { measureMachine } from "./machine.ts";
import { mannequinRows } from "./mannequin.ts";
import { type Effort, measure, type Row, type Timing } from "./measure.ts";
import { operatorRows } from "./operators.ts";
import { openPeer, type Peer, PEERS } from "./peers/peer.ts";
import { LEGEND, machineRows, type Report, Table } from "./report.ts";
import { trainingRows } from "./training.ts";

const USAGE =
  `Usage: deno task bench [--peers] [--only NAME] [--runs N] [--tune] [--json FILE]

  --peers       time jax-js, TensorFlow.js and ONNX Runtime Web as well
  --only NAME   only rows whose group or name contains NAME (groups: matmul,
                conv2d, modulated, upfirdn2d, triplane, renderer, softmax,
                reduce, elementwise, adam, mannequin, training, start; eg3d, which
                takes minutes on a CPU, only by its name)
  --runs N      samples of each row (as many as a few seconds allow, 3 to 7)
  --tune        choose the fastest kernels for each row first, and keep the
                choices in the user's cache folder
  --json FILE   write the figures to FILE as well`;

class UsageError extends Error {}

interface Options {
  readonly help: boolean;
  readonly peers: boolean;
  readonly tune: boolean;
  readonly only: string;
  readonly runs?: number;
  readonly json?: string;
}

function options(args: string[]): Options {
  const flags = parseArgs(args, {
    string: ["only", "runs", "json"],
    boolean: ["help", "peers", "tune"],
    unknown: (name: string) => {
      throw new UsageError(`There is no flag ${name}.\n${USAGE}`);
    },
  });
  const runs = flags.runs === undefined ? undefined : Number(flags.runs);
  if (runs !== undefined && (!Number.isInteger(runs) || runs < 1)) {
    throw new UsageError(
      `--runs takes a whole number from 1, not ${flags.runs}.`,
    );
  }
  const only = flags.only?.toLowerCase() ?? "";
  const { help, peers, tune, json } = flags;
  return { help, peers, tune, only, runs, json };
}

/** Rows that `--only` picks. */
function picked<R extends Pick<Row, "group" | "name">>(
  rows: readonly R[],
  only: string,
): R[] {
  return rows.filter(({ group, name }) =>
    `${group} ${name}`.toLowerCase().includes(only)
  );
}

async function main(args: string[]): Promise<void> {
  const { help, peers, tune, only, runs, json } = options(args);
  if (help) return console.log(USAGE);
  const own = [...operatorRows, ...mannequinRows, ...trainingRows];
  const rows = picked([...own, ...eg3dRows], only)
    .filter(({ slow }) => !slow || only !== "");
  const starts = picked(firstFrameRows, only);
  if (rows.length + starts.length === 0) {
    throw new UsageError(`No row is called ${only}.\n${USAGE}`);
  }
  using device = await openDevice(tune ? { tune: new TuningFiles() } : {});
  const adapter = device.info.description || device.info.vendor;
  console.log(
    `${adapter}, ${device.profile} kernels, ${navigator.hardwareConcurrency} cores, Deno ${Deno.version.deno}`,
  );
  const machine = await measureMachine(device);
  const timings: Timing[] = machineRows(machine);
  const rivals = peers ? await openPeers() : [];
  const table = new Table(rivals.map((p) => p.name));
  const print = (timing: Timing) => {
    timings.push(timing);
    console.log(table.row(timing));
  };
  console.log("\n" + table.head());
  for (const timing of timings) console.log(table.row(timing));
  const effort: Effort = { runs, machine };
  for (const row of rows) print(await measure(device, row, rivals, effort));
  for (const row of starts) print(await measureProcess(row, runs));
  console.log(LEGEND);
  const report: Report = { adapter, rows: timings };
  if (json) {
    await Deno.writeTextFile(json, JSON.stringify(report, null, 2) + "\n");
  }
}

async function openPeers(): Promise<Peer[]> {
  const found: Peer[] = [];
  for (const name of PEERS) {
    try {
      found.push(await openPeer(name));
    } catch (error) {
      console.log(`${name} does not start: ${(error as Error).message}`);
    }
  }
  console.log(`beside ${found.map((p) => p.version).join(", ")}`);
  return found;
}

if (import.meta.main) {
  let code = 0;
  try {
    await main(Deno.args);
  } catch (error) {
    console.error((error as Error).message);
    code = error instanceof UsageError ? 2 : 1;
  }
  // jax-js keeps workers that would keep the process alive
  Deno.exit(code);
}
