/**
 * Rows of the benchmark for single operators, in the shapes of the default
 * generator; each in its three directions.
 *
 * @module
 */
import {
  conv2d,
  convTranspose2d,
  type Device,
  gradients,
  matmul,
  Random,
  type Tensor,
} from "../engine/mod.ts";
import type { Row } from "./measure.ts";

/** Two inputs by name, with their shapes. */
type Inputs = readonly (readonly [name: string, shape: number[]])[];

/** f, and its gradients with respect to each of two inputs. */
function directions(
  group: string,
  label: string,
  shapes: Inputs,
  operations: number,
  f: (a: Tensor, b: Tensor) => Tensor,
): Row[] {
  const inputs = (device: Device) => {
    const random = new Random(device, 1);
    return shapes.map(([, shape]) => random.normal(shape));
  };
  const forward: Row = {
    group,
    name: label,
    operations,
    prepare: (device) => {
      const [a, b] = inputs(device);
      return () => f(a, b);
    },
  };
  const backward = shapes.map(([which], k): Row => ({
    group,
    name: `${label}, gradient of the ${which}`,
    operations,
    prepare: (device) => {
      const tensors = inputs(device);
      tensors[k].track();
      const y = f(tensors[0], tensors[1]);
      const seed = new Random(device, 2).normal(y.shape);
      return () => gradients(y, [tensors[k]], { seed });
    },
  }));
  return [forward, ...backward];
}

function product(m: number, k: number, n: number): Row[] {
  return directions(
    "matmul",
    `matmul ${m} x ${k} x ${n}`,
    [["left side", [m, k]], ["right side", [k, n]]],
    2 * m * k * n,
    matmul,
  );
}

function convolution(
  ci: number,
  co: number,
  side: number,
  size: number,
): Row[] {
  return directions(
    "conv2d",
    `conv ${size} x ${size}, ${ci} to ${co} channels at ${side} px`,
    [["input", [1, ci, side, side]], ["weight", [co, ci, size, size]]],
    2 * ci * co * side * side * size * size,
    (x, w) => conv2d(x, w, { padding: (size - 1) / 2 }),
  );
}

function upConvolution(ci: number, co: number, side: number): Row[] {
  return directions(
    "conv2d",
    `up-conv 3 x 3, ${ci} to ${co} channels, ${side} to ${2 * side + 1} px`,
    [["input", [1, ci, side, side]], ["weight", [ci, co, 3, 3]]],
    2 * ci * co * side * side * 9,
    (x, w) => convTranspose2d(x, w, { stride: 2 }),
  );
}

/** Rows of single operators. */
export const operatorRows: readonly Row[] = [
  ...product(512, 512, 512),
  ...product(1024, 1024, 1024),
  ...product(196608, 16, 64),
  ...convolution(128, 128, 4, 3),
  ...convolution(128, 128, 8, 3),
  ...convolution(128, 128, 16, 3),
  ...convolution(128, 128, 32, 3),
  ...convolution(64, 64, 64, 3),
  ...convolution(32, 32, 128, 3),
  ...convolution(32, 48, 128, 1),
  ...upConvolution(128, 64, 32),
  ...upConvolution(64, 32, 64),
];
