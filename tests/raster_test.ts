import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type Device,
  interpolateAttributes,
  NO_TRIANGLE,
  openDevice,
  rasterise,
  type RasterSize,
  sampleTexture,
  ShapeError,
  type Tensor,
} from "../engine/mod.ts";
import { relativeError } from "../engine/ops/conformance.ts";
import { formula } from "../engine/ops/formula.ts";
import { rasteriseReference } from "../engine/ops/raster.reference.ts";

function triangleTensor(device: Device, indices: number[]): Tensor {
  const t = device.empty([indices.length / 3, 3]);
  device.writeWords(t, Uint32Array.from(indices));
  return t;
}

/** The triangle that each pixel shows. */
async function draw(
  device: Device,
  vertices: ArrayLike<number>,
  indices: number[],
  size: RasterSize,
): Promise<Uint32Array> {
  using _scope = device.scope();
  const { triangle } = rasterise(
    device.tensor(vertices, [vertices.length / 3, 3]),
    triangleTensor(device, indices),
    size,
  );
  return new Uint32Array((await triangle.data()).buffer);
}

/** A sheet of cells x cells squares over [from, to]^2, each of two triangles. */
function sheet(cells: number, from: number, to: number, jitter = 0) {
  const side = cells + 1, noise = formula("jitter", [2 * side * side], jitter);
  const vertices: number[] = [], indices: number[] = [];
  for (let k = 0; k < side * side; k++) {
    const x = from + (k % side) * (to - from) / cells;
    const y = from + Math.floor(k / side) * (to - from) / cells;
    vertices.push(x + noise[2 * k], y + noise[2 * k + 1], 1);
    if (k % side === cells || k >= side * cells) continue;
    const corners = [k, k + 1, k + side, k + side + 1];
    const flip = k % 2 === 0;
    indices.push(corners[0], corners[1], flip ? corners[2] : corners[3]);
    indices.push(flip ? corners[1] : corners[0], corners[3], corners[2]);
  }
  return { vertices, indices };
}

/** How many triangles, each drawn alone, cover each pixel. */
async function layers(
  device: Device,
  mesh: { vertices: number[]; indices: number[] },
  size: RasterSize,
): Promise<number[]> {
  const count = new Array<number>(size.height * size.width).fill(0);
  for (let t = 0; 3 * t < mesh.indices.length; t++) {
    const alone = mesh.indices.slice(3 * t, 3 * t + 3);
    const shown = await draw(device, mesh.vertices, alone, size);
    shown.forEach((k, pixel) => count[pixel] += k === NO_TRIANGLE ? 0 : 1);
  }
  return count;
}

Deno.test("neighbouring triangles share no pixel and leave none out", async () => {
  using device = await openDevice();
  const size = { height: 20, width: 20 };
  // vertices and edges on pixel centres, and at arbitrary places
  for (
    const mesh of [
      sheet(4, -1.5, 22.5),
      sheet(5, -3, 23, 1.1),
      sheet(3, -0.25, 20.75),
    ]
  ) {
    assertEquals(await layers(device, mesh, size), new Array(400).fill(1));
  }
});

Deno.test("a square on pixel centres covers its top and left border only", async () => {
  using device = await openDevice();
  const mesh = sheet(1, 1.5, 3.5);
  const shown = await draw(device, mesh.vertices, mesh.indices, {
    height: 5,
    width: 5,
  });
  const rows = Array.from(
    { length: 5 },
    (_, y) =>
      [...shown.slice(5 * y, 5 * y + 5)].map((t) =>
        t === NO_TRIANGLE ? "." : "#"
      ).join(""),
  );
  assertEquals(rows, [".....", ".##..", ".##..", ".....", "....."]);
});

Deno.test("the nearer triangle wins, and the lower index at equal depth", async () => {
  using device = await openDevice();
  const size = { height: 4, width: 4 };
  const corners = (z: number) => [-9, -9, z, 30, -9, z, -9, 30, z];
  const layered = [
    ...corners(0.3),
    ...corners(0.1),
    ...corners(0.1),
    ...corners(0.2),
  ];
  const shown = await draw(device, layered, [
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
  ], size);
  assertEquals([...shown], new Array(16).fill(1));
  // the same plane through other corners is still the same depth
  const plane = [-9, -9, 7, 30, -9, 7, -9, 30, 7, 29, 31, 7];
  assertEquals(
    [...await draw(device, plane, [3, 0, 1, 0, 1, 2, 2, 1, 0], size)].every((
      t,
    ) => t < 2),
    true,
  );
});

Deno.test("triangles that cross are cut where they meet", async () => {
  using device = await openDevice();
  // depths x and 4 - x: equal at x = 2
  const vertices = [
    -8,
    -8,
    -8,
    24,
    -8,
    24,
    -8,
    24,
    -8,
    -8,
    -8,
    12,
    24,
    -8,
    -20,
    -8,
    24,
    12,
  ];
  const shown = await draw(device, vertices, [0, 1, 2, 3, 4, 5], {
    height: 2,
    width: 4,
  });
  assertEquals([...shown], [0, 0, 1, 1, 0, 0, 1, 1]);
});

