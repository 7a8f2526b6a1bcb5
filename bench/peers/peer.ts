/**
 * What the benchmark asks of another engine.
 *
 * @module
 */
import type { Problem } from "../problem.ts";

/** Engines that the benchmark compares with. */
export const PEERS = ["jax", "tfjs", "ort"] as const;

/** Name of a peer. */
export type PeerName = typeof PEERS[number];

/** Work that can be timed. */
export interface Timed {
  /** Starts the work once; what it computes is kept until `finish`. */
  run(): void | Promise<void>;
  /** Waits until the device has done everything that was started, and frees it. */
  finish(): Promise<void>;
}

/** A peer's version of a problem, its inputs resident on the device. */
export interface Trial extends Timed {
  /** Computes once and reads the result, in the engine's own layout (NCHW). */
  read(): Promise<Float32Array>;
  /** Frees the inputs. */
  dispose(): void;
}

/** Another engine, with a device of its own on the same adapter. */
export interface Peer {
  /** Column of the table. */
  readonly name: PeerName;
  /** Package and version. */
  readonly version: string;
  /** The peer's version of a problem; null where it has no way to compute it on the device. */
  prepare(problem: Problem): Promise<Trial | null>;
}

/** Opens a peer; its package is loaded no sooner. */
export async function openPeer(name: PeerName): Promise<Peer> {
  switch (name) {
    case "jax":
      return await (await import("./jax.ts")).openJax();
    case "tfjs":
      return await (await import("./tfjs.ts")).openTfjs();
    case "ort":
      return await (await import("./ort.ts")).openOrt();
  }
}
