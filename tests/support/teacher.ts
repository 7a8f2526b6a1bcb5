/** A studio whose heads are those of a generator: what another one learns from in tests. */
import {
  affine,
  clamp,
  type Device,
  interpolate,
  subtract,
  type Tensor,
} from "../../engine/mod.ts";
import { synthesis } from "../../pipeline/generator/generator.ts";
import { mapping } from "../../pipeline/generator/mapping.ts";
import {
  type Generator,
  loadGenerator,
} from "../../pipeline/generator/state.ts";
import type {
  DescribedHeads,
  HeadBatch,
  HeadStudio,
} from "../../training/heads/interface.ts";
import { backdropDistance, IN_FRONT } from "../../training/heldout.ts";
import { rayOf } from "../../training/rays.ts";
import type { GeneratorWeights } from "../../weights/mod.ts";

/** Units of distance over which a silhouette is soft, as their inverse. */
const SHARP = 1e6;

/** A generator that poses as a studio. */
export class Teacher implements HeadStudio {
  readonly generator: Generator;
  readonly latent: number;
  readonly #device: Device;
  /** Pictures drawn. */
  drawn = 0;
  /** Called when pictures have been drawn. */
  onDraw: () => void = () => {};

  constructor(device: Device, weights: GeneratorWeights) {
    this.#device = device;
    this.latent = weights.config.z_dim;
    this.generator = device.unscoped(() => loadGenerator(device, weights));
  }

  render(z: Float32Array, labels: Float32Array, side: number): HeadBatch {
    const device = this.#device, count = labels.length / 25;
    this.drawn += count;
    this.onDraw();
    return device.withoutTape(() => {
      const latents = device.tensor(z, [count, z.length / count]);
      const cameras = device.tensor(labels, [count, 25]);
      const ws = mapping(this.generator, latents, cameras);
      const { image, depth } = synthesis(this.generator, ws, cameras);
      const inFront = subtract(this.#ends(labels, depth), depth);
      const sized = (x: Tensor, mode: "area" | "nearest") =>
        interpolate(x, [side, side], { mode });
      const distance = sized(depth, "nearest");
      return {
        z: latents,
        labels: cameras,
        picture: sized(image, "area"),
        opacity: sized(clamp(affine(inFront, SHARP), 0, 1), "nearest"),
        distance,
      };
    });
  }

  /** Where each ray meets the backdrop, less what counts as the head still. */
  #ends(labels: Float32Array, { shape }: Tensor): Tensor {
    const side = shape[3], { box_warp } = this.generator.config;
    const ends = Array.from({ length: shape[0] * side ** 2 }, (_, k) => {
      const label = labels.slice(25 * Math.floor(k / side ** 2)).slice(0, 25);
      return backdropDistance(rayOf(label, side, k % side ** 2), box_warp);
    });
    return this.#device.tensor(ends.map((end) => end - IN_FRONT), shape);
  }

  describe(z: Float32Array): DescribedHeads {
    return { width: this.generator.config.z_dim, values: z };
  }

  close(): void {
    for (const tensor of this.generator.state.values()) tensor.release();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
