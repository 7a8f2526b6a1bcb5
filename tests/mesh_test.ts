/** Meshes: marching cubes, their files, and the mesh of a head. */
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
} from "@std/assert";
import {
  connectedComponents,
  decodeTriplane,
  type Device,
  EngineError,
  largestComponent,
  marchField,
  marchingCubes,
  openDevice,
  permute,
  ShapeError,
  slice,
  type SurfaceMesh,
} from "../engine/mod.ts";
import { formula } from "../engine/ops/formula.ts";
import { countSlab, meshSlab } from "../engine/ops/marching_cubes.slab.ts";
import { CELL_CASES } from "../kernels/raster/marching_cubes.ts";
import { UsageError } from "../pipeline/errors.ts";
import { planes as makePlanes } from "../pipeline/generator/backbone.ts";
import { mapping } from "../pipeline/generator/mapping.ts";
import { headMesh, MANNEQUIN_BACK } from "../pipeline/generator/mesh.ts";
import {
  decoderOf,
  densityOnly,
} from "../pipeline/generator/renderer/decoder.ts";
import { encodeGlb } from "../pipeline/media/glb.ts";
import { type ColouredMesh, writeMesh } from "../pipeline/media/mesh.ts";
import { encodePly } from "../pipeline/media/ply.ts";
import { labelAt, latent, smallGenerator } from "./support/generator.ts";
import { scratch } from "./support/media.ts";
import {
  measuresOf,
  topologyOf,
  volumeOf,
  worstNormal,
} from "./support/mesh.ts";
import { readGlb, readPly } from "./support/mesh_files.ts";

const CLOSED = { openEdges: 0, pinchedVertices: 0 };

/** How far inside a ball of radius r around (c, c, c) a point lies. */
function ball(c: number, r: number) {
  return (x: number, y: number, z: number) =>
    r - Math.hypot(x - c, y - c, z - c);
}

function assertWithin(share: number, got: number, wanted: number): void {
  assertAlmostEquals(got, wanted, share * wanted);
}

Deno.test("a ball's surface is a closed sphere of its area and volume that faces outwards", async () => {
  using device = await openDevice();
  const r = 18.3, ballOf48 = volumeOf(device, [48, 48, 48], ball(23.7, r));
  const mesh = await marchingCubes(ballOf48, 0);
  assertEquals(topologyOf(mesh), { ...CLOSED, eulerCharacteristic: 2 });
  const { area, volume } = measuresOf(mesh);
  assertWithin(0.01, area, 4 * Math.PI * r ** 2);
  assertWithin(0.01, volume, 4 / 3 * Math.PI * r ** 3);
  assert(worstNormal(mesh) > 0.9, `${worstNormal(mesh)}`);
  for (let k = 0; k < mesh.normals.length; k++) {
    const radial = (mesh.positions[k] - 23.7) / r;
    assertAlmostEquals(mesh.normals[k], radial, 0.01);
  }
});

Deno.test("a ring's surface has one hole", async () => {
  using device = await openDevice();
  const ring = volumeOf(device, [20, 40, 40], (x, y, z) => {
    const around = Math.hypot(x - 19.6, y - 19.3) - 12;
    return 5 - Math.hypot(around, z - 9.5);
  });
  const mesh = await marchingCubes(ring, 0);
  assertEquals(topologyOf(mesh), { ...CLOSED, eulerCharacteristic: 0 });
  assertWithin(0.02, measuresOf(mesh).volume, 2 * Math.PI ** 2 * 12 * 25);
});

/** Noise with nothing around it. */
function noise(size: number, name = "noise") {
  const values = formula(name, [size ** 3]);
  return (x: number, y: number, z: number) => {
    const outside = [x, y, z].some((v) => v < 1 || v > size - 2);
    return outside ? -1 : values[(z * size + y) * size + x];
  };
}

Deno.test("however wild the numbers, the surface is closed and never touches itself", async () => {
  using device = await openDevice();
  for (const level of [-0.7, 0, 0.6]) {
    const values = volumeOf(device, [14, 14, 14], noise(14, `level ${level}`));
    const mesh = await marchingCubes(values, level);
    const { openEdges, pinchedVertices } = topologyOf(mesh);
    assertEquals({ openEdges, pinchedVertices }, CLOSED);
    assert(mesh.triangles.length > 3000);
    assert(mesh.normals.every(Number.isFinite));
    // every triangle has an area
    assert(Number.isFinite(worstNormal(mesh)));
  }
});

