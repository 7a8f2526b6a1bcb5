/**
 * Conformance cases of marching cubes.
 *
 * @module
 */
import { rasterSetup } from "../../kernels/raster/raster.ts";
import { linearWorkgroups } from "../device.ts";
import type { Tensor } from "../tensor.ts";
import type { NumberArray, OperatorCase } from "./conformance.ts";
import { formula } from "./formula.ts";
import {
  marchingCubesReference,
  type SurfaceReference,
} from "./marching_cubes.reference.ts";
import {
  countSlab,
  type GridPlacement,
  meshSlab,
  type SlabMesh,
} from "./marching_cubes.slab.ts";

interface Volume {
  name: string;
  /** (D, H, W). */
  shape: readonly [number, number, number];
  /** Changes the numbers of the formula. */
  adjust?: (data: Float32Array) => void;
}

const PLACEMENT: GridPlacement = {
  origin: [-0.5, 2, 0.25],
  spacing: [0.5, 0.25, 1],
};

/** Every ninth number is one that comparisons and differences trip over. */
function special(data: Float32Array): void {
  const numbers = [NaN, Infinity, -Infinity, LEVEL];
  for (let k = 0; k < data.length; k += 9) data[k] = numbers[k / 9 % 4];
}

const LEVEL = 0.125;

const VOLUMES: Volume[] = [
  { name: "noise", shape: [5, 6, 7] },
  { name: "one cell", shape: [2, 2, 2] },
  { name: "rows of several runs", shape: [3, 4, 70] },
  { name: "several spans of runs", shape: [17, 23, 3] },
  {
    name: "NaN, infinities and the level itself",
    shape: [5, 5, 6],
    adjust: special,
  },
];

/** The whole volume as one slab, in as much room as its mesh is known to take. */
function meshOf(
  values: Tensor,
  { positions, triangles }: SurfaceReference,
): SlabMesh {
  const slab = { values, base: 0, first: 0, planes: values.shape[0] };
  const size = {
    vertices: positions.shape[0],
    triangles: triangles.length / 3,
    verticesBefore: 0,
  };
  const counts = countSlab(slab, LEVEL);
  return meshSlab(slab, counts, LEVEL, size, PLACEMENT);
}

/** (T, 9): the corners of each triangle one after another; indices are no numbers to compare. */
function cornersOf({ positions: vertices, triangles }: SlabMesh): Tensor {
  const device = vertices.device, count = triangles.shape[0];
  const corners = device.empty([count, 9]), bounds = device.empty([count, 2]);
  device.run(rasterSetup, {
    tensors: { vertices, triangles, corners, bounds },
    params: { triangles: count, height: 1, width: 1 },
    workgroups: linearWorkgroups(count),
  });
  return corners;
}

function cornersReference(
  { positions, triangles }: SurfaceReference,
): NumberArray {
  const data = triangles.flatMap((v) => [
    ...positions.data.subarray(3 * v, 3 * v + 3),
  ]);
  return { data: Float64Array.from(data), shape: [triangles.length / 3, 9] };
}

function volumeCase(
  { name, shape, adjust }: Volume,
  part: string,
  run: (mesh: SlabMesh) => Tensor,
  reference: (mesh: SurfaceReference) => NumberArray,
  tolerance?: number,
): OperatorCase {
  const operator = "marchingCubes", title = `${name}: ${part}`;
  let known: SurfaceReference | null = null;
  const wanted = () => {
    if (known) return known;
    const values = formula(`${operator}.${title}.values`, shape);
    adjust?.(values);
    const array = { data: Float64Array.from(values), shape: [...shape] };
    const { origin, spacing } = PLACEMENT;
    return known = marchingCubesReference(array, LEVEL, origin, spacing);
  };
  return {
    operator,
    name: title,
    // one of the volumes has NaN and infinity; the room for a mesh is its own
    inputs: {
      values: { shape, adjust, differentiable: false, nonFinite: "any" },
    },
    run: (t) => run(meshOf(t.values, wanted())),
    reference: () => reference(wanted()),
    tolerance,
  };
}

/** Cases of the operators in `marching_cubes.ts`. */
export const marchingCubesCases: OperatorCase[] = VOLUMES.flatMap((volume) => [
  volumeCase(volume, "positions", (m) => m.positions, (m) => m.positions),
  volumeCase(volume, "normals", (m) => m.normals, (m) => m.normals, 1e-4),
  volumeCase(volume, "triangles", cornersOf, cornersReference),
]);
