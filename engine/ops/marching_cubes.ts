/**
 * Surfaces of volumes (Lorensen and Cline, "Marching cubes", 1987). None of it
 * has a gradient.
 *
 * @module
 */
import { MOST_TRIANGLES } from "../../kernels/raster/marching_cubes.ts";
import type { Device } from "../device.ts";
import { EngineError, ShapeError, TensorTooLargeError } from "../errors.ts";
import { Tensor } from "../tensor.ts";
import {
  countSlab,
  type GridPlacement,
  meshSlab,
  type Slab,
} from "./marching_cubes.slab.ts";
import { concat, slice } from "./movement.ts";

/** A mesh of triangles. */
export interface SurfaceMesh {
  /** Three numbers for each vertex: x, y, z. */
  positions: Float32Array;
  /** Three numbers for each vertex: a direction of length 1 that points outwards. */
  normals: Float32Array;
  /** Three vertices for each triangle, counter-clockwise seen from outside. */
  triangles: Uint32Array;
}

/** A grid of numbers that is asked for a few planes at a time. */
export interface Field {
  /** Device of the planes. */
  readonly device: Device;
  /** Points along z, y and x; at least 2 each. */
  readonly shape: readonly [number, number, number];
  /**
   * Planes `first` to `first + count - 1` as (count, H, W). Each plane is asked
   * for once, in order.
   */
  readonly planes: (first: number, count: number) => Tensor;
}

/** Options of {@linkcode marchingCubes}. */
export interface MarchingCubesOptions {
  /** x, y and z of the first grid point; 0 when absent. */
  origin?: readonly [number, number, number];
  /** Distance of grid points along x, y and z, more than 0; 1 when absent. */
  spacing?: readonly [number, number, number];
  /** Planes that are worked on at a time; as many as fit when absent. */
  slab?: number;
}

/** Points of a slab at most, whatever the device can hold. */
const SLAB_POINTS = 1 << 22;

/**
 * The surface where a volume passes through a level. Inside is where it
 * exceeds the level; NaN counts as outside. Each grid edge that crosses has one
 * vertex, interpolated linearly; normals are the volume's gradient by central
 * differences. Away from the border of the grid the mesh is closed, and each of
 * its edges belongs to two triangles.
 *
 * @param values (D, H, W): number at z, y, x
 * @param level what separates inside and outside
 * @throws {ShapeError} when `values` has fewer than two points along an axis
 */
export function marchingCubes(
  values: Tensor,
  level: number,
  options: MarchingCubesOptions = {},
): Promise<SurfaceMesh> {
  const [depth, height, width] = values.shape;
  if (values.shape.length !== 3) throw wrongShape(values.shape);
  return marchField(
    {
      device: values.device,
      shape: [depth, height, width],
      planes: (first, count) =>
        slice(values, [first, 0, 0], [count, height, width]),
    },
    level,
    options,
  );
}

/**
 * As {@linkcode marchingCubes}, for a volume that need not fit the device: it
 * is worked on in slabs that share their vertices, and no more than one and
 * its neighbours is held at a time. The mesh does not depend on the slabs.
 *
 * @throws {ShapeError} when the grid has fewer than two points along an axis
 * @throws {TensorTooLargeError} when the mesh of one plane might not fit the device
 * @throws {EngineError} when a spacing is not positive, or a slab no whole number
 * from 1 on
 */
export async function marchField(
  field: Field,
  level: number,
  options: MarchingCubesOptions = {},
): Promise<SurfaceMesh> {
  const { device, shape: [depth, height, width] } = field;
  const { origin = [0, 0, 0], spacing = [1, 1, 1] } = options;
  if (!field.shape.every((n) => n >= 2)) throw wrongShape(field.shape);
  if (!spacing.every((s) => s > 0)) {
    throw new EngineError(
      `Grid points ${spacing} apart make no volume: give three distances above 0.`,
    );
  }
  const thickness = options.slab ?? slabThickness(device, height * width);
  if (!Number.isInteger(thickness) || thickness < 1) {
    throw new EngineError(
      `A grid is not worked on ${thickness} planes at a time: give a whole number from 1 on.`,
    );
  }
  const parts: SurfaceMesh[] = [];
  let vertices = 0, window: Window | null = null;
  try {
    for (let first = 0; first < depth; first += thickness) {
      const planes = Math.min(thickness, depth - first);
      window = moveWindow(field, window, first, planes);
      const part = await march(
        { ...window, first: first - window.base, planes },
        level,
        vertices,
        { origin, spacing },
      );
      vertices += part.positions.length / 3;
      parts.push(part);
    }
  } finally {
    window?.values.release();
  }
  return join(parts);
}

