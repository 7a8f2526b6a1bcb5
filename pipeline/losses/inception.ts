/**
 * The Inception-v3 network of December 2015, whose last maps' means the Fréchet
 * distance (FID) compares (Szegedy et al. 2016; Heusel et al. 2017).
 *
 * Names are those of NVIDIA's translation of the TensorFlow graph
 * (`inception-2015-12-05.pt` of StyleGAN2-ADA); those of pytorch-fid and
 * torch-fidelity (`pt_inception-2015-12-05-6726825d.pth`) are understood too.
 *
 * @module
 */
import {
  affine,
  avgPool2d,
  concat,
  type Device,
  interpolate,
  maxPool2d,
  mean,
  type Tensor,
} from "../../engine/mod.ts";
import {
  convolution,
  type NetworkWeights,
  releaseLayers,
  uploadLayers,
} from "../networks/layers.ts";
import {
  foldedLayer,
  NetworkState,
  type StateDict,
} from "../networks/network_state.ts";
import { inceptionNames } from "./inception_names.ts";

/** Side of the pictures that the network sees. */
const SIDE = 299;
/** Epsilon of its normalisations. */
const EPSILON = 1e-3;

/** A convolution: its name, and how much it pads above and below, left and right. */
type Layer = readonly [name: string, rows?: number, columns?: number];

/** One after the other. */
type Tower = readonly Layer[];

/** What layers of a block have given, for towers that begin alike. */
type Done = Map<string, Tensor>;

const LINE: readonly [Layer, Layer] = [["mixed_conv", 0, 1], [
  "mixed_conv_1",
  1,
  0,
]];

/** Blocks that keep the size: towers of convolutions, the last one behind a pool. */
const WIDE: Readonly<Record<string, readonly Tower[]>> = {
  // 5x5, and 3x3 twice
  a: [
    [["conv"]],
    [["tower.conv"], ["tower.conv_1", 2, 2]],
    [["tower_1.conv"], ["tower_1.conv_1", 1, 1], ["tower_1.conv_2", 1, 1]],
    [["tower_2.conv"]],
  ],
  // 7x7 as 1x7 and 7x1, once and twice
  c: [
    [["conv"]],
    [["tower.conv"], ["tower.conv_1", 0, 3], ["tower.conv_2", 3, 0]],
    [
      ["tower_1.conv"],
      ["tower_1.conv_1", 3, 0],
      ["tower_1.conv_2", 0, 3],
      ["tower_1.conv_3", 3, 0],
      ["tower_1.conv_4", 0, 3],
    ],
    [["tower_2.conv"]],
  ],
  // 1x3 beside 3x1, behind 1x1 and behind 3x3
  e: [
    [["conv"]],
    ...LINE.map(([name, ...padding]): Tower => [
      ["tower_conv"],
      [`tower_${name}`, ...padding],
    ]),
    ...LINE.map(([name, ...padding]): Tower => [
      ["tower_1_conv"],
      ["tower_1_conv_1", 1, 1],
      [`tower_1_${name}`, ...padding],
    ]),
    [["tower_2_conv"]],
  ],
};

/** Blocks that halve the size: the last convolution of each tower by stride 2, and a pool beside them. */
const HALVING: Readonly<Record<string, readonly Tower[]>> = {
  b: [
    [["conv"]],
    [["tower.conv"], ["tower.conv_1", 1, 1], ["tower.conv_2"]],
  ],
  d: [
    [["tower.conv"], ["tower.conv_1"]],
    [
      ["tower_1.conv"],
      ["tower_1.conv_1", 0, 3],
      ["tower_1.conv_2", 3, 0],
      ["tower_1.conv_3"],
    ],
  ],
};

/** Blocks in order, by kind. */
const BLOCKS = "aaabccccdee".split("").map((kind, k) => ({
  kind,
  name: k === 0 ? "layers.mixed" : `layers.mixed_${k}`,
}));

/** Convolutions before the first block; a pool follows the third and the last. */
const STEM = ["", "_1", "_2", "_3", "_4"].map((k) => `layers.conv${k}`);

/** The network on a device; see {@linkcode loadInception}. */
export class Inception {
  readonly #weights: NetworkWeights;

  /** Use {@linkcode loadInception}. */
  constructor(device: Device, state: NetworkState) {
    const inBlocks = BLOCKS.flatMap(({ kind, name }) =>
      (WIDE[kind] ?? HALVING[kind]).flat()
        .map(([layer]) => `${name}.${layer}`)
    );
    this.#weights = uploadLayers(
      device,
      [...STEM, ...new Set(inBlocks)].map((name) =>
        foldedLayer(state, name, `${name}.norm`, EPSILON)
      ),
    );
  }

  /**
   * What FID compares.
   *
   * @param pictures (N, 3, H, W) in [0, 255], RGB
   * @returns (N, 2048)
   */
  features(pictures: Tensor): Tensor {
    const seen = interpolate(pictures, [SIDE, SIDE], { mode: "asymmetric" });
    return this.featuresOf(affine(seen, 1 / 128, -1));
  }

  /**
   * The same for what the network itself takes.
   *
   * @param x (N, 3, 299, 299) in [-1, 1); other sizes from 75 on work
   */
  featuresOf(x: Tensor): Tensor {
    const weights = this.#weights, [first, second, third, ...rest] = STEM;
    let y = convolution(weights, first, x, { stride: 2, act: "relu" });
    y = convolution(weights, second, y, { act: "relu" });
    y = convolution(weights, third, y, { padding: 1, act: "relu" });
    y = halve(y);
    for (const name of rest) y = convolution(weights, name, y, { act: "relu" });
    y = halve(y);
    for (const block of BLOCKS) y = this.#block(block, y);
    return mean(y, { axes: [2, 3] });
  }

  #block({ kind, name }: typeof BLOCKS[number], x: Tensor): Tensor {
    const done: Done = new Map();
    if (kind in HALVING) {
      const towers = HALVING[kind].map((t) => this.#tower(name, t, x, 2, done));
      return concat([...towers, halve(x)], 1);
    }
    const around = { kernel: 3, stride: 1, padding: 1 } as const;
    const last = name === BLOCKS.at(-1)!.name;
    const pooled = last ? maxPool2d(x, around) : avgPool2d(x, around);
    const towers = WIDE[kind].map((tower, k) => {
      const from = k === WIDE[kind].length - 1 ? pooled : x;
      return this.#tower(name, tower, from, 1, done);
    });
    return concat(towers, 1);
  }

  /** Convolutions one after the other, the last one by the given stride. */
  #tower(
    block: string,
    tower: Tower,
    x: Tensor,
    stride: number,
    done: Done,
  ): Tensor {
    let y = x;
    tower.forEach(([name, rows = 0, columns = 0], k) => {
      y = done.get(name) ?? convolution(this.#weights, `${block}.${name}`, y, {
        stride: k === tower.length - 1 ? stride : 1,
        padding: [rows, rows, columns, columns],
        act: "relu",
      });
      done.set(name, y);
    });
    return y;
  }

  /** Frees the weights. */
  [Symbol.dispose](): void {
    releaseLayers(this.#weights);
  }
}

const halve = (x: Tensor) => maxPool2d(x, { kernel: 3, stride: 2 });

/**
 * Uploads the network. Its weights belong to the scope that is open, or else
 * to the caller.
 *
 * @param source what to call it in messages
 * @throws {WeightsError} when a parameter is missing
 */
export function loadInception(
  device: Device,
  state: StateDict,
  source: string = "the weights of Inception-v3",
): Inception {
  return new Inception(
    device,
    new NetworkState(source, inceptionNames(state)),
  );
}
