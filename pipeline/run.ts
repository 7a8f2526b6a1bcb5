/**
 * One run of `animate` while it lasts.
 *
 * @module
 */
import type { Device } from "../engine/mod.ts";
import type { RunContext } from "./context.ts";
import type { FaceNetworks } from "./face/find.ts";
import type { AnimateOptions } from "./options.ts";
import type { Preset } from "./presets.ts";
import type { Report } from "./report.ts";
import type { RunFolder } from "./run_folder.ts";

/** What every stage of a run may use. */
export interface Run {
  /** Where everything is computed. */
  device: Device;
  /** What was asked for. */
  options: AnimateOptions;
  /** Settings of every stage. */
  preset: Preset;
  /** Progress and interruption. */
  context: RunContext;
  /** Figures so far. */
  report: Report;
  /** Networks that find and follow faces. */
  networks: FaceNetworks;
  /** Intermediate results, once there are any. */
  folder: RunFolder | null;
}
