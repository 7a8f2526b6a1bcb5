/** Inception-v3 against float64, with one or two channels per layer, under both forms of its names. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { interpolate, openDevice } from "../engine/mod.ts";
import { type NumberArray, relativeError } from "../engine/ops/conformance.ts";
import type { Padding } from "../engine/ops/conv2d.ts";
import { formula } from "../engine/ops/formula.ts";
import { avgPool2dReference } from "../engine/ops/pool.reference.ts";
import { loadInception } from "../pipeline/losses/inception.ts";
import { WeightsError } from "../weights/mod.ts";
import {
  joined,
  layer,
  means,
  norm,
  numbers,
  pooled,
  putLayer,
  relu,
  type State,
} from "./support/float64_layers.ts";

/** Weights that come into being, with pytorch-fid's names, as the reference asks for them. */
class Thin {
  readonly state: State = new Map();

  layer(
    name: string,
    x: NumberArray,
    kernel: [number, number] = [1, 1],
    padding: Padding = 0,
    stride = 1,
  ): NumberArray {
    const out = name.length % 2 + 1;
    putLayer(this.state, `${name}.conv`, [out, x.shape[1], ...kernel], false);
    const put = (part: string, scale: number, shift = 0) =>
      this.state.set(`${name}.bn.${part}`, {
        shape: [out],
        data: formula(`${name} ${part}`, [out], scale, shift),
      });
    put("weight", 0, 1);
    put("bias", 0.2, 0.2);
    put("running_mean", 0.2);
    put("running_var", 0.4, 1);
    const y = layer(this.state, `${name}.conv`, x, { padding, stride });
    return relu(norm(this.state, `${name}.bn`, y, 1e-3));
  }
}

const around = { kernel: 3, stride: 1, padding: 1 } as const;
const halve = (x: NumberArray) => pooled(x, { kernel: 3 });
const UP: Padding = [3, 3, 0, 0], ALONG: Padding = [0, 0, 3, 3];

function blockA(net: Thin, at: string, x: NumberArray): NumberArray[] {
  const five = net.layer(`${at}.branch5x5_1`, x);
  let three = net.layer(`${at}.branch3x3dbl_1`, x);
  three = net.layer(`${at}.branch3x3dbl_2`, three, [3, 3], 1);
  return [
    net.layer(`${at}.branch1x1`, x),
    net.layer(`${at}.branch5x5_2`, five, [5, 5], 2),
    net.layer(`${at}.branch3x3dbl_3`, three, [3, 3], 1),
    net.layer(`${at}.branch_pool`, avgPool2dReference(x, around)),
  ];
}

function blockB(net: Thin, at: string, x: NumberArray): NumberArray[] {
  let three = net.layer(`${at}.branch3x3dbl_1`, x);
  three = net.layer(`${at}.branch3x3dbl_2`, three, [3, 3], 1);
  return [
    net.layer(`${at}.branch3x3`, x, [3, 3], 0, 2),
    net.layer(`${at}.branch3x3dbl_3`, three, [3, 3], 0, 2),
    halve(x),
  ];
}

function blockC(net: Thin, at: string, x: NumberArray): NumberArray[] {
  let once = net.layer(`${at}.branch7x7_1`, x);
  once = net.layer(`${at}.branch7x7_2`, once, [1, 7], ALONG);
  once = net.layer(`${at}.branch7x7_3`, once, [7, 1], UP);
  let twice = net.layer(`${at}.branch7x7dbl_1`, x);
  twice = net.layer(`${at}.branch7x7dbl_2`, twice, [7, 1], UP);
  twice = net.layer(`${at}.branch7x7dbl_3`, twice, [1, 7], ALONG);
  twice = net.layer(`${at}.branch7x7dbl_4`, twice, [7, 1], UP);
  twice = net.layer(`${at}.branch7x7dbl_5`, twice, [1, 7], ALONG);
  return [
    net.layer(`${at}.branch1x1`, x),
    once,
    twice,
    net.layer(`${at}.branch_pool`, avgPool2dReference(x, around)),
  ];
}

function blockD(net: Thin, at: string, x: NumberArray): NumberArray[] {
  const three = net.layer(`${at}.branch3x3_1`, x);
  let seven = net.layer(`${at}.branch7x7x3_1`, x);
  seven = net.layer(`${at}.branch7x7x3_2`, seven, [1, 7], ALONG);
  seven = net.layer(`${at}.branch7x7x3_3`, seven, [7, 1], UP);
  return [
    net.layer(`${at}.branch3x3_2`, three, [3, 3], 0, 2),
    net.layer(`${at}.branch7x7x3_4`, seven, [3, 3], 0, 2),
    halve(x),
  ];
}

function blockE(
  net: Thin,
  at: string,
  x: NumberArray,
  pool: NumberArray,
): NumberArray[] {
  const one = net.layer(`${at}.branch3x3_1`, x);
  let two = net.layer(`${at}.branch3x3dbl_1`, x);
  two = net.layer(`${at}.branch3x3dbl_2`, two, [3, 3], 1);
  const fork = (name: string, y: NumberArray) => [
    net.layer(`${at}.${name}a`, y, [1, 3], [0, 0, 1, 1]),
    net.layer(`${at}.${name}b`, y, [3, 1], [1, 1, 0, 0]),
  ];
  return [
    net.layer(`${at}.branch1x1`, x),
    ...fork("branch3x3_2", one),
    ...fork("branch3x3dbl_3", two),
    net.layer(`${at}.branch_pool`, pool),
  ];
}

