/** DECA's networks against float64, with few channels. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  gradients,
  multiply,
  openDevice,
  sum,
  type Tensor,
} from "../engine/mod.ts";
import { type NumberArray, relativeError } from "../engine/ops/conformance.ts";
import { interpolateReference } from "../engine/ops/interpolate.reference.ts";
import {
  DECA_CODE_LENGTH,
  decaParts,
  loadDecaEncoder,
} from "../pipeline/transfer/deca/encoder.ts";
import { loadDetailDecoder } from "../pipeline/transfer/deca/detail.ts";
import { WeightsError } from "../weights/mod.ts";
import {
  dense,
  layer,
  means,
  norm,
  numbers,
  perChannel,
  plus,
  pooled,
  putLayer,
  putNorm,
  relu,
  type State,
} from "./support/float64_layers.ts";
import { slopeError } from "./support/slopes.ts";

async function assertClose(
  found: Tensor,
  wanted: NumberArray,
  tolerance = 1e-5,
): Promise<void> {
  assertEquals([...found.shape], wanted.shape);
  const error = relativeError(await found.data(), wanted.data);
  assert(error < tolerance, `${error}`);
}

// Encoder

/** Channels that a stage's bottlenecks work with and give; the network has 64 and 256 first. */
const WIDTHS = [[2, 3], [2, 4], [3, 4], [3, 5]];
const BOTTLENECKS = [3, 4, 6, 3].flatMap((count, stage) =>
  Array.from({ length: count }, (_, k) => ({
    name: `encoder.layer${stage + 1}.${k}`,
    inputs: k > 0 ? WIDTHS[stage][1] : stage > 0 ? WIDTHS[stage - 1][1] : 3,
    within: WIDTHS[stage][0],
    outputs: WIDTHS[stage][1],
    first: k === 0,
    stride: k === 0 && stage > 0 ? 2 : 1,
  }))
);

function thinEncoder(): State {
  const state: State = new Map();
  const folded = (name: string, normName: string, shape: number[]) => {
    putLayer(state, name, shape, false);
    putNorm(state, normName, shape[0]);
  };
  folded("encoder.conv1", "encoder.bn1", [3, 3, 7, 7]);
  for (const { name, inputs, within, outputs, first } of BOTTLENECKS) {
    folded(`${name}.conv1`, `${name}.bn1`, [within, inputs, 1, 1]);
    folded(`${name}.conv2`, `${name}.bn2`, [within, within, 3, 3]);
    folded(`${name}.conv3`, `${name}.bn3`, [outputs, within, 1, 1]);
    if (!first) continue;
    const shortcut = `${name}.downsample`;
    folded(`${shortcut}.0`, `${shortcut}.1`, [outputs, inputs, 1, 1]);
  }
  putLayer(state, "layers.0", [7, 5]);
  putLayer(state, "layers.2", [DECA_CODE_LENGTH, 7]);
  return state;
}

function encoderReference(state: State, pictures: NumberArray): NumberArray {
  const folded = (
    name: string,
    normName: string,
    x: NumberArray,
    options = {},
  ) => norm(state, normName, layer(state, name, x, options));
  const stem = { padding: 3, stride: 2 };
  let x = relu(folded("encoder.conv1", "encoder.bn1", pictures, stem));
  x = pooled(x, { kernel: 3, stride: 2, padding: 1 });
  for (const { name, first, stride } of BOTTLENECKS) {
    let y = relu(folded(`${name}.conv1`, `${name}.bn1`, x));
    const middle = { padding: 1, stride };
    y = relu(folded(`${name}.conv2`, `${name}.bn2`, y, middle));
    y = folded(`${name}.conv3`, `${name}.bn3`, y);
    const shortcut = `${name}.downsample`;
    x = relu(plus(
      y,
      first ? folded(`${shortcut}.0`, `${shortcut}.1`, x, { stride }) : x,
    ));
  }
  const { shape: [n, c], data } = means(x);
  const hidden = relu(dense(state, "layers.0", { shape: [n, c], data }));
  return dense(state, "layers.2", hidden);
}