Deno.test("each of the 256 cases has its crossing edges as vertices, in at most five triangles", () => {
  CELL_CASES.forEach((triangles, corners) => {
    const inside = (corner: number) => corners >> corner & 1;
    const crossing: number[] = [];
    for (let axis = 0; axis < 3; axis++) {
      for (let corner = 0; corner < 8; corner++) {
        const other = corner | 1 << axis;
        if (other === corner || inside(corner) === inside(other)) continue;
        crossing.push(corner + 8 * axis);
      }
    }
    const used = [...new Set(triangles.flat())].sort((a, b) => a - b);
    assertEquals(used, crossing);
    assert(triangles.length <= 5);
  });
});

Deno.test("a grid with nothing in it, or everything, has no surface", async () => {
  using device = await openDevice();
  for (const value of [-1, 0, 1, NaN, Infinity]) {
    const mesh = await marchingCubes(device.full([5, 6, 40], value), 0);
    assertEquals(mesh.positions.length + mesh.triangles.length, 0);
  }
});

Deno.test("NaN is outside: the surface closes around it", async () => {
  using device = await openDevice();
  const whole = ball(9, 7);
  const bitten = volumeOf(
    device,
    [19, 19, 19],
    (x, y, z) => x > 12 && y > 9 ? NaN : whole(x, y, z),
  );
  const mesh = await marchingCubes(bitten, 0);
  assertEquals(topologyOf(mesh), { ...CLOSED, eulerCharacteristic: 2 });
  assert(mesh.positions.every((v) => v > 1 && v < 17));
  for (let k = 0; k < mesh.positions.length; k += 3) {
    const [x, y] = mesh.positions.subarray(k, k + 2);
    assert(x < 12.01 || y < 9.01 || x === 0);
  }
});

Deno.test("a mesh is the same however its grid is cut into slabs", async () => {
  using device = await openDevice();
  const values = volumeOf(device, [13, 12, 13], noise(13, "slabs"));
  const options = { origin: [-1, 2, 0.1], spacing: [0.1, 0.2, 0.3] } as const;
  const whole = await marchingCubes(values, 0.1, options);
  for (const slab of [1, 2, 5, 12]) {
    assertEquals(await marchingCubes(values, 0.1, { ...options, slab }), whole);
  }
});

Deno.test("what is made while a mesh is waited for belongs to its maker", async () => {
  using device = await openDevice();
  const values = volumeOf(device, [12, 12, 12], ball(5.4, 4));
  const wanted = await marchingCubes(values, 0), before = device.memory.live;
  const pending = [marchingCubes(values, 0, { slab: 3 })];
  const made = device.full([2], 3);
  pending.push(marchingCubes(values, 0, { slab: 5 }));
  assertEquals(await Promise.all(pending), [wanted, wanted]);
  assertEquals([...await made.data()], [3, 3]);
  made.release();
  assertEquals(device.memory.live, before);
});

/** A ball in a field of 64 x 64 points a plane, in slabs of four: what was asked for and held. */
async function ballInField(
  depth: number,
): Promise<{ mesh: SurfaceMesh; asked: [number, number][]; peak: number }> {
  using device = await openDevice();
  const asked: [number, number][] = [], inside = ball(20, 15);
  const planes = (first: number, count: number) => {
    asked.push([first, count]);
    const shape = [count, 64, 64] as const;
    return volumeOf(device, shape, (x, y, z) => inside(x, y, z + first));
  };
  const field = { device, shape: [depth, 64, 64] as const, planes };
  const mesh = await marchField(field, 0, { slab: 4 });
  assertEquals(device.memory.live, 0);
  return { mesh, asked, peak: device.memory.peak };
}

Deno.test("a field is asked for each plane once, in order", async () => {
  const { mesh, asked } = await ballInField(40);
  assertEquals(topologyOf(mesh), { ...CLOSED, eulerCharacteristic: 2 });
  let next = 0;
  for (const [first, count] of asked) {
    assertEquals(first, next);
    next += count;
  }
  assertEquals(next, 40);
});

Deno.test("the memory of marching cubes does not grow with the depth of a field", async () => {
  const { mesh, peak } = await ballInField(40), deep = await ballInField(200);
  assertEquals(deep.mesh, mesh);
  assert(deep.peak <= peak, `${deep.peak} and ${peak} bytes`);
});

