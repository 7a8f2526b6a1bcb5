/**
 * A kernel of one's own: a picture as a sum of soft blobs, drawn by WGSL that is written here,
 * differentiated by a second kernel, held to double precision, and fitted to a photograph.
 *
 *     deno run -A examples/custom_kernel.ts me.jpg blobs.png
 *
 * @module
 */
import { checkCase, type NumberArray } from "../engine/conformance.ts";
import {
  Adam,
  defineOperator,
  type Device,
  gradients,
  mean,
  normals,
  openDevice,
  square,
  subtract,
  type UserOperator,
} from "../engine/mod.ts";
import { defineKernel } from "../kernels/mod.ts";
import {
  BUNDLED_SOURCE,
  crop,
  type Picture,
  readPicture,
  resize,
  writePicture,
} from "../pipeline/mod.ts";

/** What both kernels share: a blob is x, y, the logarithm of its size, and a colour. */
const BLOB = `
struct Params { n: u32, count: u32, width: u32, height: u32 }
fn place(pixel: u32) -> vec2f {
  let at = vec2f(f32(pixel % params.width), f32(pixel / params.width)) + 0.5;
  return at / vec2f(f32(params.width), f32(params.height));
}
// exp(-|p - centre|^2 / (2 size^2)), and the exponent's parts
fn weight(away: vec2f, size: f32) -> f32 { return exp(-0.5 * dot(away, away) / (size * size)); }
`;

/** Gradient of the blobs: one invocation for each of their six numbers, over all pixels. */
const blobsBackward: UserOperator = defineOperator({
  name: "blobs backward",
  kernel: defineKernel(
    "example.blobs_backward",
    `// d blobs[k, i] = sum over pixels of g[pixel] . d y[pixel] / d blobs[k, i]
@group(0) @binding(0) var<storage, read> blobs: array<f32>;
@group(0) @binding(1) var<storage, read> g: array<f32>;
@group(0) @binding(2) var<storage, read_write> dblobs: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;
${BLOB}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.n) { return; }
  let k = i / 6u * 6u;
  let size = exp(blobs[k + 2u]);
  var total = 0.0;
  for (var p = 0u; p < params.width * params.height; p++) {
    let away = place(p) - vec2f(blobs[k], blobs[k + 1u]);
    let w = weight(away, size);
    let part = i - k;
    if (part >= 3u) { total += g[3u * p + part - 3u] * w; continue; }
    let pull = w * (g[3u * p] * blobs[k + 3u] + g[3u * p + 1u] * blobs[k + 4u]
      + g[3u * p + 2u] * blobs[k + 5u]) / (size * size);
    if (part == 2u) { total += pull * dot(away, away); } else { total += pull * away[part]; }
  }
  dblobs[i] = total;
}`,
  ),
  params: ({ blobs }) => ({ count: blobs[0] }),
});

/** The picture (height width, 3) of blobs (K, 6). */
export const blobs: UserOperator = defineOperator({
  name: "blobs",
  kernel: defineKernel(
    "example.blobs",
    `// y[pixel, c] = sum over k of colour[k, c] exp(-|place - centre_k|^2 / (2 size_k^2))
@group(0) @binding(0) var<storage, read> blobs: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;
${BLOB}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.n) { return; }
  let at = place(i / 3u);
  var total = 0.0;
  for (var k = 0u; k < 6u * params.count; k += 6u) {
    let away = at - vec2f(blobs[k], blobs[k + 1u]);
    total += blobs[k + 3u + i % 3u] * weight(away, exp(blobs[k + 2u]));
  }
  y[i] = total;
}`,
  ),
  shape: (_, { width, height }) => [width * height, 3],
  params: ({ blobs }) => ({ count: blobs[0] }),
  backward: ({ gradient, inputs, settings }) => ({
    blobs: blobsBackward({ blobs: inputs.blobs, g: gradient }, settings),
  }),
  reference: ({ blobs }, settings) => drawnSlowly(blobs, settings),
});

/** What the kernel is held to. */
function drawnSlowly(
  { data, shape: [count] }: NumberArray,
  { width, height }: Readonly<Record<string, number>>,
): NumberArray {
  const y = new Float64Array(width * height * 3);
  y.forEach((_, i) => {
    const pixel = Math.floor(i / 3);
    const u = (pixel % width + 0.5) / width;
    const v = (Math.floor(pixel / width) + 0.5) / height;
    for (let k = 0; k < 6 * count; k += 6) {
      const away = (u - data[k]) ** 2 + (v - data[k + 1]) ** 2;
      const size = Math.exp(data[k + 2]);
      y[i] += data[k + 3 + i % 3] * Math.exp(-0.5 * away / size ** 2);
    }
  });
  return { data: y, shape: [width * height, 3] };
}

/** What is wrong with the kernels, in words: value and gradient, on several sizes. */
export async function checkBlobs(): Promise<readonly string[]> {
  // numbers that no kernel writes are NaN on a poisoned device
  using device = await openDevice({ poison: true });
  const found: string[] = [];
  for (const [count, width, height] of [[1, 1, 1], [5, 7, 9], [70, 3, 2]]) {
    const c = blobs.case(`${count} on ${width} x ${height}`, {
      blobs: { shape: [count, 6], scale: 0.5, shift: 0.2 },
    }, { width, height });
    found.push(...(await checkCase(device, c)).failures);
  }
  return found;
}

/** A picture as blobs. */
export async function fitBlobs(
  device: Device,
  { width, height, data }: Picture,
  { count, steps }: { count: number; steps: number },
): Promise<Picture> {
  using _scope = device.scope();
  const wanted = device.tensor(
    Float32Array.from(data, (v) => v / 255),
    [width * height, 3],
  );
  const start = normals(3, 0, 6 * count).map((v, i) =>
    [0.5 + 0.3 * v, 0.5 + 0.3 * v, -2.5, 0.3, 0.3, 0.3][i % 6]
  );
  const drawn = device.tensor(start, [count, 6]).track();
  using adam = new Adam([drawn], { rate: 0.02 });
  for (let step = 0; step < steps; step++) {
    using _step = device.scope();
    const picture = blobs({ blobs: drawn }, { width, height });
    adam.step(gradients(mean(square(subtract(picture, wanted))), [drawn]));
  }
  const colours = await device.withoutTape(() =>
    blobs({ blobs: drawn }, { width, height })
  ).data();
  return {
    width,
    height,
    data: Uint8ClampedArray.from(colours, (v) => 255 * v),
  };
}

if (import.meta.main) {
  const [from = BUNDLED_SOURCE, to = "blobs.png"] = Deno.args;
  const failures = await checkBlobs();
  if (failures.length > 0) throw new Error(failures.join("\n"));
  using device = await openDevice();
  const whole = await readPicture(from);
  const side = Math.min(whole.width, whole.height);
  const square = crop(whole, { left: 0, top: 0, width: side, height: side });
  const picture = await resize(square, 64, 64);
  const drawn = await fitBlobs(device, picture, { count: 200, steps: 300 });
  await writePicture(to, await resize(drawn, 512, 512));
  console.log(`written to ${to}`);
}
