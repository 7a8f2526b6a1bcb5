/** ArcFace's network against float64, with few channels, and what it refuses. */
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertThrows,
} from "@std/assert";
import { gradients, openDevice, sum } from "../engine/mod.ts";
import { type NumberArray, relativeError } from "../engine/ops/conformance.ts";
import { identityCosine, loadArcFace } from "../pipeline/losses/arcface.ts";
import { WeightsError } from "../weights/mod.ts";
import {
  dense,
  layer,
  means,
  norm,
  numbers,
  plus,
  pooled,
  putLayer,
  putNorm,
  putSlopes,
  relu,
  slopes,
  type State,
} from "./support/float64_layers.ts";
import { slopeError } from "./support/slopes.ts";

/** Channels after the input layer and after each stage; the network has 64, 64, 128, 256, 512. */
const CHANNELS = [2, 2, 3, 4, 5];
const UNITS = [3, 4, 14, 3];
/** Side of the pictures of these tests; four stages halve it to 2. */
const SIDE = 32;

interface Unit {
  name: string;
  inputs: number;
  outputs: number;
  stride: number;
}

const BODY: Unit[] = UNITS.flatMap((count, stage) =>
  Array.from({ length: count }, (_, k) => ({
    inputs: CHANNELS[k === 0 ? stage : stage + 1],
    outputs: CHANNELS[stage + 1],
    stride: k === 0 ? 2 : 1,
  }))
).map((unit, k) => ({ name: `body.${k}`, ...unit }));

function thinArcFace(): State {
  const state: State = new Map();
  putLayer(state, "input_layer.0", [CHANNELS[0], 3, 3, 3], false);
  putNorm(state, "input_layer.1", CHANNELS[0]);
  putSlopes(state, "input_layer.2", CHANNELS[0]);
  for (const { name, inputs, outputs } of BODY) {
    const res = `${name}.res_layer`;
    putNorm(state, `${res}.0`, inputs);
    putLayer(state, `${res}.1`, [outputs, inputs, 3, 3], false);
    putSlopes(state, `${res}.2`, outputs);
    putLayer(state, `${res}.3`, [outputs, outputs, 3, 3], false);
    putNorm(state, `${res}.4`, outputs);
    putLayer(state, `${res}.5.fc1`, [2, outputs, 1, 1], false);
    putLayer(state, `${res}.5.fc2`, [outputs, 2, 1, 1], false);
    if (inputs === outputs) continue;
    const shortcut = `${name}.shortcut_layer`;
    putLayer(state, `${shortcut}.0`, [outputs, inputs, 1, 1], false);
    putNorm(state, `${shortcut}.1`, outputs);
  }
  putNorm(state, "output_layer.0", CHANNELS[4]);
  putLayer(state, "output_layer.3", [6, 4 * CHANNELS[4]]);
  putNorm(state, "output_layer.4", 6);
  return state;
}

function unitReference(state: State, unit: Unit, x: NumberArray): NumberArray {
  const { name, stride } = unit, res = `${name}.res_layer`;
  const shortcut = unit.inputs === unit.outputs
    ? pooled(x, { kernel: 1, stride })
    : norm(
      state,
      `${name}.shortcut_layer.1`,
      layer(state, `${name}.shortcut_layer.0`, x, { stride }),
    );
  let y = layer(state, `${res}.1`, norm(state, `${res}.0`, x), { padding: 1 });
  y = slopes(state, `${res}.2`, y);
  y = layer(state, `${res}.3`, y, { padding: 1, stride });
  y = norm(state, `${res}.4`, y);
  const few = relu(layer(state, `${res}.5.fc1`, means(y)));
  const gate = layer(state, `${res}.5.fc2`, few).data;
  const each = y.data.length / gate.length;
  const gated = y.data.map((v, k) =>
    v / (1 + Math.exp(-gate[Math.floor(k / each)]))
  );
  return plus(shortcut, { shape: y.shape, data: gated });
}

function arcFaceReference(state: State, faces: NumberArray): NumberArray {
  let x = layer(state, "input_layer.0", faces, { padding: 1 });
  x = slopes(state, "input_layer.2", norm(state, "input_layer.1", x));
  for (const unit of BODY) x = unitReference(state, unit, x);
  x = norm(state, "output_layer.0", x);
  const flat = {
    shape: [x.shape[0], x.data.length / x.shape[0]],
    data: x.data,
  };
  const y = norm(state, "output_layer.4", dense(state, "output_layer.3", flat));
  const lengths = Array.from(
    { length: y.shape[0] },
    (_, n) => Math.hypot(...y.data.subarray(6 * n, 6 * n + 6)),
  );
  const data = y.data.map((v, k) => v / lengths[Math.floor(k / 6)]);
  return { shape: y.shape, data };
}

const faces = numbers("faces", [2, 3, SIDE, SIDE]);

Deno.test("ArcFace's embeddings agree with float64 and have length 1", async () => {
  using device = await openDevice({ poison: true });
  const state = thinArcFace(), network = loadArcFace(device, state);
  const found = network.embedding(device.tensor(faces.data, faces.shape));
  const wanted = arcFaceReference(state, faces);
  assertEquals([...found.shape], wanted.shape);
  const data = await found.data();
  assert(relativeError(data, wanted.data) < 2e-5);
  assertAlmostEquals(Math.hypot(...data.subarray(0, 6)), 1, 1e-6);
  const own = await identityCosine(found, found).data();
  own.forEach((cosine) => assertAlmostEquals(cosine, 1, 1e-6));
});

Deno.test("the gradient of ArcFace's cosine agrees with differences in float64", async () => {
  using device = await openDevice({ poison: true });
  const state = thinArcFace(), network = loadArcFace(device, state);
  const one = numbers("one face", [1, 3, SIDE, SIDE]);
  const other = arcFaceReference(state, numbers("other", [1, 3, SIDE, SIDE]));
  const x = device.tensor(one.data, one.shape).track();
  const target = device.tensor(other.data, other.shape);
  const cosine = identityCosine(network.embedding(x), target);
  const [gradient] = gradients(sum(cosine), [x]);
  const error = slopeError(
    (face) =>
      arcFaceReference(state, face).data
        .reduce((total, v, k) => total + v * other.data[k], 0),
    one,
    await gradient.data(),
  );
  assert(error < 1e-3, `${error}`);
});

Deno.test("a missing weight of ArcFace is named with its file", async () => {
  using device = await openDevice();
  const state = thinArcFace();
  state.delete("body.20.res_layer.5.fc2.weight");
  assertThrows(
    () => loadArcFace(device, state, "model_ir_se50.pth"),
    WeightsError,
    "model_ir_se50.pth has no parameter body.20.res_layer.5.fc2.weight",
  );
});