Deno.test("both sides of a triangle are seen; empty and far ones are not", async () => {
  using device = await openDevice();
  const size = { height: 3, width: 3 };
  const vertices = [
    -9,
    -9,
    0,
    20,
    -9,
    0,
    -9,
    20,
    0,
    100,
    100,
    -1,
    200,
    100,
    -1,
    100,
    200,
    -1,
  ];
  for (const order of [[0, 1, 2], [0, 2, 1]]) {
    const shown = await draw(device, vertices, [
      3,
      4,
      5,
      0,
      0,
      1,
      0,
      1,
      1,
      ...order,
    ], size);
    assertEquals([...shown], new Array(9).fill(3));
  }
});

Deno.test("three thousand small triangles agree with the float64 reference pixel by pixel", async () => {
  using device = await openDevice();
  // more than the 1024 triangles that one word of a tile's summary stands for
  const count = 3000, size = { height: 96, width: 128 };
  const vertices = formula("small", [3 * count, 3]);
  for (let t = 0; t < count; t++) {
    for (let k = 0; k < 9; k++) {
      const centre = k % 3 === 2 ? 0 : 64 + 70 * vertices[9 * t];
      const place = k % 3 === 1 ? 48 + 50 * vertices[9 * t + 1] : centre;
      const v = 9 * t + k;
      vertices[v] = k % 3 === 2
        ? vertices[v]
        : Math.round(16 * (place + 4 * vertices[v])) / 16;
    }
  }
  const indices = Array.from({ length: 3 * count }, (_, k) => k);
  const shown = await draw(device, vertices, indices, size);
  const wanted = rasteriseReference(vertices, indices, size).triangle;
  assertEquals(shown, wanted);
});

Deno.test("vertex positions carried over a mesh are the pixel centres", async () => {
  using device = await openDevice();
  const mesh = sheet(6, -4, 40, 2), size = { height: 31, width: 33 };
  const vertices = device.tensor(mesh.vertices, [mesh.vertices.length / 3, 3]);
  const triangles = triangleTensor(device, mesh.indices);
  const raster = rasterise(vertices, triangles, size);
  const data = await interpolateAttributes(vertices, raster, triangles).data();
  const pixels = 31 * 33;
  const wanted = Float64Array.from({ length: 3 * pixels }, (_, k) => {
    if (k >= 2 * pixels) return 1;
    return k < pixels ? k % 33 + 0.5 : Math.floor(k / 33) - 31 + 0.5;
  });
  assert(relativeError(data, wanted) < 1e-6);
});

Deno.test("what vertices carry is linear on the screen, however deep they lie", async () => {
  using device = await openDevice();
  const size = { height: 16, width: 16 };
  const corners = [-20, -20, 1, 60, -20, 90, -20, 60, 7];
  const vertices = device.tensor(corners, [3, 3]);
  const triangles = triangleTensor(device, [0, 1, 2]);
  const raster = rasterise(vertices, triangles, size);
  const carried = device.tensor([0, 3, 80, 3, 0, 83], [3, 2]);
  const found = await interpolateAttributes(carried, raster, triangles).data();
  // with perspective, depths of 1, 90 and 7 would draw all values to the first vertex's
  const wanted = Float64Array.from(
    { length: 2 * 256 },
    (_, k) => k < 256 ? k % 16 + 20.5 : 3 + Math.floor(k / 16) - 16 + 20.5,
  );
  assert(relativeError(found, wanted) < 1e-5);
});

Deno.test("a picture on an undeformed mesh is the picture itself", async () => {
  using device = await openDevice();
  const mesh = sheet(5, 0, 24, 0), size = { height: 24, width: 24 };
  const image = device.tensor(formula("image", [3, 24, 24]), [3, 24, 24]);
  const vertices = device.tensor(mesh.vertices, [36, 3]);
  const uv = device.tensor(mesh.vertices.filter((_, k) => k % 3 !== 2), [
    36,
    2,
  ]);
  const triangles = triangleTensor(device, mesh.indices);
  const raster = rasterise(vertices, triangles, size);
  const drawn = await sampleTexture(image, uv, raster, triangles).data();
  assert(relativeError(drawn, await image.data()) < 1e-5);
});

Deno.test("drawing twice gives the same bits", async () => {
  using device = await openDevice();
  const mesh = sheet(20, -5, 300, 9), size = { height: 256, width: 256 };
  const [one, two] = [
    await draw(device, mesh.vertices, mesh.indices, size),
    await draw(device, mesh.vertices, mesh.indices, size),
  ];
  assertEquals(one, two);
});

Deno.test("meshes and pictures of other shapes are refused", async () => {
  using device = await openDevice();
  const size = { height: 4, width: 4 };
  const vertices = device.zeros([3, 3]),
    triangles = triangleTensor(device, [0, 1, 2]);
  const raster = rasterise(vertices, triangles, size);
  const wrong = [
    () => rasterise(device.zeros([3, 2]), triangles, size),
    () => rasterise(vertices, triangles, { height: 0, width: 4 }),
    () => interpolateAttributes(device.zeros([3]), raster, triangles),
    () =>
      sampleTexture(
        device.zeros([4, 4]),
        device.zeros([3, 2]),
        raster,
        triangles,
      ),
  ];
  for (const run of wrong) assertThrows(run, ShapeError);
});
