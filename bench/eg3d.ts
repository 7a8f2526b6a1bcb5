/**
 * Rows of the benchmark for the published generator in full size: 512 px, 128^2 rays of 48 + 48 samples, 30.7 M
 * parameters. Its weights are made up by formula: time does not depend on them.
 *
 * @module
 */
import {
  Adam,
  add,
  type Device,
  gradients,
  mean,
  square,
  subtract,
  sum,
  type Tensor,
} from "../engine/mod.ts";
import { planes } from "../pipeline/generator/backbone.ts";
import { sphereCamera } from "../pipeline/generator/cameras.ts";
import {
  rawPicture,
  synthesis,
  view,
} from "../pipeline/generator/generator.ts";
import { mapping } from "../pipeline/generator/mapping.ts";
import { RandomState } from "../pipeline/generator/random_state.ts";
import { render } from "../pipeline/generator/renderer/renderer.ts";
import {
  type Generator,
  loadGenerator,
  tunable,
} from "../pipeline/generator/state.ts";
import { superresolve } from "../pipeline/generator/superresolution.ts";
import { ALEXNET_CHANNELS } from "../pipeline/losses/lpips/alexnet.ts";
import { loadLpips, type Lpips } from "../pipeline/losses/lpips/lpips.ts";
import { eg3dConfig, type GeneratorConfig } from "../weights/mod.ts";
import {
  eg3dShapes,
  eg3dWeightsByRule,
} from "../tests/support/eg3d_by_rule.ts";
import { weightsByRule } from "../tests/support/formula_weights.ts";
import type { Row } from "./measure.ts";

/** Ranges in which activations neither vanish nor explode. */
const RULE =
  "state name -> scale, shift: affine.bias .3,1; mapping.fc*.weight 173.2; *.noise_const 1.732; *.noise_strength .1; *.bias .1; mapping.w_avg .2; other weight and const 1.732";

const SIZES = {
  z_dim: 512,
  w_dim: 512,
  neural_rendering_resolution: 128,
  rendering_kwargs: {
    superresolution_module: "SuperresolutionHybrid8XDC",
    c_scale: 1,
    sr_antialias: true,
    depth_resolution: 48,
    depth_resolution_importance: 48,
    ray_start: 2.25,
    ray_end: 3.3,
    box_warp: 1,
  },
};

/** Shapes of AlexNet's convolutions under the names of LPIPS. */
const ALEXNET = {
  "slice1.0.weight": [64, 3, 11, 11],
  "slice2.3.weight": [192, 64, 5, 5],
  "slice3.6.weight": [384, 192, 3, 3],
  "slice4.8.weight": [256, 384, 3, 3],
  "slice5.10.weight": [256, 256, 3, 3],
};

interface Scene {
  device: Device;
  generator: Generator;
  z: Tensor;
  w: Tensor;
  camera: Tensor;
}

function openScene(device: Device): Scene {
  const shapes = eg3dShapes(SIZES);
  const config = eg3dConfig({
    source: "the full-size generator",
    shapes: new Map(Object.entries(shapes)),
    renderingKwargs: SIZES.rendering_kwargs,
    neuralRenderingResolution: SIZES.neural_rendering_resolution,
  });
  const tensors = eg3dWeightsByRule(RULE, shapes, "bench.");
  const generator = loadGenerator(device, { config, tensors });
  const z = device.tensor(new RandomState(0).normals(512), [1, 512]);
  const camera = device.tensor(sphereCamera(config, 10), [1, 25]);
  const w = mapping(generator, z, camera).detach();
  return { device, generator, z, w, camera };
}

/** LPIPS with AlexNet, its weights made up as well. */
function openLpips(device: Device): Lpips {
  const keys: Record<string, number[]> = {};
  for (const [name, shape] of Object.entries(ALEXNET)) {
    keys[name] = shape;
    keys[name.replace("weight", "bias")] = [shape[0]];
  }
  const rule = "weights: bias -> scale .1; other -> scale sqrt(6/fan_in)";
  const state = weightsByRule(rule, keys, "bench.");
  ALEXNET_CHANNELS.forEach((channels, k) =>
    state.set(`lin${k}`, {
      shape: [1, channels, 1, 1],
      data: new Float32Array(channels).fill(0.1),
    })
  );
  return loadLpips(device, "alex", state);
}