/** A mesh whose only cells are in the last of very many rows of two points. */
async function meshOfLastRows(
  device: Device,
  rows: number,
): Promise<{ x: number[]; triangles: number[] }> {
  using _scope = device.scope();
  const values = volumeOf(
    device,
    [2, rows, 2],
    (x, y, z) => y < rows - 5 ? -1 : Math.sin(7 * x + 3 * (rows - y) + 5 * z),
  );
  const slab = { values, base: 0, first: 0, planes: 2 };
  const counts = countSlab(slab, 0);
  const totals = await slice(counts.offsets, [counts.runs, 0], [1, 2]).data();
  const [vertices, triangles] = new Uint32Array(totals.buffer);
  const made = meshSlab(
    slab,
    counts,
    0,
    { vertices, triangles, verticesBefore: 0 },
    { origin: [0, 0, 0], spacing: [1, 1, 1] },
  );
  const [places, words] = await device.read(made.positions, made.triangles);
  return {
    x: [...places].filter((_, k) => k % 3 === 0),
    triangles: [...new Uint32Array(words.buffer)],
  };
}

Deno.test("marching cubes goes on beyond 65,535 workgroups", async () => {
  using device = await openDevice();
  // each row is a run, and 64 runs are a workgroup
  const large = await meshOfLastRows(device, 65536 * 33);
  const small = await meshOfLastRows(device, 8);
  assert(small.triangles.length > 10);
  assertEquals(large, small);
});

Deno.test("volumes that are none are refused", async () => {
  using device = await openDevice();
  const refused = (shape: number[]) =>
    assertRejects(
      async () => await marchingCubes(device.zeros(shape), 0),
      ShapeError,
    );
  for (const shape of [[4, 4], [1, 4, 4], [1, 4, 4, 4]]) await refused(shape);
  const flat = { spacing: [1, 0, 1] } as const;
  await assertRejects(
    () => marchingCubes(device.zeros([2, 2, 2]), 0, flat),
    EngineError,
    "distances above 0",
  );
  for (const slab of [0, -1, 0.5, NaN]) {
    await assertRejects(
      () => marchingCubes(device.zeros([2, 2, 2]), 0, { slab }),
      EngineError,
      `${slab} planes`,
    );
  }
});

Deno.test("the largest piece of a mesh stays and floaters vanish", async () => {
  using device = await openDevice();
  const [large, small] = [ball(9, 6.3), ball(19, 2.4)];
  const both = volumeOf(
    device,
    [24, 24, 24],
    (x, y, z) => Math.max(large(x, y, z), small(x, y, z)),
  );
  const mesh = await marchingCubes(both, 0);
  assertEquals(new Set(connectedComponents(mesh)).size, 2);
  const kept = largestComponent(mesh);
  assertEquals(topologyOf(kept), { ...CLOSED, eulerCharacteristic: 2 });
  const alone = volumeOf(device, [24, 24, 24], large);
  assertWithin(
    1e-6,
    measuresOf(kept).volume,
    measuresOf(await marchingCubes(alone, 0)).volume,
  );
  assertEquals(kept.normals.length, kept.positions.length);
});

/** Two triangles with all that a file holds. */
const SQUARE: ColouredMesh = {
  positions: Float32Array.from([0, 0, 0, 1, 0, 0, 1, 2, -0.5, 0, 2, 0.25]),
  normals: Float32Array.from([0, 0, 1, 0, 0, 1, 0, 1, 0, 1, 0, 0]),
  colours: Float32Array.from([0, 0.5, 1, 1, 1, 1, 0.2, 0.4, 0.6, -1, 2, 0.02]),
  triangles: Uint32Array.from([0, 1, 2, 0, 2, 3]),
};

const NOTHING: ColouredMesh = {
  positions: new Float32Array(0),
  normals: new Float32Array(0),
  colours: new Float32Array(0),
  triangles: new Uint32Array(0),
};

Deno.test("a PLY file holds positions, normals, byte colours and faces", () => {
  const { vertex, faces, rest } = readPly(encodePly(SQUARE));
  assertEquals(rest, 0);
  assertEquals(Object.keys(vertex).join(" "), "x y z nx ny nz red green blue");
  assertEquals(vertex.y, [0, 0, 2, 2]);
  assertEquals(vertex.nx, [0, 0, 0, 1]);
  assertEquals(vertex.red, [0, 255, 51, 0]);
  assertEquals(vertex.green, [128, 255, 102, 255]);
  assertEquals(faces, [[0, 1, 2], [0, 2, 3]]);
  assertEquals(readPly(encodePly(NOTHING)).faces, []);
});