/** Features in float64, and the weights with pytorch-fid's names. */
function reference(x: NumberArray): { state: State; features: NumberArray } {
  const net = new Thin();
  let y = net.layer("Conv2d_1a_3x3", x, [3, 3], 0, 2);
  y = net.layer("Conv2d_2a_3x3", y, [3, 3]);
  y = halve(net.layer("Conv2d_2b_3x3", y, [3, 3], 1));
  y = net.layer("Conv2d_3b_1x1", y);
  y = halve(net.layer("Conv2d_4a_3x3", y, [3, 3]));
  for (const k of "bcd") y = blockA(net, `Mixed_5${k}`, y).reduce(joined);
  y = blockB(net, "Mixed_6a", y).reduce(joined);
  for (const k of "bcde") y = blockC(net, `Mixed_6${k}`, y).reduce(joined);
  y = blockD(net, "Mixed_7a", y).reduce(joined);
  const mean = avgPool2dReference(y, around);
  y = blockE(net, "Mixed_7b", y, mean).reduce(joined);
  const most = pooled(y, around);
  y = blockE(net, "Mixed_7c", y, most).reduce(joined);
  const { shape: [n, c], data } = means(y);
  return { state: net.state, features: { shape: [n, c], data } };
}

const x = numbers("inception", [1, 3, 107, 107]);

Deno.test("Inception's features agree with float64", async () => {
  using device = await openDevice({ poison: true });
  const { state, features } = reference(x);
  const network = loadInception(device, state);
  const found = network.featuresOf(device.tensor(x.data, x.shape));
  assertEquals([...found.shape], features.shape);
  assert(
    features.data.every((v) => v >= 0) && features.data.some((v) => v > 0),
  );
  assert(relativeError(await found.data(), features.data) < 2e-5);
});

/** Some of NVIDIA's names, one for each way of naming. */
const RENAMED: Record<string, string> = {
  Conv2d_1a_3x3: "layers.conv",
  Conv2d_4a_3x3: "layers.conv_4",
  "Mixed_5b.branch1x1": "layers.mixed.conv",
  "Mixed_5c.branch5x5_2": "layers.mixed_1.tower.conv_1",
  "Mixed_5d.branch3x3dbl_3": "layers.mixed_2.tower_1.conv_2",
  "Mixed_5d.branch_pool": "layers.mixed_2.tower_2.conv",
  "Mixed_6a.branch3x3": "layers.mixed_3.conv",
  "Mixed_6a.branch3x3dbl_1": "layers.mixed_3.tower.conv",
  "Mixed_6b.branch7x7_3": "layers.mixed_4.tower.conv_2",
  "Mixed_6e.branch7x7dbl_5": "layers.mixed_7.tower_1.conv_4",
  "Mixed_7a.branch3x3_2": "layers.mixed_8.tower.conv_1",
  "Mixed_7a.branch7x7x3_4": "layers.mixed_8.tower_1.conv_3",
  "Mixed_7b.branch1x1": "layers.mixed_9.conv",
  "Mixed_7b.branch3x3_1": "layers.mixed_9.tower_conv",
  "Mixed_7b.branch3x3_2b": "layers.mixed_9.tower_mixed_conv_1",
  "Mixed_7c.branch3x3dbl_2": "layers.mixed_10.tower_1_conv_1",
  "Mixed_7c.branch3x3dbl_3a": "layers.mixed_10.tower_1_mixed_conv",
  "Mixed_7c.branch_pool": "layers.mixed_10.tower_2_conv",
};

Deno.test("Inception finds its weights under NVIDIA's names, which have no factor in their normalisations", async () => {
  using device = await openDevice();
  const { state } = reference(x);
  const renamed: State = new Map();
  const parts: Record<string, string> = {
    "conv.weight": "weight",
    "bn.bias": "beta",
    "bn.running_mean": "mean",
    "bn.running_var": "var",
  };
  for (const [name, tensor] of state) {
    const [, layer, part] = /^(.+)\.((?:conv|bn)\.\w+)$/.exec(name)!;
    if (!RENAMED[layer]) renamed.set(name, tensor);
    else if (parts[part]) {
      renamed.set(`${RENAMED[layer]}.${parts[part]}`, tensor);
    }
  }
  const tensor = device.tensor(x.data, x.shape);
  const [first, second] = await device.read(
    ...[state, renamed].map((s) => loadInception(device, s).featuresOf(tensor)),
  );
  assertEquals(first, second);
  renamed.delete("layers.mixed_8.tower.conv_1.beta");
  assertThrows(
    () => loadInception(device, renamed, "inception-2015-12-05.pt"),
    WeightsError,
    "inception-2015-12-05.pt has no parameter layers.mixed_8.tower.conv_1.norm.bias",
  );
});

Deno.test("pictures are resized as TensorFlow 1 did, the first pixel on the first", async () => {
  using device = await openDevice();
  const row = device.tensor([0, 10, 20], [1, 1, 1, 3]);
  const wide = interpolate(row, [1, 6], { mode: "asymmetric" });
  assertEquals([...await wide.data()], [0, 5, 10, 15, 20, 20]);
});
