/** The published stage B draws heads: with a head of our own in the place of the licensed one. */
import { assert, assertEquals } from "@std/assert";
import { type Device, openDevice } from "../engine/mod.ts";
import {
  interpolateAttributesReference,
  rasteriseReference,
} from "../engine/ops/raster.reference.ts";
import type { Picture } from "../pipeline/media/picture.ts";
import {
  type DecaCodes,
  expressionOf,
  type FlameExpression,
  transferExpression,
} from "../pipeline/transfer/deca/codes.ts";
import {
  cropBounds,
  decaCrop,
  projectToPicture,
} from "../pipeline/transfer/deca/crop.ts";
import {
  type DecaSource,
  decaTransfer,
  headOf,
} from "../pipeline/transfer/deca/frames.ts";
import { type FaceMask, mapMask } from "../pipeline/transfer/deca/mask.ts";
import { FlameRenderer, nearness } from "../pipeline/transfer/deca/render.ts";
import { parseTopology } from "../pipeline/transfer/deca/topology.ts";
import { frameMasks } from "../pipeline/transfer/targets_of.ts";
import type { TransferredFrame } from "../pipeline/transfer/transferred.ts";
import { headOnDevice } from "./support/deca_files.ts";
import { astronaut, mean } from "./support/geometry.ts";
import { fitCodes } from "./support/head_fit.ts";
import {
  BROWS_EXP,
  HEAD_FACES,
  headModel,
  LIDS_EXP,
  SMILE_EXP,
} from "./support/head_mesh.ts";
import {
  expression,
  portraitSource,
  psnr,
  SIDE,
} from "./support/head_portrait.ts";

async function framesOf(
  device: Device,
  source: DecaSource,
  expressions: readonly FlameExpression[],
  eyes: "follow" | "keep" = "keep",
): Promise<TransferredFrame[]> {
  using _scope = device.scope();
  const model = headOnDevice(device);
  const options = { name: "astronaut", eyes };
  const transfer = decaTransfer(device, model, source, expressions, options);
  return await Array.fromAsync(transfer.frames());
}

Deno.test("a target that is the source gives the photo back", async () => {
  using device = await openDevice();
  const source = await portraitSource();
  const [frame] = await framesOf(device, source, [expressionOf(source.codes)]);
  assert(frame.mask.filter((v) => v === 255).length > 0.15 * SIDE ** 2);
  const inside = psnr(frame.rendered, source.photo, (k) => frame.mask[k] > 0);
  assert(inside > 60, `${inside} dB`);
  assertEquals(
    psnr(frame.rendered, source.photo, (k) => frame.mask[k] === 0),
    Infinity,
  );
});

Deno.test("heads are drawn as float64 draws them", async () => {
  using device = await openDevice({ poison: true });
  const { portrait } = await astronaut(64);
  const codes = fitCodes(headModel(), portrait.landmarks);
  const model = headOnDevice(device), crop = decaCrop(portrait.landmarks);
  const place = async (codes: DecaCodes) =>
    projectToPicture(await headOf(device, model.flame, codes), codes.cam, crop);
  const source = await place(codes);
  const vertices = await place(
    transferExpression(codes, expression({ [SMILE_EXP]: 1 }, 0.2)),
  );
  const photo = portrait.picture, { mask } = model;
  using renderer = new FlameRenderer(device, {
    ...{ photo, crop, faces: HEAD_FACES, source, mask },
  });
  using _scope = device.scope();
  const drawing = renderer.draw(vertices);
  const [colours, opacity, depth] = await device.read(
    drawing.rendered,
    drawing.mask,
    drawing.depth,
  );
  const wanted = drawnReference(
    photo,
    cropBounds(crop, 64),
    source,
    vertices,
    mask,
  );
  // a pixel on an edge may go to either side
  assert(differing(colours, wanted.colours, 0.1) < 3e-3);
  assert(differing(opacity, wanted.opacity, 1e-3) < 3e-3);
  assert(differing(depth, wanted.depth, 1e-3) < 3e-3);
});