function wrongShape(shape: readonly number[]): ShapeError {
  return new ShapeError(
    `A volume is (D, H, W) with at least two points along each axis, not [${shape}].`,
  );
}

/** Planes for which a mesh fits the device, however the surface winds. */
function slabThickness(device: Device, points: number): number {
  const bytes = points * MOST_TRIANGLES * 3 * 4;
  const fitting = Math.floor(device.maxTensorBytes / bytes);
  if (fitting < 1) {
    throw new TensorTooLargeError(
      `The mesh of a plane of ${points} grid points can take ${bytes} bytes and this adapter binds at most ${device.maxTensorBytes}: use a coarser grid.`,
    );
  }
  return Math.max(1, Math.min(fitting, Math.floor(SLAB_POINTS / points)));
}

/** The planes of a field that are held. */
type Window = Pick<Slab, "values" | "base">;

/** Goes on to the planes around [first, first + planes); keeps the ones that are held already. */
function moveWindow(
  { device, shape: [depth, height, width], planes: ask }: Field,
  held: Window | null,
  first: number,
  planes: number,
): Window {
  const base = Math.max(0, first - 1);
  const end = Math.min(depth, first + planes + 2);
  const known = held ? held.base + held.values.shape[0] : 0;
  using _scope = device.scope();
  const values = device.withoutTape(() => {
    const parts: Tensor[] = [];
    if (held && known > base) {
      const start = [base - held.base, 0, 0];
      parts.push(slice(held.values, start, [known - base, height, width]));
    }
    if (end > known) parts.push(ask(known, end - known));
    return parts.length === 1 ? parts[0].detach() : concat(parts, 0);
  });
  held?.values.release();
  return { values: device.unscoped(() => values.detach()), base };
}

/** The mesh of a slab; the first wait is for its size. */
async function march(
  slab: Slab,
  level: number,
  verticesBefore: number,
  placement: GridPlacement,
): Promise<SurfaceMesh> {
  const device = slab.values.device;
  using held = new DisposableStack();
  const counts = holdTensors(held, device, () => {
    const found = countSlab(slab, level);
    return { ...found, totals: slice(found.offsets, [found.runs, 0], [1, 2]) };
  });
  const [vertices, triangles] = wordsOf(await counts.totals.data());
  if (vertices === 0 && triangles === 0) return join([]);
  const size = { vertices, triangles, verticesBefore };
  const mesh = holdTensors(
    held,
    device,
    () => meshSlab(slab, counts, level, size, placement),
  );
  const [positions, normals, indices] = await device.read(
    mesh.positions,
    mesh.normals,
    mesh.triangles,
  );
  return {
    positions: positions.subarray(0, 3 * vertices),
    normals: normals.subarray(0, 3 * vertices),
    triangles: wordsOf(indices).subarray(0, 3 * triangles),
  };
}

/**
 * Puts the tensors that `body` returns under the care of `held`. A scope of the
 * device would not do: what the caller makes while a mesh is waited for would
 * be released with it.
 */
function holdTensors<T extends object>(
  held: DisposableStack,
  device: Device,
  body: () => T,
): T {
  return device.unscoped(() => {
    using scope = device.scope();
    const made = device.withoutTape(body);
    for (const t of Object.values(made)) {
      if (t instanceof Tensor) held.use(scope.keep(t));
    }
    return made;
  });
}

function wordsOf(data: Float32Array): Uint32Array {
  return new Uint32Array(data.buffer, data.byteOffset, data.length);
}

function join(parts: readonly SurfaceMesh[]): SurfaceMesh {
  const total = (of: keyof SurfaceMesh) =>
    parts.reduce((sum, part) => sum + part[of].length, 0);
  const mesh = {
    positions: new Float32Array(total("positions")),
    normals: new Float32Array(total("normals")),
    triangles: new Uint32Array(total("triangles")),
  };
  let vertex = 0, triangle = 0;
  for (const part of parts) {
    mesh.positions.set(part.positions, vertex);
    mesh.normals.set(part.normals, vertex);
    mesh.triangles.set(part.triangles, triangle);
    vertex += part.positions.length;
    triangle += part.triangles.length;
  }
  return mesh;
}
