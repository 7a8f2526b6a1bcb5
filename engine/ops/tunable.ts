/**
 * Convolutions and matrix products as the autotuner sees them.
 *
 * @module
 */
import type { Geometry } from "../../kernels/conv2d/walk.ts";
import { type Method, methodName, SIMPLE } from "../../kernels/method.ts";
import type { Dtype } from "../../kernels/kernel.ts";
import type { Variant } from "../../kernels/matmul/matmul.ts";
import type { Tunable } from "../autotune.ts";
import type { Device } from "../device.ts";
import type { Shape, Tensor } from "../tensor.ts";
import { variantOf } from "./variant.ts";

/** One direction of a convolution. */
export interface ConvDirection {
  /** For the key, for instance `conv2d.forward`. */
  readonly operator: string;
  /** Methods for a geometry on a device that binds so many bytes, the default first. */
  readonly methods: (
    c: Geometry,
    variant: Variant,
    bytes: number,
  ) => readonly Method[];
  /** Shapes of the two inputs. */
  readonly shapes: (c: Geometry) => readonly [Shape, Shape];
  /** Runs a method on them. */
  readonly run: (a: Tensor, b: Tensor, c: Geometry, method: Method) => Tensor;
}

/** A convolution in one direction. */
export function tunableConv(
  direction: ConvDirection,
  c: Geometry,
  dtypes: readonly [Dtype, Dtype],
  device: Device,
): Tunable<Method> {
  const { operator, methods, shapes, run } = direction;
  const stem = `${c.n} x ${c.groups} x ${c.cin} to ${c.cout}`;
  const pixels = `${c.h} x ${c.w} to ${c.oh} x ${c.ow} by ${c.kh} x ${c.kw}`;
  const steps = `${c.stride} ${c.dilation} ${c.top} ${c.left}`;
  return {
    key: [operator, stem, pixels, steps, ...dtypes].join(", "),
    methods: methods(c, variantOf(device), device.maxTensorBytes),
    reference: SIMPLE,
    name: methodName,
    inputs: shapes(c).map((shape, k) => ({ shape, dtype: dtypes[k] })),
    run: ([a, b], method) => run(a, b, c, method),
    operations: 2 * c.n * c.groups * c.cin * c.cout * c.oh * c.ow * c.kh *
      c.kw,
    reduced: () => tunableConv(direction, reducedGeometry(c), dtypes, device),
  };
}

/** Sizes of a reduced shape: more than one tile of every kernel. */
const CHANNELS = 72, SIDE = 20, GROUPS = 8, BATCH = 2;

/** The same convolution of a smaller picture with fewer channels. */
function reducedGeometry(c: Geometry): Geometry {
  const rows = Math.max(0, c.oh - SIDE), columns = Math.max(0, c.ow - SIDE);
  return {
    ...c,
    n: Math.min(c.n, BATCH),
    groups: Math.min(c.groups, GROUPS),
    cin: Math.min(c.cin, CHANNELS),
    cout: Math.min(c.cout, CHANNELS),
    oh: c.oh - rows,
    ow: c.ow - columns,
    h: c.h - rows * c.stride,
    w: c.w - columns * c.stride,
  };
}
