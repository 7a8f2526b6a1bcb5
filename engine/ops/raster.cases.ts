/**
 * Conformance cases of mesh drawing.
 *
 * @module
 */
import type { Tensor } from "../tensor.ts";
import type { CaseInput, NumberArray, OperatorCase } from "./conformance.ts";
import { hashName } from "./formula.ts";
import {
  flatAttributes,
  interpolateAttributes,
  rasterise,
  type RasterSize,
  sampleTexture,
} from "./raster.ts";
import {
  interpolateAttributesReference,
  rasteriseReference,
  sampleTextureReference,
} from "./raster.reference.ts";

/**
 * Triangles of random corners, or without common corners if there are enough
 * vertices (where two share an edge, rounding decides which of them is nearer).
 */
function soup(name: string, count: number, vertices: number): Uint32Array {
  return Uint32Array.from(
    { length: 3 * count },
    (_, k) => vertices < 3 * count ? hashName(`${name} ${k}`) % vertices : k,
  );
}

/** To sixteenths of a pixel, so that single precision decides every edge as double does. */
function snap(data: Float32Array): void {
  for (let k = 0; k < data.length; k++) {
    if (k % 3 !== 2) data[k] = Math.round(data[k] * 16) / 16;
  }
}

/** x, y and depth of vertices that reach beyond the picture. */
function vertices(count: number, { height, width }: RasterSize): CaseInput {
  const side = Math.max(height, width);
  const scale = 0.7 * side, shift = 0.5 * side;
  return {
    shape: [count, 3],
    scale,
    shift,
    differentiable: false,
    nonFinite: "any",
    adjust: snap,
  };
}

function words(like: Tensor, values: Uint32Array): Tensor {
  const t = like.device.empty([values.length / 3, 3]);
  like.device.writeWords(t, values);
  return t;
}

interface Mesh {
  name: string;
  size: RasterSize;
  points: number;
  count: number;
}

const MESHES: Mesh[] = [
  { name: "one triangle", size: { height: 9, width: 7 }, points: 3, count: 1 },
  { name: "one pixel", size: { height: 1, width: 1 }, points: 12, count: 5 },
  { name: "many", size: { height: 37, width: 50 }, points: 231, count: 77 },
  { name: "tall", size: { height: 65, width: 8 }, points: 30, count: 33 },
];

type Arrays = Record<string, NumberArray>;

function meshCase(
  operator: string,
  { name, size, points, count }: Mesh,
  extra: Record<string, CaseInput>,
  run: (
    t: Record<string, Tensor>,
    size: RasterSize,
    triangles: Tensor,
  ) => Tensor,
  reference: (
    a: Arrays,
    raster: ReturnType<typeof rasteriseReference>,
    triangles: Uint32Array,
  ) => NumberArray,
): OperatorCase {
  const triangles = soup(name, count, points);
  return {
    operator,
    name,
    inputs: { vertices: vertices(points, size), ...extra },
    run: (t) => run(t, size, words(t.vertices, triangles)),
    reference: (a) =>
      reference(
        a,
        rasteriseReference(a.vertices.data, triangles, size),
        triangles,
      ),
  };
}

/** Numbers of the vertices on the picture. */
function attributesCase(mesh: Mesh, channels: number): OperatorCase {
  return meshCase(
    "interpolateAttributes",
    mesh,
    { values: { shape: [mesh.points, channels], differentiable: false } },
    (t, size, triangles) =>
      interpolateAttributes(
        t.values,
        rasterise(t.vertices, triangles, size),
        triangles,
      ),
    (a, raster, triangles) =>
      interpolateAttributesReference(a.values, raster, triangles),
  );
}

/** A picture (C, h, w) on the mesh. */
function textureCase(mesh: Mesh, image: number[]): OperatorCase {
  return meshCase(
    "sampleTexture",
    mesh,
    {
      image: { shape: image, differentiable: false },
      uv: {
        shape: [mesh.points, 2],
        scale: 8,
        shift: 6,
        differentiable: false,
        nonFinite: "any",
      },
    },
    (t, size, triangles) =>
      sampleTexture(
        t.image,
        t.uv,
        rasterise(t.vertices, triangles, size),
        triangles,
      ),
    (a, raster, triangles) =>
      sampleTextureReference(a.image, a.uv, raster, triangles),
  );
}

/** Cases of the operators in `raster.ts`. */
export const rasterCases: OperatorCase[] = MESHES.flatMap((mesh) => [
  meshCase(
    "rasterise",
    mesh,
    {},
    (t, size, triangles) => rasterise(t.vertices, triangles, size).barycentric,
    (_, { barycentric, size: { height, width } }) => ({
      data: barycentric,
      shape: [3, height, width],
    }),
  ),
  attributesCase(mesh, 5),
  meshCase(
    "flatAttributes",
    mesh,
    { values: { shape: [mesh.count, 2], differentiable: false } },
    (t, size, triangles) =>
      flatAttributes(t.values, rasterise(t.vertices, triangles, size)),
    ({ values }, { triangle, size: { height, width } }) => ({
      data: Float64Array.from(
        { length: 2 * triangle.length },
        (_, k) =>
          values
            .data[
              2 * triangle[k % triangle.length] +
              Math.floor(k / triangle.length)
            ] ?? 0,
      ),
      shape: [2, height, width],
    }),
  ),
  textureCase(mesh, [3, 11, 13]),
]);

/** A picture whose pixels need more workgroups than there are in one dimension. */
const WIDE: Mesh = {
  name: "a wide picture",
  size: { height: 2056, width: 2050 },
  points: 3,
  count: 1,
};

/** Cases of more than 65,535 workgroups; see `wide.cases.ts`. */
export const wideRasterCases: OperatorCase[] = [
  attributesCase(WIDE, 1),
  textureCase(WIDE, [1, 11, 13]),
];
