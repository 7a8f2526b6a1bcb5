/**
 * Pantomime animates portraits: a photograph of a face follows the expressions and the head of a
 * performance. A 3-D aware generator is inverted on the photograph and tuned to it, all of it on
 * WebGPU in hand-written WGSL.
 *
 * ```ts
 * import { defaultAnimateOptions, runAnimate, silentContext } from "@pantomime/pantomime";
 *
 * await runAnimate(
 *   { ...defaultAnimateOptions(), source: "me.jpg", driving: "clip.gif", out: "result" },
 *   silentContext(),
 * );
 * ```
 *
 * This module is what a program that embeds Pantomime needs: the whole method, each of its stages,
 * and what they take. `@pantomime/pantomime/engine` is the tensor engine by itself, `/kernels` its
 * table of WGSL kernels, `/conformance` what holds kernels of one's own to double precision,
 * `/weights` the readers of weight files. See `examples/`.
 *
 * @module
 */
export * from "./pipeline/mod.ts";
export {
  Device,
  type DeviceOptions,
  EngineError,
  openDevice,
  Tensor,
  type TileProfile,
} from "./engine/mod.ts";
export {
  type GeneratorConfig,
  type GeneratorWeights,
  generatorWeights,
  type KnownModel,
  loadKnownModel,
  loadMannequin,
  readSafetensors,
  WeightsError,
} from "./weights/mod.ts";
