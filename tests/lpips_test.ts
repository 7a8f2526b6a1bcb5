/** LPIPS: its networks against float64, its distance, the names that it accepts. */
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertThrows,
} from "@std/assert";
import {
  type Device,
  gradients,
  openDevice,
  sum,
  type Tensor,
} from "../engine/mod.ts";
import { type NumberArray, relativeError } from "../engine/ops/conformance.ts";
import { formula } from "../engine/ops/formula.ts";
import { alexnet } from "../pipeline/losses/lpips/alexnet.ts";
import {
  loadLpips,
  type Lpips,
  type LpipsNet,
} from "../pipeline/losses/lpips/lpips.ts";
import { squeezenet } from "../pipeline/losses/lpips/squeezenet.ts";
import { vgg16 } from "../pipeline/losses/lpips/vgg16.ts";
import {
  perceptualDistance,
  unitFeatures,
} from "../pipeline/losses/perceptual.ts";
import {
  type NetworkWeights,
  uploadLayers,
} from "../pipeline/networks/layers.ts";
import { WeightsError, type WeightTensor } from "../weights/mod.ts";
import {
  joined,
  layer,
  numbers,
  pooled,
  putLayer,
  relu,
  type State,
} from "./support/float64_layers.ts";

type Maps = (weights: NetworkWeights, x: Tensor) => Tensor[];

/** Weights and biases of convolutions with two or three channels. */
function thinWeights(
  layers: Record<string, [out: number, inputs: number, kernel: number]>,
): State {
  const state: State = new Map();
  for (const [name, [out, inputs, kernel]] of Object.entries(layers)) {
    putLayer(state, `features.${name}`, [out, inputs, kernel, kernel]);
  }
  return state;
}

/** relu(W * x + b) in float64. */
function layerReference(
  state: State,
  name: string,
  x: NumberArray,
  padding: number,
  stride = 1,
): NumberArray {
  return relu(layer(state, `features.${name}`, x, { padding, stride }));
}

async function assertMaps(
  maps: Maps,
  weights: State,
  picture: NumberArray,
  wanted: readonly NumberArray[],
): Promise<void> {
  using device = await openDevice({ poison: true });
  const x = device.tensor(picture.data, picture.shape);
  const found = maps(uploadLayers(device, [weights]), x);
  assertEquals(found.map((t) => [...t.shape]), wanted.map((a) => a.shape));
  const data = await device.read(...found);
  data.forEach((numbers, k) =>
    assert(relativeError(numbers, wanted[k].data) < 1e-5, `map ${k}`)
  );
}

const pictureOf = (height: number, width: number): NumberArray =>
  numbers("picture", [1, 3, height, width]);

Deno.test("AlexNet's maps agree with float64", async () => {
  const weights = thinWeights({
    0: [2, 3, 11],
    3: [3, 2, 5],
    6: [2, 3, 3],
    8: [3, 2, 3],
    10: [2, 3, 3],
  });
  const x = pictureOf(67, 83);
  const convolve = layerReference.bind(null, weights);
  const relu1 = convolve("0", x, 2, 4);
  const relu2 = convolve("3", pooled(relu1, { kernel: 3 }), 2);
  const relu3 = convolve("6", pooled(relu2, { kernel: 3 }), 1);
  const relu4 = convolve("8", relu3, 1), relu5 = convolve("10", relu4, 1);
  const wanted = [relu1, relu2, relu3, relu4, relu5];
  await assertMaps(alexnet, weights, x, wanted);
});

Deno.test("VGG16's maps agree with float64", async () => {
  const blocks = [[0, 2], [5, 7], [10, 12, 14], [17, 19, 21], [24, 26, 28]];
  const weights = thinWeights(
    Object.fromEntries(
      blocks.flat().map((k) => [k, [2, k === 0 ? 3 : 2, 3]]),
    ),
  );
  const x = pictureOf(35, 50), wanted: NumberArray[] = [];
  for (const block of blocks) {
    let map = wanted.length ? pooled(wanted.at(-1)!) : x;
    for (const k of block) map = layerReference(weights, `${k}`, map, 1);
    wanted.push(map);
  }
  await assertMaps(vgg16, weights, x, wanted);
});

