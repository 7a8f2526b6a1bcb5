/**
 * Rows of the benchmark for steps of training the default generator. The heads
 * that it learns from are its own, so that no files are needed; drawing them is
 * not counted. Heads per second are 1000 over the milliseconds, times the heads
 * of a step.
 *
 * @module
 */
import { type Device, normals } from "../engine/mod.ts";
import { sphereCamera } from "../pipeline/generator/cameras.ts";
import { loadGenerator } from "../pipeline/generator/state.ts";
import { loadFaceFeatures } from "../pipeline/losses/networks.ts";
import { drawHead } from "../training/heldout.ts";
import { Learner } from "../training/learner.ts";
import { defaultTrainOptions } from "../training/options.ts";
import { attention } from "../training/rays.ts";
import type { ShelvedHead } from "../training/shelf.ts";
import { differentiate } from "../training/step.ts";
import { type GeneratorConfig, loadMannequin } from "../weights/mod.ts";
import type { Row } from "./measure.ts";

const weights = await loadMannequin();
const { rays, precision } = defaultTrainOptions();

/** One head, as the generator draws it. */
async function ownHead(device: Device): Promise<ShelvedHead> {
  const { config } = weights, side = config.img_resolution;
  const z = normals(1, 0, config.z_dim), labels = sphereCamera(config, 20);
  const generator = loadGenerator(device, weights);
  const [{ image }] = await drawHead(device, generator, z, labels);
  const shots = {
    heads: 1,
    views: 1,
    side,
    z,
    labels,
    picture: image,
    opacity: new Float32Array(side ** 2).fill(1),
    distance: new Float32Array(side ** 2).fill(2.5),
  };
  return { shots, attention: [attention(shots, 0)] };
}

/**
 * Multiplications and additions of a step: those of convolutions, of the
 * decoder at all samples, and twice as many backwards. Styles, filters, the
 * march and Adam are not counted, nor is the network that compares pictures.
 */
function stepOperations(
  config: GeneratorConfig,
  heads: number,
  piece: number,
): number {
  const sides = Object.keys(config.channels).map(Number).sort((a, b) => a - b);
  const planes = sides.reduce((sum, side, k) => {
    const own = config.channels[side], before = config.channels[sides[k - 1]];
    const up = k > 0 ? (side / 2) ** 2 * 9 * before * own : 0;
    const torgb = side ** 2 * own * 3 * config.plane_channels;
    return sum + up + side ** 2 * 9 * own * own + torgb;
  }, 0);
  const { superresolution, decoder_hidden: hidden } = config;
  let from = config.decoder_output, side = piece, enlarged = 0;
  for (const { up, channels } of superresolution.blocks) {
    enlarged += side ** 2 * 9 * from * channels;
    side *= up;
    enlarged += side ** 2 * 9 * channels * channels;
    from = channels;
  }
  const decoder = (outputs: number) =>
    hidden * (config.plane_channels + outputs);
  const along = (outputs: number) =>
    config.depth_resolution * decoder(1) +
    3 * (config.depth_resolution + config.depth_resolution_importance) *
      decoder(outputs);
  const looked = rays * along(4) +
    piece ** 2 * along(1 + config.decoder_output);
  return 2 * heads * (3 * (planes + enlarged) + looked);
}

/** A step on so many heads; every second one sees a piece of `piece` x `piece` rays as well. */
function row(heads: number, piece: number): Row {
  const { config } = weights, whole = piece > 0 ? " and a piece" : "";
  return {
    group: "training",
    name: `training step: ${heads} head, ${rays} rays${whole}, Adam`,
    operations: stepOperations(config, heads, piece),
    prepare: async (device) => {
      const head = await ownHead(device),
        learner = new Learner(device, weights);
      const network = await loadFaceFeatures(device);
      const all = new Array<ShelvedHead>(heads).fill(head);
      const options = { seed: 0, rays, pointShares: 0, precision };
      return () => {
        const { gradients } = differentiate(
          device,
          learner.generator,
          learner.parameters,
          all,
          network,
          piece > 0 ? 1 : 0,
          options,
        );
        // so small a rate that every run does the same work
        learner.step(gradients, 1e-9);
      };
    },
  };
}

/** Rows of training steps. */
export const trainingRows: readonly Row[] = [
  row(1, 0),
  row(1, weights.config.neural_rendering_resolution / 2),
];
