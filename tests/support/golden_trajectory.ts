/**
 * Golden files of kind `trajectory`: a few steps of inversion and of tuning with the published losses and schedule.
 *
 * @module
 */
import {
  Adam,
  add,
  type Device,
  gradients,
  mean,
  multiply,
  reshape,
  square,
  subtract,
  sum,
  type Tensor,
} from "../../engine/mod.ts";
import { synthesis } from "../../pipeline/generator/generator.ts";
import {
  type Generator,
  loadGenerator,
  releaseGenerator,
  tunable,
} from "../../pipeline/generator/state.ts";
import { rateRamp } from "../../pipeline/inversion/schedule.ts";
import type { Lpips } from "../../pipeline/losses/lpips/lpips.ts";
import {
  readSafetensors,
  toFloat32,
} from "../../weights/formats/safetensors.ts";
import { eg3dByRule } from "./eg3d_by_rule.ts";
import { numbersOf } from "./golden_eg3d.ts";
import { relativeDistance } from "./golden_mannequin.ts";
import { goldenLpips } from "./golden_networks.ts";
import type { GoldenFile, GoldenResult } from "./goldens.ts";

/** Largest difference of a loss over the wanted one. */
const LOSS = 1e-2;
/**
 * Pictures and w: norm of the error over the norm. Adam's first steps move a weight by the whole rate whatever its
 * gradient; where that is near zero, rounding decides the direction.
 */
const RESULT = 2e-2;

/** `12 Adam steps on w (betas .9,.999), lr .025*ramp(i/12), ...`. */
interface Schedule {
  steps: number;
  rate: number;
}

function scheduleOf(text: string): Schedule {
  const steps = /(\d+) Adam steps/.exec(text),
    rate = /lr ([\d.e-]+)/.exec(text);
  if (!steps || !rate) throw new Error(`cannot read the schedule "${text}"`);
  return { steps: Number(steps[1]), rate: Number(rate[1]) };
}

/** Everything that both stages look at. */
interface Scene {
  generator: Generator;
  lpips: Lpips;
  target: Tensor;
  mask: Tensor;
  /** A picture from w, always with the same random numbers. */
  picture: (w: Tensor) => Tensor;
}

/** Runs both stages and compares their losses and results. */
export async function runTrajectory(
  device: Device,
  file: GoldenFile,
): Promise<GoldenResult[]> {
  using _scope = device.scope();
  const { metadata } = file.content;
  const generator = loadGenerator(device, eg3dByRule(metadata, file.path));
  try {
    const scene = await openScene(device, file, generator);
    const w = device.tensor(...shaped(metadata.w0, metadata.prefix));
    const first = scheduleOf(metadata.stage1);
    const inversion = await invert(device, scene, w.track(), first);
    const second = scheduleOf(metadata.stage2);
    const tuning = await tune(device, scene, w.detach(), second);
    const [found, image] = await device.read(
      w,
      device.withoutTape(() => scene.picture(w.detach())),
    );
    return [
      compareLosses("inversion_loss", inversion, file),
      compare("w", found, file),
      compareLosses("tuning_loss", tuning, file),
      compare("tuned_image", image, file),
    ];
  } finally {
    releaseGenerator(generator);
    device.trim();
  }
}

function shaped(text: string, prefix?: string): [Float32Array, number[]] {
  const { data, shape } = numbersOf(text, prefix);
  return [data, [shape[0], shape.at(-1)!]];
}

async function openScene(
  device: Device,
  file: GoldenFile,
  generator: Generator,
): Promise<Scene> {
  const { metadata, tensors } = file.content;
  const stored = (name: string) => {
    const { data, shape } = toFloat32(tensors.get(name)!);
    return device.tensor(data, shape);
  };
  const random = (name: string) => {
    const { data, shape } = numbersOf(metadata[name], metadata.prefix);
    const rays = name === "u" ? shape[0] : shape[1];
    return device.tensor(data, [1, rays, data.length / rays]);
  };
  const camera = stored("c");
  const noise = { jitter: random("jitter"), u: random("u") };
  return {
    generator,
    lpips: await besideLpips(device, file),
    target: stored("target"),
    mask: stored("mask"),
    picture: (w) => synthesis(generator, w, camera, { noise }).image,
  };
}

/** The network of the `lpips_alex.safetensors` in the same folder. */
async function besideLpips(device: Device, file: GoldenFile): Promise<Lpips> {
  const folder = file.path.slice(0, file.path.lastIndexOf("/") + 1);
  const path = `${folder}lpips_alex.safetensors`;
  const content = await readSafetensors(path);
  return goldenLpips(device, { path, kind: "lpips", content });
}

/** LPIPS and mean squared error of a picture to the target. */
function loss({ lpips }: Scene, picture: Tensor, target: Tensor): Tensor {
  const perceptual = sum(lpips.distance(picture, lpips.unit(target)));
  return add(
    reshape(perceptual, []),
    mean(square(subtract(picture, target))),
  );
}

async function invert(
  device: Device,
  scene: Scene,
  w: Tensor,
  { steps, rate }: Schedule,
): Promise<number[]> {
  using adam = new Adam([w]);
  const { mask } = scene, target = multiply(scene.target, mask);
  return await descend(
    device,
    adam,
    { steps, rate },
    () => loss(scene, multiply(scene.picture(w), mask), target),
  );
}

async function tune(
  device: Device,
  scene: Scene,
  w: Tensor,
  schedule: Schedule,
): Promise<number[]> {
  const weights = [...tunable(scene.generator).values()];
  using adam = new Adam(weights.map((t) => t.track()));
  return await descend(
    device,
    adam,
    schedule,
    () => loss(scene, scene.picture(w), scene.target),
  );
}

async function descend(
  device: Device,
  adam: Adam,
  { steps, rate }: Schedule,
  evaluate: () => Tensor,
): Promise<number[]> {
  const losses: number[] = [];
  for (let k = 0; k < steps; k++) {
    using _scope = device.scope();
    const now = evaluate();
    adam.step(gradients(now, adam.parameters), rate * rateRamp(k / steps));
    losses.push(await now.item());
  }
  return losses;
}

function compare(
  name: string,
  got: ArrayLike<number>,
  { content }: GoldenFile,
): GoldenResult {
  const error = relativeDistance(
    got,
    toFloat32(content.tensors.get(name)!).data,
  );
  return judged(name, error, RESULT);
}

function compareLosses(
  name: string,
  got: readonly number[],
  { content }: GoldenFile,
): GoldenResult {
  const wanted = toFloat32(content.tensors.get(name)!).data;
  const errors = Array.from(
    wanted,
    (value, k) => Math.abs((got[k] ?? NaN) - value) / Math.abs(value),
  );
  const error = errors.some(Number.isNaN) ? Infinity : Math.max(...errors);
  return judged(name, error, LOSS);
}

function judged(name: string, error: number, tolerance: number): GoldenResult {
  const failure = error <= tolerance
    ? null
    : `it is off by ${error.toExponential(1)}`;
  return { name, error, tolerance, failure };
}