Deno.test("SqueezeNet's maps agree with float64 where windows hang over the edge", async () => {
  const fires = [3, 4, 6, 7, 9, 10, 11, 12];
  const weights = thinWeights(Object.fromEntries([
    ["0", [3, 3, 3]],
    ...fires.flatMap((k) => [
      [`${k}.squeeze`, [2, k === 3 ? 3 : 5, 1]],
      [`${k}.expand1x1`, [2, 2, 1]],
      [`${k}.expand3x3`, [3, 2, 3]],
    ]),
  ]));
  const convolve = layerReference.bind(null, weights);
  const pass = (x: NumberArray, ...names: number[]) =>
    names.reduce((flow, k) => {
      const few = convolve(`${k}.squeeze`, flow, 0);
      const wide = convolve(`${k}.expand3x3`, few, 1);
      return joined(convolve(`${k}.expand1x1`, few, 0), wide);
    }, x);
  const hanging = (x: NumberArray) => pooled(x, { kernel: 3, hangs: true });
  const x = pictureOf(53, 70);
  const relu1 = convolve("0", x, 0, 2);
  assertEquals(relu1.shape, [1, 3, 26, 34]);
  const second = pass(hanging(relu1), 3, 4);
  const third = pass(hanging(second), 6, 7);
  const fourth = pass(hanging(third), 9);
  const fifth = pass(fourth, 10), sixth = pass(fifth, 11);
  const wanted = [relu1, second, third, fourth, fifth, sixth];
  await assertMaps(squeezenet, weights, x, [...wanted, pass(sixth, 12)]);
});

const ALEX: Record<string, number[]> = {
  "0": [64, 3, 11, 11],
  "3": [192, 64, 5, 5],
  "6": [384, 192, 3, 3],
  "8": [256, 384, 3, 3],
  "10": [256, 256, 3, 3],
};

/** AlexNet and heads by formula, under names of a given form. */
function alexState(
  backbone: (index: string, slice: number) => string,
  head: (k: number) => string,
): Map<string, WeightTensor> {
  const state = new Map<string, WeightTensor>();
  Object.entries(ALEX).forEach(([index, shape], k) => {
    const fanIn = shape[1] * shape[2] * shape[3];
    const weight = formula(`w${index}`, shape, Math.sqrt(6 / fanIn));
    const bias = formula(`b${index}`, [shape[0]], 0.1);
    const name = backbone(index, k + 1);
    state.set(`${name}.weight`, { shape, data: weight });
    state.set(`${name}.bias`, { shape: [shape[0]], data: bias });
    const lin = [1, shape[0], 1, 1];
    state.set(head(k), { shape: lin, data: formula(`h${k}`, lin, 0.5, 0.5) });
  });
  return state;
}

const torchvision = () =>
  alexState((k) => `features.${k}`, (k) => `lin${k}.model.1.weight`);

function pictures(device: Device, name: string, batch: number): Tensor {
  const shape = [batch, 3, 64, 64];
  return device.tensor(formula(name, shape), shape);
}

async function withAlex(
  test: (device: Device, lpips: Lpips) => Promise<void>,
): Promise<void> {
  using device = await openDevice({ poison: true });
  await test(device, loadLpips(device, "alex", torchvision()));
}

Deno.test("LPIPS finds its weights under every published form of their names", async () => {
  using device = await openDevice();
  const forms = [
    torchvision(),
    alexState((k, s) => `slice${s}.${k}`, (k) => `lin${k}`),
    alexState(
      (k, s) => `net.slice${s}.${k}`,
      (k) => `lins.${k}.model.1.weight`,
    ),
  ];
  const distances: number[] = [];
  for (const state of forms) {
    using lpips = loadLpips(device, "alex", state);
    const distance = lpips.distance(
      pictures(device, "a", 1),
      pictures(device, "b", 1),
    );
    distances.push(await distance.item());
  }
  assert(distances[0] > 0);
  assertEquals(new Set(distances).size, 1);
});

Deno.test("the LPIPS distance of a picture from itself is 0", () =>
  withAlex(async (device, lpips) => {
    const a = pictures(device, "a", 2);
    assertEquals([...await lpips.distance(a, a).data()], [0, 0]);
  }));

