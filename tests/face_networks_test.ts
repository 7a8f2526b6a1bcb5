/** @file The face networks on the engine, held to tfjs on a real photograph. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Device, gradients } from "../engine/mod.ts";
import { Network } from "../pipeline/face/network.ts";
import { sampleRegion } from "../pipeline/face/region.ts";
import { PantomimeError } from "../pipeline/errors.ts";
import type { Picture } from "../pipeline/media/picture.ts";
import {
  fuse,
  type Graph,
  type KnownModel,
  loadKnownModel,
} from "../weights/mod.ts";
import { FACE, openStudio, test } from "./support/faces.ts";
import {
  gradientOnTfjs,
  loadOriginal,
  type NhwcTensor,
  relativeError,
  runGraphOnTfjs,
  runOriginal,
} from "./support/tfjs.ts";

/** Planes (3, n, n) as TensorFlow's [1, n, n, 3]. */
function toNhwc(planes: Float32Array, size: number): NhwcTensor {
  const data = new Float32Array(planes.length);
  const plane = size * size;
  for (let k = 0; k < plane; k++) {
    for (let c = 0; c < 3; c++) data[3 * k + c] = planes[c * plane + k];
  }
  return { shape: [1, size, size, 3], data };
}

/** The face of the astronaut as a network's input. */
function faceInput(
  picture: Picture,
  size: number,
  low: number,
  high: number,
): Float32Array {
  return sampleRegion(picture, FACE, size).map((v) =>
    low + (high - low) * v / 255
  );
}

const NETWORKS: [KnownModel, number, number][] = [
  ["blazeface", -1, 1],
  ["facemesh", 0, 1],
  ["faceres", 0, 255],
  ["iris", 0, 1],
];

for (const [name, low, high] of NETWORKS) {
  test(`${name} agrees with tfjs on a photograph to a thousandth`, async ({ device, astronaut }) => {
    using network = await Network.load(device, name);
    const [, size] = network.inputSize;
    const planes = faceInput(astronaut, size, low, high);
    const original = await loadOriginal(name);
    const expected = await runOriginal(original, toNhwc(planes, size));
    using _scope = device.scope();
    const outputs = network.run(device.tensor(planes, [1, 3, size, size]));
    const found = await device.read(...outputs);
    // Both sides list the outputs by their own names; sizes tell them apart.
    const bySize = new Map(
      [...expected.values()].map((values) => [values.length, values]),
    );
    assertEquals(bySize.size, expected.size);
    for (const values of found) {
      const error = relativeError(values, bySize.get(values.length)!);
      assert(error < 1e-3, `${error}`);
    }
  });
}

for (const name of ["mobilenet_v2", "mobilenet_v2_mid"] as const) {
  test(`${name} agrees with tfjs on a photograph, inner maps included`, async ({ device, astronaut }) => {
    await comparePerceptual(name, device, astronaut);
  });
}

test("inception_v3 agrees with tfjs on a photograph, inner maps included", async ({ device, astronaut }) => {
  await comparePerceptual("inception_v3", device, astronaut);
});

async function comparePerceptual(
  name: KnownModel,
  device: Device,
  astronaut: Picture,
): Promise<void> {
  const graph = await loadKnownModel(name);
  const fused = fuse(graph);
  const pictures = fused.nodes.filter(({ operation }) =>
    operation.kind === "conv2d"
  );
  const maps = [pictures[4].name, pictures.at(-1)!.name];
  using network = new Network(device, graph, { maps });
  const [, size] = network.inputSize;
  const planes = faceInput(astronaut, size, 0, 1);
  const wanted: Graph = {
    ...fuse(graph, maps),
    outputs: new Map([
      ...graph.outputs,
      ...maps.map((map) => [map, map] as const),
    ]),
  };
  const expected = await runGraphOnTfjs(wanted, toNhwc(planes, size));
  using _scope = device.scope();
  const values = network.run(device.tensor(planes, [1, 3, size, size]), [
    ...wanted.outputs.keys(),
  ]);
  const found = await device.read(...values);
  for (const [k, key] of [...wanted.outputs.keys()].entries()) {
    const flat = expected.get(key)!;
    const { shape } = values[k];
    const error = relativeError(
      shape.length === 4 ? channelsLast(found[k], shape) : found[k],
      flat,
    );
    assert(error < 1e-3, `${key}: ${error}`);
  }
}

function channelsLast(
  data: Float32Array,
  [n, c, h, w]: readonly number[],
): Float32Array {
  const result = new Float32Array(data.length);
  let at = 0;
  for (let b = 0; b < n; b++) {
    for (let p = 0; p < h * w; p++) {
      for (let k = 0; k < c; k++) result[at++] = data[(b * c + k) * h * w + p];
    }
  }
  return result;
}

test("a network computes a batch as it computes each picture", async ({ device, astronaut }) => {
  using network = await Network.load(device, "facemesh");
  const [, size] = network.inputSize;
  const one = faceInput(astronaut, size, 0, 1);
  const two = one.map((v) => 1 - v);
  using _scope = device.scope();
  const [batch] = network.run(
    device.tensor([...one, ...two], [2, 3, size, size]),
    ["output_mesh"],
  );
  const [single] = network.run(device.tensor(two, [1, 3, size, size]), [
    "output_mesh",
  ]);
  const [both, second] = await device.read(batch, single);
  assert(relativeError(both.subarray(1404), second) < 1e-5);
});

test("a network holds on to nothing but its weights", async ({ device, astronaut }) => {
  const network = await Network.load(device, "facemesh");
  const [, size] = network.inputSize;
  const x = device.tensor(faceInput(astronaut, size, 0, 1), [1, 3, size, size]);
  const before = device.memory.live;
  for (let k = 0; k < 3; k++) {
    const outputs = network.run(x);
    await device.read(...outputs);
    for (const output of outputs) output.release();
    assertEquals(device.memory.live, before);
  }
  assert(!x.released);
  x.release();
  network.release();
  assert(device.memory.live < before);
});

test("a network refuses names that it does not have", async ({ device }) => {
  using network = await Network.load(device, "iris");
  using _scope = device.scope();
  const x = device.zeros([1, 3, 64, 64]);
  assertThrows(
    () => network.run(x, ["nonsense"]),
    PantomimeError,
    "no value nonsense",
  );
});

test("the gradient of a description by the picture is tfjs's gradient", async ({ device, astronaut }) => {
  const size = 64;
  const planes = faceInput(astronaut, size, 0, 255);
  const seed = Float32Array.from({ length: 1024 }, (_, k) => Math.cos(k * 0.7));
  const graph = await loadKnownModel("faceres");
  const expected = await gradientOnTfjs(
    fuse(graph),
    "global_pooling/Mean",
    toNhwc(planes, size),
    seed,
  );
  using network = new Network(device, graph);
  using _scope = device.scope();
  const x = device.tensor(planes, [1, 3, size, size]).track();
  const [descriptor] = network.run(x, ["global_pooling/Mean"]);
  const [gradient] = gradients(descriptor, [x], {
    seed: device.tensor(seed, [1, 1024]),
  });
  const found = channelsLast(await gradient.data(), [1, 3, size, size]);
  assert(
    relativeError(found, expected) < 1e-3,
    `${relativeError(found, expected)}`,
  );
});

Deno.test("a network with several inputs is refused", async () => {
  const { device } = await openStudio();
  const graph: Graph = { nodes: [], inputs: ["a", "b"], outputs: new Map() };
  await assertRejects(
    () => Promise.try(() => new Network(device, graph)),
    PantomimeError,
    "one picture",
  );
});
