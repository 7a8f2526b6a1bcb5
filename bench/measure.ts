/**
 * How a row of the benchmark is timed.
 *
 * Every engine is timed alike: its inputs lie on the device; a sample is the
 * wall time from the first command of `repeats` calls until the device has
 * finished them all, divided by `repeats`. Waiting costs Deno up to 10 ms, so
 * short work is repeated until that does not matter. Samples of the engines
 * alternate, since machines are shared; the figure is their median.
 *
 * @module
 */
import type { Device, Tensor, Tuned } from "../engine/mod.ts";
import { relativeError } from "../engine/ops/conformance.ts";
import type { Peer, PeerName, Timed, Trial } from "./peers/peer.ts";
import type { Problem } from "./problem.ts";

/** Something to time. */
export interface Row {
  /** What `--only` picks, for instance `conv2d`. */
  readonly group: string;
  /** What it is, with its sizes. */
  readonly name: string;
  /** Multiplications and additions of the definition; absent where they are not counted. */
  readonly operations?: number;
  /** Bytes of its inputs and results, for rows that memory limits; absent for others. */
  readonly bytes?: number;
  /** Takes minutes on a CPU, and is left out unless `--only` names it. */
  readonly slow?: boolean;
  /** The same for peers; absent where they are not asked. */
  readonly problem?: Problem;
  /** Makes what the row needs and returns what is timed. */
  readonly prepare: (device: Device) => Promise<Job> | Job;
}

/**
 * Records the timed work; returns its result where there is one to compare.
 * Tensors made on the way are released by the caller.
 */
export type Job = () => Tensor | void;

/** What a row came to; times in milliseconds. */
export interface Timing {
  /** Name of the row. */
  readonly name: string;
  /** Group of the row. */
  readonly group: string;
  /** The engine's median; null where the row could not run. */
  readonly ours: number | null;
  /** Medians of the peers that were asked; null where one cannot run the row. */
  readonly peers: Partial<Record<PeerName, number | null>>;
  /** The fastest peer's time over ours; null without one. */
  readonly ratio: number | null;
  /** Median of the time inside kernels; null without timestamps. */
  readonly kernels?: number | null;
  /** Thousand million operations per second. */
  readonly gflops?: number | null;
  /** Thousand million bytes per second. */
  readonly gbytes?: number | null;
  /** Share of what the adapter was measured to do: of multiply-adds, or of copying. */
  readonly share?: number | null;
  /** The engine's first run, which compiles kernels. */
  readonly first?: number;
  /** Samples, and calls in each. */
  readonly runs?: number;
  /** See `runs`. */
  readonly repeats?: number;
  /** Why a peer has no figure, or other counts in words. */
  readonly notes?: readonly string[];
}

/** What the adapter was measured to do at most. */
export interface Machine {
  /** Thousand million multiplications and additions per second. */
  readonly gflops: number;
  /** Thousand million bytes per second, read and written, of a copy. */
  readonly gbytes: number;
}

/** How long and often to measure. */
export interface Effort {
  /** Samples of each engine; chosen by the time that they take when absent. */
  readonly runs?: number;
  /** What `share` refers to. */
  readonly machine?: Machine;
}

/** Milliseconds that a sample should have at least, so that waiting does not matter. */
const SAMPLE = 200;
/** Most calls in a sample, and bytes of results that they may leave behind. */
const MOST = {
  cpu: { repeats: 20, bytes: 2 ** 28 },
  gpu: { repeats: 1024, bytes: 2 ** 32 },
};
/** Samples of each engine, and milliseconds after which the fewest have to do. */
const MOST_RUNS = 7, FEWEST_RUNS = 3, PATIENCE = 6000;
/** Runs by timestamps, and milliseconds from which one has to do. */
const PROFILES = 3, LONG = 3000;
/** Largest error of a peer's result for it to count as the same problem. */
const AGREEMENT = 1e-3;

/** The middle one of several numbers. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b), half = sorted.length >> 1;
  return sorted.length % 2
    ? sorted[half]
    : (sorted[half - 1] + sorted[half]) / 2;
}

/** Milliseconds of one sample. */
async function sample(trial: Timed, repeats: number): Promise<number> {
  const start = performance.now();
  for (let k = 0; k < repeats; k++) {
    const pending = trial.run();
    if (pending) await pending;
  }
  await trial.finish();
  return (performance.now() - start) / repeats;
}

/** Times a row on the engine and, where it poses a problem, on the peers. */
export async function measure(
  device: Device,
  row: Row,
  peers: readonly Peer[] = [],
  effort: Effort = {},
): Promise<Timing> {
  using _scope = device.scope();
  const job = await row.prepare(device);
  await device.finish();
  const asked = row.problem && peers.length > 0;
  const { first, result } = await firstRun(device, job, !!asked);
  const own: Timed = {
    run() {
      using _scope = device.scope();
      job();
    },
    finish: () => device.finish(),
  };
  const notes = (await device.tune()).filter((t) =>
    t.method !== t.before.method
  )
    .map(describeChoice);
  const found = result
    ? await contestants(row.problem!, peers, result, notes)
    : new Map<PeerName, Trial>();
  const trials = new Map<string, Timed>([["ours", own], ...found]);
  const repeats = await repeatsFor(device, own, result?.byteLength ?? 0);
  const { samples, kernels } = await alternate(device, trials, repeats, effort);
  for (const trial of found.values()) trial.dispose();
  return summary(
    row,
    peers,
    { samples, kernels, repeats, first, notes },
    effort,
  );
}