Deno.test("a GLB file holds one mesh with bounds, aligned numbers and linear colours", () => {
  const { json, numbers } = readGlb(encodeGlb(SQUARE));
  assertEquals(json.asset, { version: "2.0", generator: "Pantomime" });
  assertEquals(json.materials!.length, 1);
  const [{ attributes, indices }] = json.meshes![0].primitives;
  const { min, max } = json.accessors![attributes.POSITION];
  assertEquals([min, max], [[0, 0, -0.5], [1, 2, 0.25]]);
  assertEquals(numbers(attributes.POSITION), [...SQUARE.positions]);
  assertEquals(numbers(attributes.NORMAL), [...SQUARE.normals]);
  assertEquals(numbers(indices), [...SQUARE.triangles]);
  const colours = numbers(attributes.COLOR_0);
  assertEquals(colours.filter((_, k) => k % 4 === 3), [1, 1, 1, 1]);
  // half of sRGB is a fifth of the light
  assertAlmostEquals(colours[1], 0.2140, 1e-4);
  assertAlmostEquals(colours[14], 0.02 / 12.92, 1e-4);
  assertEquals(colours.slice(12, 14), [0, 1]);
});

Deno.test("a mesh without triangles is a GLB file with an empty scene", () => {
  const { json } = readGlb(encodeGlb(NOTHING));
  assertEquals(json.scenes, [{}]);
  assertEquals(json.buffers, undefined);
});

Deno.test("the name of a mesh file says its format", async () => {
  await using folder = scratch();
  await writeMesh(folder.file("head.PLY"), SQUARE);
  await writeMesh(folder.file("head.glb"), SQUARE);
  assertEquals(
    readPly(await Deno.readFile(folder.file("head.PLY"))).faces.length,
    2,
  );
  readGlb(await Deno.readFile(folder.file("head.glb")));
  await assertRejects(
    () => writeMesh(folder.file("head.obj"), SQUARE),
    UsageError,
    ".ply or .glb",
  );
});

Deno.test("a head's mesh is closed, in one piece, where the density is the level", async () => {
  using device = await openDevice();
  const generator = await smallGenerator(device);
  const w = mapping(
    generator,
    latent(device, generator, "mesh"),
    labelAt(device),
  );
  const planes = makePlanes(generator, w);
  const options = { resolution: 48, level: 10 };
  const mesh = await headMesh(generator, planes, options);
  const { openEdges, pinchedVertices } = topologyOf(mesh);
  assertEquals({ openEdges, pinchedVertices }, CLOSED);
  assertEquals(new Set(connectedComponents(mesh)).size, 1);
  assert(measuresOf(mesh).volume > 0);
  assert(mesh.colours.every((v) => v >= 0 && v <= 1));

  const { box_warp } = generator.config;
  const step = box_warp / 47, limit = box_warp / 2 - 4 * step;
  const around: number[] = [];
  for (let k = 0; k < mesh.positions.length; k += 3) {
    const p = mesh.positions.subarray(k, k + 3);
    const n = mesh.normals.subarray(k, k + 3);
    assert(p.every((v) => Math.abs(v) < limit) && p[2] > MANNEQUIN_BACK - step);
    // half a step outwards and half a step inwards
    for (const way of [0.5, -0.5]) {
      around.push(...p.map((v, axis) => v + way * step * n[axis]));
    }
  }
  const density = await decodeTriplane(
    permute(planes, [0, 1, 3, 4, 2]),
    device.tensor(around, [1, around.length / 3, 3]),
    densityOnly(decoderOf(generator)),
    { boxWarp: box_warp },
  ).data();
  let right = 0;
  for (let k = 0; k < density.length; k += 2) {
    if (density[k] < 10 && density[k + 1] > 10) right++;
  }
  // not where the head is cut off
  assert(right > 0.7 * density.length / 2, `${2 * right / density.length}`);
});

Deno.test("a head of which everything is cut off is refused", async () => {
  using device = await openDevice();
  const generator = await smallGenerator(device);
  const planes = device.zeros([1, 3, 16, 32, 32]);
  for (const options of [{ margin: 0.5 }, { back: 0.4 }, { resolution: 1 }]) {
    await assertRejects(() => headMesh(generator, planes, options), UsageError);
  }
});