/** Multiplications and additions of the definition. */
function operations(config: GeneratorConfig) {
  const conv = (from: number, to: number, side: number) =>
    2 * 9 * from * to * side * side;
  const toRgb = (from: number, to: number, side: number) =>
    2 * from * to * side * side;
  let backbone = 0, before = 0;
  for (const [side, to] of Object.entries(config.channels)) {
    const size = Number(side), out = 3 * config.plane_channels;
    if (before > 0) backbone += conv(before, to, size / 2);
    backbone += conv(to, to, size) + toRgb(to, out, size);
    before = to;
  }
  let upscaling = 0, channels = config.decoder_output;
  for (const block of config.superresolution.blocks) {
    const { resolution, up, channels: to } = block;
    upscaling += conv(channels, to, resolution / up) +
      conv(to, to, resolution) + toRgb(to, 3, resolution);
    channels = to;
  }
  const rays = config.neural_rendering_resolution ** 2;
  const hidden = config.decoder_hidden, features = config.plane_channels;
  const coarse = config.depth_resolution;
  const all = coarse + config.depth_resolution_importance;
  const decoder = 2 * rays * hidden *
    (coarse * (features + 1) + all * (features + 1 + config.decoder_output));
  const map = 2 * (25 * 512 + 1024 * 512 + 512 * 512);
  return { map, backbone, decoder, upscaling };
}

const FLOPS = operations(
  eg3dConfig({
    source: "the full-size generator",
    shapes: new Map(Object.entries(eg3dShapes(SIZES))),
    renderingKwargs: SIZES.rendering_kwargs,
    neuralRenderingResolution: SIZES.neural_rendering_resolution,
  }),
);
const FRAME = FLOPS.backbone + FLOPS.decoder + FLOPS.upscaling;

function row(
  name: string,
  flops: number,
  job: (scene: Scene) => () => void,
): Row {
  return {
    group: "eg3d",
    name: `EG3D 512 px: ${name}`,
    operations: flops,
    slow: true,
    prepare: (device) => job(openScene(device)),
  };
}

/** One that notes no derivative. */
function forward(
  name: string,
  flops: number,
  prepare: (scene: Scene) => () => void,
): Row {
  return row(name, flops, (scene) => {
    const job = scene.device.withoutTape(() => prepare(scene));
    return () => scene.device.withoutTape(job);
  });
}

/** One step along the gradient of LPIPS and the mean squared error. */
function step(scene: Scene, parameters: Tensor[]): () => void {
  const { device, generator, w, camera } = scene;
  const lpips = openLpips(device), adam = new Adam(parameters);
  const target = device.full([1, 3, 512, 512], 0.1);
  const wanted = device.withoutTape(() => lpips.unit(target));
  return () => {
    const { image } = synthesis(generator, w, camera);
    const loss = add(
      sum(lpips.distance(image, wanted)),
      mean(square(subtract(image, target))),
    );
    // so small a rate that every run does the same work
    adam.step(gradients(loss, parameters), 1e-9);
  };
}

/** Rows of the published generator. */
export const eg3dRows: readonly Row[] = [
  forward(
    "mapping",
    FLOPS.map,
    ({ generator, z, camera }) => () => mapping(generator, z, camera),
  ),
  forward(
    "planes",
    FLOPS.backbone,
    ({ generator, w }) => () => planes(generator, w),
  ),
  forward("render", FLOPS.decoder, ({ generator, w, camera }) => {
    const flat = planes(generator, w);
    return () => render(generator, flat, camera);
  }),
  forward("superresolution", FLOPS.upscaling, ({ generator, w, camera }) => {
    const seen = render(generator, planes(generator, w), camera);
    const raw = rawPicture(seen);
    return () => superresolve(generator, raw, seen.features, w);
  }),
  forward(
    "frame from cached planes",
    FLOPS.decoder + FLOPS.upscaling,
    ({ generator, w, camera }) => {
      const flat = planes(generator, w);
      return () => view(generator, flat, w, camera);
    },
  ),
  forward(
    "frame from w",
    FRAME,
    ({ generator, w, camera }) => () => synthesis(generator, w, camera),
  ),
  // the data's gradient costs as much as the forward pass, the weights' once more
  row(
    "inversion step",
    2 * FRAME,
    (scene) => step(scene, [scene.w.track()]),
  ),
  row("tuning step", 3 * FRAME, (scene) => {
    const weights = [...tunable(scene.generator).values()];
    return step(scene, weights.map((t) => t.track()));
  }),
];