function describeChoice({ key, method, milliseconds, before }: Tuned): string {
  return `${key}: ${method} in ${
    milliseconds.toFixed(2)
  } ms instead of ${before.method} in ${before.milliseconds.toFixed(2)} ms`;
}

/** Milliseconds of the first run, and its result if peers are to be compared with it. */
async function firstRun(
  device: Device,
  job: Job,
  wanted: boolean,
): Promise<{ first: number; result: Float32Array | null }> {
  using _scope = device.scope();
  const start = performance.now();
  const result = job();
  await device.finish();
  const first = performance.now() - start;
  return { first, result: wanted && result ? await result.data() : null };
}

/** Peers that compute the problem, and compute it right; others are noted. */
async function contestants(
  problem: Problem,
  peers: readonly Peer[],
  expected: Float32Array,
  notes: string[],
): Promise<Map<PeerName, Trial>> {
  const found = new Map<PeerName, Trial>();
  for (const peer of peers) {
    try {
      const trial = await peer.prepare(problem);
      if (!trial) continue;
      const error = relativeError(await trial.read(), expected);
      if (error <= AGREEMENT) found.set(peer.name, trial);
      else {
        notes.push(`${peer.name} is off by ${error.toExponential(1)}`);
        trial.dispose();
      }
    } catch (error) {
      const [line] = (error as Error).message.split("\n");
      notes.push(`${peer.name} cannot: ${line.slice(0, 160)}`);
    }
  }
  return found;
}

/** Calls that make a sample long enough, found by doubling: a short one is all waiting. */
async function repeatsFor(
  device: Device,
  own: Timed,
  bytes: number,
): Promise<number> {
  const limit = MOST[device.profile];
  const held = bytes > 0 ? Math.floor(limit.bytes / bytes) : limit.repeats;
  const most = Math.max(1, Math.min(limit.repeats, held));
  for (let repeats = 1;; repeats = Math.min(2 * repeats, most)) {
    if (repeats === most) return most;
    if (await sample(own, repeats) * repeats >= SAMPLE) return repeats;
  }
}

/** Samples of all trials in turn. */
async function alternate(
  device: Device,
  trials: ReadonlyMap<string, Timed>,
  repeats: number,
  { runs }: Effort,
): Promise<{ samples: Map<string, number[]>; kernels: number[] }> {
  const samples = new Map([...trials.keys()].map((k) => [k, [] as number[]]));
  const kernels: number[] = [], begin = performance.now();
  const most = runs ?? MOST_RUNS, patience = PATIENCE * trials.size;
  for (let k = 0; k < most; k++) {
    const spent = performance.now() - begin;
    if (runs === undefined && k >= FEWEST_RUNS && spent > patience) break;
    for (const [name, trial] of trials) {
      samples.get(name)!.push(await sample(trial, repeats));
    }
    const long = samples.get("ours")![0] * repeats > LONG;
    if (k >= (long ? 1 : PROFILES)) continue;
    const times = await device.profileKernels(() => trials.get("ours")!.run());
    if (!times) continue;
    kernels.push(times.reduce((sum, t) => sum + t.milliseconds, 0));
  }
  return { samples, kernels };
}

interface Measured {
  samples: ReadonlyMap<string, readonly number[]>;
  kernels: readonly number[];
  repeats: number;
  first: number;
  notes: readonly string[];
}

function summary(
  row: Row,
  asked: readonly Peer[],
  { samples, kernels, repeats, first, notes }: Measured,
  { machine }: Effort,
): Timing {
  const ours = median(samples.get("ours")!);
  const peers = Object.fromEntries(asked.map(({ name }) => {
    const times = samples.get(name);
    return [name, times ? median(times) : null];
  })) as Timing["peers"];
  const rivals = Object.values(peers).filter((t) => t !== null);
  const gflops = row.operations ? row.operations / ours / 1e6 : null;
  const gbytes = row.bytes ? row.bytes / ours / 1e6 : null;
  return {
    name: row.name,
    ours,
    peers,
    ratio: rivals.length > 0 ? Math.min(...rivals) / ours : null,
    group: row.group,
    kernels: kernels.length > 0 ? median(kernels) : null,
    gflops,
    gbytes,
    share: shareOf(gflops, gbytes, machine),
    first,
    runs: samples.get("ours")!.length,
    repeats,
    ...(notes.length > 0 ? { notes } : {}),
  };
}

function shareOf(
  gflops: number | null,
  gbytes: number | null,
  machine?: Machine,
): number | null {
  if (!machine) return null;
  if (gflops !== null) return gflops / machine.gflops;
  return gbytes === null ? null : gbytes / machine.gbytes;
}
