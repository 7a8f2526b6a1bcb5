/**
 * @file EG3D's checkpoints: a dict of networks (`G`, `D`, `G_ema` and what they were trained with), or one network by
 * itself, as tuning saves it. Networks are plain data here; the source text that they carry is never run.
 * Source: torch_utils/persistence.py and training/training_loop.py of EG3D.
 */
import { WeightsError } from "../errors.ts";
import type { CheckpointTensor } from "./checkpoint_tensor.ts";
import { keyText, PythonObject, type Value } from "./pickle/values.ts";
import { isModule, stateDict } from "./state_dict.ts";

/** A network of a checkpoint. */
export interface Eg3dModule {
  /** Its class, such as `TriPlaneGenerator` or, in the release before the public one, `SRPosedGenerator`. */
  readonly className: string;
  /** Parameters and buffers by state name. */
  readonly state: ReadonlyMap<string, CheckpointTensor>;
  /** Its own attributes, such as `rendering_kwargs`, `neural_rendering_resolution`, `_init_kwargs`. */
  readonly attributes: ReadonlyMap<string, Value>;
  /** A submodule by path, such as `backbone.synthesis.b8.conv0`; attributes that are objects count as well. */
  module(path: string): PythonObject | undefined;
}

/**
 * A network of a checkpoint's content: the entry `which` of a dict of networks, or the network that it is.
 * @throws {WeightsError} When there is no such network.
 */
export function eg3dModule(
  { root, source }: { readonly root: Value; readonly source: string },
  which = "G_ema",
): Eg3dModule {
  const found = root instanceof Map ? root.get(which) : root;
  if (found === undefined || !isModule(found)) {
    throw new WeightsError(
      `${source} has no network ${which}${
        root instanceof Map ? ` but ${listKeys(root)}` : ""
      }: give a checkpoint of EG3D.`,
    );
  }
  return {
    className: found.shortName,
    state: stateDict(found),
    attributes: found.attributes,
    module: (path) => findModule(found, path),
  };
}

function findModule(
  root: PythonObject,
  path: string,
): PythonObject | undefined {
  let module: Value | undefined = root;
  for (const name of path.split(".").filter((part) => part !== "")) {
    if (!(module instanceof PythonObject)) return undefined;
    const modules: Value | undefined = module.attributes.get("_modules");
    module = (modules instanceof Map ? modules.get(name) : undefined) ??
      module.attributes.get(name);
  }
  return module instanceof PythonObject ? module : undefined;
}

function listKeys(dict: Map<Value, Value>): string {
  const some = [...dict.keys()].slice(0, 8);
  return some.map((key) => keyText(key).slice(0, 60)).join(", ") || "nothing";
}