function differing(a: ArrayLike<number>, b: ArrayLike<number>, limit: number) {
  assertEquals(a.length, b.length);
  const count = Array.from(a, (v, k) => Math.abs(v - b[k]) <= limit ? 0 : 1);
  return mean(count);
}

/** A head over a photo of side 64, pixel by pixel. */
function drawnReference(
  photo: Picture,
  bounds: Float32Array,
  source: Float32Array,
  vertices: Float32Array,
  mask: FaceMask,
) {
  const side = photo.width, pixels = side * side;
  const raster = rasteriseReference(vertices, HEAD_FACES, {
    height: side,
    width: side,
  });
  const carry = (data: ArrayLike<number>, channels: number) =>
    interpolateAttributesReference(
      {
        data: Float64Array.from(data),
        shape: [data.length / channels, channels],
      },
      raster,
      HEAD_FACES,
    ).data;
  const at = carry(source, 3);
  const opacity = carry(mask.opacity, 1);
  const bilinear = (value: (k: number) => number, x: number, y: number) => {
    const [i, j] = [Math.floor(x - 0.5), Math.floor(y - 0.5)];
    const [u, v] = [x - 0.5 - i, y - 0.5 - j];
    const inner = (n: number) => Math.min(side - 1, Math.max(0, n));
    const of = (a: number, b: number) => value(inner(b) * side + inner(a));
    return (1 - v) * ((1 - u) * of(i, j) + u * of(i + 1, j)) +
      v * ((1 - u) * of(i, j + 1) + u * of(i + 1, j + 1));
  };
  const colours = new Float64Array(3 * pixels);
  for (let k = 0; k < pixels; k++) {
    const [x, y] = [at[k], at[pixels + k]];
    opacity[k] *= bilinear((n) => bounds[n], x, y);
    for (let c = 0; c < 3; c++) {
      const own = photo.data[3 * k + c];
      const lifted = bilinear((n) => photo.data[3 * n + c], x, y);
      colours[c * pixels + k] = own + opacity[k] * (lifted - own);
    }
  }
  return { colours, opacity, depth: carry(nearness(vertices), 1) };
}

Deno.test("nearness is 1 at the nearest vertex and 0 at the farthest", () => {
  assertEquals([...nearness([0, 0, 5, 0, 0, -3, 9, 9, 1])], [0, 1, 0.5]);
  assertEquals([...nearness([0, 0, 5, 1, 1, 5])], [0, 0]);
});

/** The row in which the chin ends. */
function lowestRow(mask: Uint8Array): number {
  const last = mask.findLastIndex((v) => v > 127);
  return Math.floor(last / SIDE);
}

const holes = (mask: Uint8Array) =>
  frameMasks(mask, SIDE).hole.reduce((sum, v) => sum + v, 0);

Deno.test("opening the jaw moves the chin down and opens a hole between the lips", async () => {
  using device = await openDevice();
  const source = await portraitSource();
  const [shut, open] = await framesOf(device, source, [
    expression({}),
    expression({}, 0.25),
  ]);
  assert(lowestRow(open.mask) > lowestRow(shut.mask) + 2);
  assert(holes(shut.mask) < 30, `${holes(shut.mask)} pixels when shut`);
  assert(holes(open.mask) > 150, `${holes(open.mask)} pixels when open`);
  // as published, the photo shows through the hole
  const { hole } = frameMasks(open.mask, SIDE);
  const deep = (k: number) => hole[k] === 1 && open.mask[k] === 0;
  assertEquals(psnr(open.rendered, source.photo, deep), Infinity);
});

Deno.test("eyes stay the source's when lids would move, unless they are to follow", async () => {
  using device = await openDevice();
  const source = await portraitSource();
  const blink = [expression({ [LIDS_EXP]: 1 })], still = [expression({})];
  const [open] = await framesOf(device, source, still);
  const [kept] = await framesOf(device, source, blink);
  const [shut] = await framesOf(device, source, blink, "follow");
  const everywhere = () => true;
  assertEquals(psnr(kept.rendered, open.rendered, everywhere), Infinity);
  assert(psnr(shut.rendered, open.rendered, everywhere) < 45);
});

