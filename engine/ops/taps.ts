/**
 * Separable linear maps of pictures, given as tables of taps: each result is
 * a weighted sum of neighbouring numbers along rows and along columns. Resizing
 * and average pooling are such maps, and so are their adjoints.
 *
 * @module
 */
import { resample } from "../../kernels/interpolate/interpolate.ts";
import { type Device, linearWorkgroups } from "../device.ts";
import { record } from "../tape.ts";
import type { Tensor } from "../tensor.ts";

/** What one result along an axis is made of. */
export interface Taps {
  /** Index of the first number used. */
  readonly start: number;
  /** Weights of it and its successors. */
  readonly weights: readonly number[];
}

/** A linear map along one axis; `key` tells it from every other map. */
export interface AxisMap {
  /** Unique description. */
  readonly key: string;
  /** Numbers along the axis of the argument. */
  readonly length: number;
  /** Taps of each result. */
  readonly taps: readonly Taps[];
}

const maps = new Map<string, AxisMap>();
/** Past this many maps the cache starts afresh. */
const MAPS = 1024;

/** The map of that description, computed once. */
export function axisMap(
  key: string,
  length: number,
  taps: () => readonly Taps[],
): AxisMap {
  const known = maps.get(key);
  if (known) return known;
  if (maps.size >= MAPS) maps.clear();
  const made = { key, length, taps: taps() };
  maps.set(key, made);
  return made;
}

/** The map that carries gradients back. */
export function adjointMap(map: AxisMap): AxisMap {
  return axisMap(`adjoint(${map.key})`, map.taps.length, () => transposed(map));
}

/** Taps of the transpose; where a number reaches no result, one tap of weight 0. */
function transposed(map: AxisMap): Taps[] {
  const lists: (Taps & { weights: number[] } | null)[] = new Array(map.length)
    .fill(null);
  map.taps.forEach(({ start, weights }, o) =>
    weights.forEach((weight, k) => {
      const list = lists[start + k] ??= { start: o, weights: [] };
      while (list.weights.length < o - list.start) list.weights.push(0);
      list.weights.push(weight);
    })
  );
  return lists.map((list) => list ?? { start: 0, weights: [0] });
}

interface Table {
  tensor: Tensor;
  width: number;
}

const tables = new WeakMap<Device, Map<string, Table>>();

/** Both maps as the kernel reads them; kept on the device until there are too many. */
function tablesOf(device: Device, rows: AxisMap, columns: AxisMap): Table[] {
  let known = tables.get(device);
  if (!known) tables.set(device, known = new Map());
  // room for both, so that neither is released for the other
  if (known.size + 2 > MAPS) {
    for (const old of known.values()) old.tensor.release();
    known.clear();
  }
  return [table(device, known, rows), table(device, known, columns)];
}

function table(
  device: Device,
  known: Map<string, Table>,
  map: AxisMap,
): Table {
  const found = known.get(map.key);
  if (found) return found;
  const width = 2 + Math.max(...map.taps.map((t) => t.weights.length));
  const data = new Float32Array(map.taps.length * width);
  map.taps.forEach(({ start, weights }, k) =>
    data.set([start, weights.length, ...weights], k * width)
  );
  const tensor = device.unscoped(() =>
    device.tensor(data, [map.taps.length, width])
  );
  const made = { tensor, width };
  known.set(map.key, made);
  return made;
}

/** Products of tap counts above which two passes are cheaper than one. */
const ONE_PASS = 64;

/**
 * Applies one map along the rows' axis and one along the columns'.
 *
 * @param x (N, C, H, W)
 */
export function applyMaps(x: Tensor, rows: AxisMap, columns: AxisMap): Tensor {
  const y = launchMaps(x, rows, columns);
  return record(
    y,
    [x],
    (g) => [applyMaps(g, adjointMap(rows), adjointMap(columns))],
  );
}

function launchMaps(x: Tensor, rows: AxisMap, columns: AxisMap): Tensor {
  const device = x.device, [n, c, h, w] = x.shape;
  const [vertical, horizontal] = tablesOf(device, rows, columns);
  const taps = (vertical.width - 2) * (horizontal.width - 2);
  if (taps > ONE_PASS && vertical.width > 3 && horizontal.width > 3) {
    using across = launchMaps(x, identity(h), columns);
    return launchMaps(across, rows, identity(columns.taps.length));
  }
  const y = device.empty([n, c, rows.taps.length, columns.taps.length]);
  const planes = n * c % 4 === 0 ? 4 : 1;
  device.run(resample, {
    tensors: { x, rows: vertical.tensor, columns: horizontal.tensor, y },
    params: {
      n: y.size / planes,
      h,
      w,
      oh: rows.taps.length,
      ow: columns.taps.length,
      ky: vertical.width,
      kx: horizontal.width,
    },
    constants: { PLANES: planes },
    workgroups: linearWorkgroups(y.size / planes),
  });
  return y;
}

function identity(length: number): AxisMap {
  return axisMap(
    `identity ${length}`,
    length,
    () => Array.from({ length }, (_, start) => ({ start, weights: [1] })),
  );
}