Deno.test("one kept picture stands against many, each with its own LPIPS distance", () =>
  withAlex(async (device, lpips) => {
    const many = pictures(device, "a", 2), one = pictures(device, "b", 1);
    const kept = lpips.unit(one);
    const distances = await lpips.distance(many, kept).data();
    const pair = pictures(device, "a", 1);
    const alone = await lpips.distance(one, pair).item();
    assertEquals(distances.length, 2);
    assertAlmostEquals(distances[0], alone, 1e-6);
    assert(distances[0] !== distances[1]);
  }));

Deno.test("where the network of LPIPS sees nothing, the gradient is 0 and not NaN", async () => {
  using device = await openDevice();
  const state = torchvision();
  for (const k of [0, 3, 6, 8, 10]) {
    state.get(`features.${k}.bias`)!.data.fill(-1e3);
  }
  const lpips = loadLpips(device, "alex", state);
  const a = pictures(device, "a", 1).track();
  const distance = lpips.distance(a, pictures(device, "b", 1));
  const [gradient] = gradients(sum(distance), [a]);
  assert((await gradient.data()).every((v) => v === 0));
});

Deno.test("the perceptual distance of LPIPS's maps is the mean of LPIPS", () =>
  withAlex(async (device, lpips) => {
    const a = pictures(device, "a", 2), b = pictures(device, "b", 2);
    const [first, second] = await lpips.distance(a, b).data();
    const distance = perceptualDistance(
      unitFeatures(lpips, a),
      unitFeatures(lpips, b),
    );
    const mean = (first + second) / 2;
    assertAlmostEquals(await distance.item() / mean, 1, 1e-5);
  }));

Deno.test("LPIPS by VGG16 finds its weights under NVIDIA's names too", async () => {
  using device = await openDevice();
  const channels = [
    64,
    64,
    128,
    128,
    256,
    256,
    256,
    512,
    512,
    512,
    512,
    512,
    512,
  ];
  const indices = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28];
  const ours: State = new Map(), theirs: State = new Map();
  channels.forEach((out, k) => {
    // one input channel and one tap in each are enough to tell them apart
    const shape = [out, k === 0 ? 3 : channels[k - 1], 3, 3];
    const data = new Float32Array(shape.reduce((a, b) => a * b));
    formula(`${k}`, [out]).forEach((v, o) => {
      data[o * data.length / out + 4] = v;
    });
    const weight = { shape, data };
    const bias = { shape: [out], data: formula(`bias ${k}`, [out]) };
    ours.set(`features.${indices[k]}.weight`, weight);
    ours.set(`features.${indices[k]}.bias`, bias);
    theirs.set(`layers.conv${k + 1}.weight`, weight);
    theirs.set(`layers.conv${k + 1}.bias`, bias);
  });
  [64, 128, 256, 512, 512].forEach((c, k) => {
    const data = formula(`head ${k}`, [c], 0.5, 0.5);
    ours.set(`lin${k}.model.1.weight`, { shape: [1, c, 1, 1], data });
    theirs.set(`lpips${k}`, { shape: [c, 1, 1], data });
  });
  const [a, b] = ["a", "b"].map((name) =>
    device.tensor(formula(name, [1, 3, 16, 16]), [1, 3, 16, 16])
  );
  const [first, second] = await device.read(
    ...[ours, theirs].map((state) =>
      loadLpips(device, "vgg", state).distance(a, b)
    ),
  );
  assert(first[0] > 0);
  assertEquals(first, second);
});

Deno.test("a missing weight of LPIPS is named with its file", async () => {
  using device = await openDevice();
  const load = (state: Map<string, WeightTensor>, net: LpipsNet = "alex") =>
    assertThrows(
      () => loadLpips(device, net, state, "alex.pth"),
      WeightsError,
    ).message;
  const state = torchvision();
  state.delete("features.6.weight");
  assertEquals(
    load(state),
    "alex.pth has no parameter features.6.weight: it is incomplete or of another network.",
  );
  state.delete("lin2.model.1.weight");
  assert(load(state).includes("lin2.model.1.weight"));
  assert(load(torchvision(), "vgg").includes("[1,128,1,1]"));
});

Deno.test("heads of LPIPS with negative weights are refused", async () => {
  using device = await openDevice();
  const state = torchvision();
  state.get("lin3.model.1.weight")!.data[5] = -0.1;
  assertThrows(() => loadLpips(device, "alex", state), WeightsError, "lin3");
});