Deno.test("DECA's encoder agrees with float64 in codes and gradient", async () => {
  using device = await openDevice({ poison: true });
  const state = thinEncoder(), encoder = loadDecaEncoder(device, state);
  const pictures = numbers("pictures", [2, 3, 64, 64], 0.5, 0.5);
  const x = device.tensor(pictures.data, pictures.shape).track();
  const codes = encoder.codes(x), wanted = encoderReference(state, pictures);
  await assertClose(codes, wanted);
  const cotangent = numbers("cotangent", wanted.shape);
  const weighted = device.tensor(cotangent.data, cotangent.shape);
  const [gradient] = gradients(sum(multiply(codes, weighted)), [x]);
  const error = slopeError(
    (at) =>
      encoderReference(state, at).data
        .reduce((total, v, k) => total + v * cotangent.data[k], 0),
    pictures,
    await gradient.data(),
    1,
  );
  assert(error < 1e-3, `${error}`);
});

Deno.test("DECA's code is shape, albedo, expression, pose, camera and light in this order", async () => {
  using device = await openDevice();
  const codes = device.tensor(Array.from({ length: 472 }, (_, k) => k), [
    2,
    236,
  ]);
  const parts = decaParts(codes);
  const first = await device.read(...Object.values(parts));
  assertEquals(
    Object.keys(parts).map((name, k) => [name, first[k][0]]),
    [["shape", 0], ["tex", 100], ["exp", 150], ["pose", 200], ["cam", 206], [
      "light",
      209,
    ]],
  );
  assertEquals(parts.light.shape, [2, 27]);
});

Deno.test("a missing weight of DECA is named with its file", async () => {
  using device = await openDevice();
  const state = thinEncoder();
  state.delete("encoder.layer3.5.bn2.running_var");
  assertThrows(
    () => loadDecaEncoder(device, state, "E_flame of deca_model.tar"),
    WeightsError,
    "E_flame of deca_model.tar has no parameter encoder.layer3.5.bn2.running_var",
  );
  state.set("encoder.layer3.5.bn2.running_var", {
    shape: [1],
    data: new Float32Array(1),
  });
  assertThrows(() => loadDecaEncoder(device, state), WeightsError, "shape");
});

// Decoder of details

const DETAIL = [[2, 2], [6, 3], [10, 2], [14, 3], [18, 2]];

function thinDecoder(): State {
  const state: State = new Map();
  putLayer(state, "l1.0", [2 * 64, 5]);
  putNorm(state, "conv_blocks.0", 2);
  let inputs = 2;
  for (const [k, outputs] of DETAIL) {
    putLayer(state, `conv_blocks.${k}`, [outputs, inputs, 3, 3]);
    putNorm(state, `conv_blocks.${k + 1}`, outputs);
    inputs = outputs;
  }
  putLayer(state, "conv_blocks.21", [1, inputs, 3, 3]);
  return state;
}

Deno.test("DECA's decoder of details agrees with float64", async () => {
  using device = await openDevice({ poison: true });
  const state = thinDecoder(), decoder = loadDetailDecoder(device, state);
  const latent = numbers("latent", [1, 5]);
  const start = dense(state, "l1.0", latent).data;
  let x = norm(state, "conv_blocks.0", { shape: [1, 2, 8, 8], data: start });
  for (const [k] of DETAIL) {
    const side = 2 * x.shape[2];
    x = layer(
      state,
      `conv_blocks.${k}`,
      interpolateReference(x, [side, side], {}),
      { padding: 1 },
    );
    x = norm(state, `conv_blocks.${k + 1}`, x, 0.8);
    x = perChannel(x, (v) => v > 0 ? v : 0.2 * v);
  }
  x = layer(state, "conv_blocks.21", x, { padding: 1 });
  const wanted = perChannel(x, (v) => 0.01 * Math.tanh(v));
  assertEquals(wanted.shape, [1, 1, 256, 256]);
  const found = decoder.displacement(device.tensor(latent.data, [1, 5]));
  await assertClose(found, wanted, 2e-5);
});
