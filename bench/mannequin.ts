/**
 * Rows of the benchmark for whole steps of the default generator.
 *
 * @module
 */
import {
  Adam,
  type Device,
  gradients,
  mean,
  normals,
  square,
  subtract,
  type Tensor,
} from "../engine/mod.ts";
import { synthesis } from "../pipeline/generator/generator.ts";
import { mapping } from "../pipeline/generator/mapping.ts";
import {
  type Generator,
  loadGenerator,
  tunable,
} from "../pipeline/generator/state.ts";
import { loadMannequin } from "../weights/mod.ts";
import type { Row } from "./measure.ts";

/** A camera in front of the face. */
export const FRONTAL: readonly number[] = [
  ...[1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, 2.7, 0, 0, 0, 1],
  ...[4.2647, 0, 0.5, 0, 4.2647, 0.5, 0, 0, 1],
];

interface Scene {
  generator: Generator;
  w: Tensor;
  camera: Tensor;
  /** Picture that a step compares with: the generator's own for another w. */
  target: Tensor;
}

async function scene(device: Device): Promise<Scene> {
  const generator = loadGenerator(device, await loadMannequin());
  const camera = device.tensor(FRONTAL, [1, 25]);
  const width = generator.config.z_dim;
  const w = (seed: number) =>
    mapping(
      generator,
      device.tensor(normals(seed, 0, width), [1, width]),
      camera,
    );
  const target = synthesis(generator, w(2), camera).image.detach();
  return { generator, w: w(1).detach(), camera, target };
}

/** One step along the gradient of the mean square difference. */
function step({ generator, w, camera, target }: Scene, adam: Adam): void {
  const { image } = synthesis(generator, w, camera);
  const loss = mean(square(subtract(image, target)));
  // so small a rate that every run does the same work
  adam.step(gradients(loss, adam.parameters), 1e-9);
}

function row(
  name: string,
  job: (scene: Scene, device: Device) => () => void,
): Row {
  return {
    group: "mannequin",
    name,
    prepare: async (device) => job(await scene(device), device),
  };
}

/** Rows of whole steps. */
export const mannequinRows: readonly Row[] = [
  row("picture from w", ({ generator, w, camera }, device) => () => {
    device.withoutTape(() => synthesis(generator, w, camera));
  }),
  row("inversion step: picture, gradient of w, Adam", (all) => {
    const adam = new Adam([all.w.track()]);
    return () => step(all, adam);
  }),
  row("tuning step: picture, gradient of all weights, Adam", (all) => {
    const weights = [...tunable(all.generator).values()];
    const adam = new Adam(weights.map((p) => p.track()));
    return () => step(all, adam);
  }),
];