Deno.test("the face's mask is soft at its rim and cut where DECA's crop ends", async () => {
  using device = await openDevice();
  const source = await portraitSource();
  const [{ mask }] = await framesOf(device, source, [expression({})]);
  const rows = (y: number) => mask.subarray(SIDE * y, SIDE * (y + 1));
  const middle = rows(Math.round(source.crop.top + 0.6 * source.crop.size));
  const soft = middle.filter((v) => v > 5 && v < 250).length;
  assert(soft >= 3, `${soft} pixels between`);
  assert(
    Math.max(...middle) === 255 && middle[0] === 0 && middle[SIDE - 1] === 0,
  );
  const top = Math.floor(source.crop.top);
  assertEquals(Math.max(...rows(top - 2)), 0);
  assert(mean([...rows(top + 2).filter((v) => v > 0)]) > 150);
});

Deno.test("the depth picture is brightest at the nose and black beside the head", async () => {
  using device = await openDevice();
  const { portrait } = await astronaut(SIDE);
  const source = await portraitSource();
  const [{ depth }] = await framesOf(device, source, [expression({})]);
  const [x, y] = portrait.landmarks.subarray(12, 14);
  const nose = depth!.indexOf(Math.max(...depth!));
  assert(Math.hypot(nose % SIDE - x, Math.floor(nose / SIDE) - y) < 8);
  assert(depth![nose] >= 253);
  assertEquals([depth![0], depth![SIDE - 1], depth![SIDE * SIDE - 1]], [
    0,
    0,
    0,
  ]);
});

Deno.test("brows that are raised pull the skin up with them", async () => {
  using device = await openDevice();
  const source = await portraitSource();
  const [rest, raised] = await framesOf(device, source, [
    expression({}),
    expression({ [BROWS_EXP]: 1 }),
  ]);
  const { portrait } = await astronaut(SIDE);
  const [x, y] = portrait.landmarks.subarray(3 * 105, 3 * 105 + 2);
  const near = (k: number) =>
    Math.hypot(k % SIDE - x, Math.floor(k / SIDE) - y) < 8;
  assert(psnr(raised.rendered, rest.rendered, near) < 30);
  const below = (k: number) =>
    Math.floor(k / SIDE) > portrait.landmarks[3 * 4 + 1];
  assert(psnr(raised.rendered, rest.rendered, below) > 45);
});

Deno.test("the published mask is read off the texture map, where a triangle's corners lie on it", async () => {
  using device = await openDevice();
  // a square of two triangles whose map is itself, the second of them mirrored
  const topology = parseTopology(
    "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 1\nvt 1 1\nvt 1 0\nvt 0 0\n" +
      "f 1/1 2/2 3/3\nf 1/2 3/4 4/3\n",
    "square.obj",
  );
  const bytes = Uint8Array.from([0, 255, 0, 255]);
  const photo: Picture = {
    width: 16,
    height: 16,
    data: new Uint8Array(768).fill(90),
  };
  const vertices = Float32Array.of(0, 0, 1, 16, 0, 1, 16, 16, 1, 0, 16, 1);
  using renderer = new FlameRenderer(device, {
    photo,
    crop: { left: -9, top: -9, size: 99 },
    faces: topology.faces,
    source: vertices,
    mask: mapMask(bytes, 2, topology),
  });
  const { mask } = renderer.draw(vertices);
  const opacity = await mask.data();
  // right half of the map is white: right half of the first triangle, left half of the mirrored one
  assertEquals([4 * 16 + 12, 4 * 16 + 6].map((k) => opacity[k]), [1, 0]);
  assertEquals([12 * 16 + 3, 12 * 16 + 10].map((k) => opacity[k]), [1, 0]);
});
