/**
 * The table that the benchmark prints, and its JSON.
 *
 * @module
 */
import type { Machine, Timing } from "./measure.ts";
import type { PeerName } from "./peers/peer.ts";

/** Content of the file of `--json`: times in milliseconds. */
export interface Report {
  /** Name of the adapter. */
  readonly adapter: string;
  /** One entry per row. */
  readonly rows: readonly Timing[];
}

/** What the columns mean. */
export const LEGEND = `
ours     median wall time of one call, from the first command until the device
         has finished; inputs lie on the device, nothing is read back; short
         work is repeated (as often for every engine) before it is waited for
jax ...  the same for the peers, in the same process, on the same adapter,
         samples in turn; - where a peer cannot run the row on the device
ratio    fastest peer over ours
kernels  median time inside ours kernels, by timestamps of the adapter
GFLOP/s  multiplications and additions of the definition per second of ours;
         Winograd needs fewer and may seem faster than the machine
GB/s     bytes of inputs and results per second of ours
share    of the adapter's measured multiply-adds or copied bytes
first    our first run, which compiles kernels`;

const NAME_WIDTH = 62, WIDTH = 10;

/** Prints a line of the table as soon as it is known. */
export class Table {
  readonly #peers: readonly PeerName[];

  /**
   * A table for one run of the benchmark.
   *
   * @param peers columns for other engines
   */
  constructor(peers: readonly PeerName[]) {
    this.#peers = peers;
  }

  /** The names of the columns. */
  head(): string {
    return line("", [
      "ours",
      ...this.#peers,
      ...(this.#peers.length > 0 ? ["ratio"] : []),
      "kernels",
      "GFLOP/s",
      "GB/s",
      "share",
      "first",
    ]);
  }

  /** One row, its notes below it. */
  row(t: Timing): string {
    const figures = [
      milliseconds(t.ours),
      ...this.#peers.map((name) => milliseconds(t.peers[name])),
      ...(this.#peers.length > 0 ? [figure(t.ratio, 2)] : []),
      milliseconds(t.kernels),
      figure(t.gflops, 1),
      figure(t.gbytes, 1),
      t.share == null ? "-" : `${(100 * t.share).toFixed(0)} %`,
      milliseconds(t.first),
    ];
    return [line(t.name, figures), ...(t.notes ?? []).map((n) => `    ${n}`)]
      .join("\n");
  }
}

function line(name: string, figures: readonly string[]): string {
  return name.padEnd(NAME_WIDTH) +
    figures.map((f) => f.padStart(WIDTH)).join("");
}

function milliseconds(value: number | null | undefined): string {
  if (value == null) return "-";
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ms`;
}

function figure(value: number | null | undefined, digits: number): string {
  return value == null ? "-" : value.toFixed(digits);
}

/** The two limits of the machine as rows of the table. */
export function machineRows({ gflops, gbytes }: Machine): Timing[] {
  const limit = (name: string, own: Partial<Timing>): Timing => ({
    name,
    ours: null,
    peers: {},
    ratio: null,
    group: "machine",
    ...own,
  });
  return [
    limit("most multiply-adds", { gflops }),
    limit("fastest copy", { gbytes }),
  ];
}
