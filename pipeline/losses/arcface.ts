/**
 * ArcFace: who a face is, as a direction in 512 dimensions (Deng et al. 2019),
 * by the network IR-SE50 under the names of its published state dict
 * (`model_ir_se50.pth` of InsightFace_Pytorch, which pSp and PTI use).
 *
 * @module
 */
import {
  add,
  type Device,
  divide,
  maxPool2d,
  mean,
  multiply,
  prelu,
  reshape,
  sqrt,
  sum,
  sumOfSquares,
  type Tensor,
} from "../../engine/mod.ts";
import {
  channelAffine,
  convolution,
  linear,
  type NetworkWeights,
  releaseLayers,
  uploadLayers,
} from "../networks/layers.ts";
import {
  batchNorm,
  foldedLayer,
  NetworkState,
  type Parameters,
  plainLayer,
  type StateDict,
} from "../networks/network_state.ts";

/** Side of the faces that the network was trained on, in pixels. */
export const ARCFACE_SIDE = 112;

/** One residual unit of the body. */
interface Unit {
  name: string;
  stride: number;
  /** Whether its number of channels differs from that of the unit before. */
  widens: boolean;
}

/** Units of each stage; the first of a stage halves the picture. */
const STAGES = [3, 4, 14, 3] as const;

const UNITS: readonly Unit[] = STAGES
  .flatMap((count, stage) =>
    Array.from({ length: count }, (_, k) => ({ stage, first: k === 0 }))
  )
  .map(({ stage, first }, k) => ({
    name: `body.${k}`,
    stride: first ? 2 : 1,
    // the first stage keeps the 64 channels of the input layer
    widens: first && stage > 0,
  }));

/** ArcFace with its weights on a device; see {@linkcode loadArcFace}. */
export class ArcFace {
  readonly #weights: NetworkWeights;

  /** Use {@linkcode loadArcFace}. */
  constructor(device: Device, state: NetworkState) {
    this.#weights = uploadLayers(device, arcFaceLayers(state));
  }

  /**
   * Directions of faces; their scalar product is the cosine that identity is
   * measured by. Differentiable by the faces.
   *
   * @param faces (N, 3, 112, 112) in [-1, 1], RGB
   * @returns (N, 512), each of length 1
   */
  embedding(faces: Tensor): Tensor {
    const weights = this.#weights;
    let x = convolution(weights, "input_layer.0", faces, { padding: 1 });
    x = channelPrelu(weights, "input_layer.2", x);
    for (const each of UNITS) x = unit(weights, each, x);
    x = channelAffine(weights, "output_layer.0", x);
    const y = linear(weights, "output_layer.3", reshape(x, [x.shape[0], -1]));
    return divide(y, reshape(sqrt(sumOfSquares(y, 1)), [y.shape[0], 1]));
  }

  /** Frees the weights. */
  [Symbol.dispose](): void {
    releaseLayers(this.#weights);
  }
}

/**
 * Uploads IR-SE50. Its weights belong to the scope that is open, or else to
 * the caller.
 *
 * @param state parameters by their published names, such as `body.0.res_layer.1.weight`
 * @param source what to call it in messages
 * @throws {WeightsError} when a parameter is missing
 */
export function loadArcFace(
  device: Device,
  state: StateDict,
  source: string = "the weights of ArcFace",
): ArcFace {
  return new ArcFace(device, new NetworkState(source, state));
}

/**
 * Cosine of each pair of faces.
 *
 * @param a (N, 512) from {@linkcode ArcFace.embedding}
 * @param b the same, or (1, 512)
 * @returns (N)
 */
export function identityCosine(a: Tensor, b: Tensor): Tensor {
  return sum(multiply(a, b), { axes: [1] });
}

function arcFaceLayers(state: NetworkState): Parameters[] {
  const body = UNITS.flatMap(({ name, widens }) => {
    const layer = `${name}.res_layer`, shortcut = `${name}.shortcut_layer`;
    return [
      batchNorm(state, `${layer}.0`),
      plainLayer(state, `${layer}.1`),
      plainLayer(state, `${layer}.2`),
      foldedLayer(state, `${layer}.3`, `${layer}.4`),
      plainLayer(state, `${layer}.5.fc1`),
      plainLayer(state, `${layer}.5.fc2`),
      ...(widens ? [foldedLayer(state, `${shortcut}.0`, `${shortcut}.1`)] : []),
    ];
  });
  return [
    foldedLayer(state, "input_layer.0", "input_layer.1"),
    plainLayer(state, "input_layer.2"),
    ...body,
    batchNorm(state, "output_layer.0"),
    foldedLayer(state, "output_layer.3", "output_layer.4"),
  ];
}

/** shortcut(x) + SE(conv(PReLU(conv(norm(x))))). */
function unit(
  weights: NetworkWeights,
  { name, stride, widens }: Unit,
  x: Tensor,
): Tensor {
  const shortcut = widens
    ? convolution(weights, `${name}.shortcut_layer.0`, x, { stride })
    : stride > 1
    ? maxPool2d(x, { kernel: 1, stride })
    : x;
  const layer = `${name}.res_layer`;
  let y = channelAffine(weights, `${layer}.0`, x);
  y = convolution(weights, `${layer}.1`, y, { padding: 1 });
  y = channelPrelu(weights, `${layer}.2`, y);
  y = convolution(weights, `${layer}.3`, y, { padding: 1, stride });
  return add(shortcut, squeezeExcite(weights, `${layer}.5`, y));
}

/** x times a factor per channel that depends on the means of all channels (Hu et al. 2018). */
function squeezeExcite(
  weights: NetworkWeights,
  name: string,
  x: Tensor,
): Tensor {
  const means = mean(x, { axes: [2, 3], keep: true });
  const few = convolution(weights, `${name}.fc1`, means, { act: "relu" });
  return multiply(
    x,
    convolution(weights, `${name}.fc2`, few, { act: "sigmoid" }),
  );
}

/** x where positive, else `NAME.weight` (C) x. */
function channelPrelu(
  weights: NetworkWeights,
  name: string,
  x: Tensor,
): Tensor {
  return prelu(x, reshape(weights.get(`${name}.weight`)!, [-1, 1, 1]));
}
