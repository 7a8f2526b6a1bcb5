/**
 * Operators that treat every element alike, with NumPy broadcasting.
 *
 * @module
 */
import {
  BINARY,
  binary,
  UNARY,
  unary,
} from "../../kernels/elementwise/elementwise.ts";
import { linearWorkgroups } from "../device.ts";
import {
  broadcastShapes,
  broadcastStrides,
  padRank,
  sameShape,
} from "../shape.ts";
import { record } from "../tape.ts";
import type { Shape, Tensor } from "../tensor.ts";
import { sumTo } from "./reduce.ts";

type UnaryName = keyof typeof UNARY;
type BinaryName = keyof typeof BINARY;

function launchUnary(
  name: UnaryName,
  x: Tensor,
  g: Tensor | null,
  a: number,
  b: number,
): Tensor {
  const y = x.device.empty(x.shape);
  x.device.run(unary, {
    tensors: { x, g: g ?? x, y },
    params: { n: x.size, a, b },
    constants: { OP: UNARY[name], DIRECTION: g ? 1 : 0 },
    workgroups: linearWorkgroups(x.size),
  });
  return y;
}

function applyUnary(name: UnaryName, x: Tensor, a = 0, b = 0): Tensor {
  return record(
    launchUnary(name, x, null, a, b),
    [x],
    (g) => [launchUnary(name, x, g, a, b)],
  );
}

/** scale x + shift. */
export function affine(x: Tensor, scale: number, shift = 0): Tensor {
  return record(
    launchUnary("affine", x, null, scale, shift),
    [x],
    (g) => [affine(g, scale)],
  );
}
/** -x. */
export function negate(x: Tensor): Tensor {
  return affine(x, -1);
}
/** e^x. */
export function exp(x: Tensor): Tensor {
  return applyUnary("exp", x);
}
/** Natural logarithm. */
export function log(x: Tensor): Tensor {
  return applyUnary("log", x);
}
/** Square root. */
export function sqrt(x: Tensor): Tensor {
  return applyUnary("sqrt", x);
}
/** 1 / square root. */
export function rsqrt(x: Tensor): Tensor {
  return applyUnary("rsqrt", x);
}
/** x^2. */
export function square(x: Tensor): Tensor {
  return applyUnary("square", x);
}
/** |x|; the derivative at 0 is 0. */
export function abs(x: Tensor): Tensor {
  return applyUnary("abs", x);
}
/** max(x, 0). */
export function relu(x: Tensor): Tensor {
  return applyUnary("relu", x);
}
/** x where positive, else slope x. */
export function leakyRelu(x: Tensor, slope = 0.2): Tensor {
  return applyUnary("leakyRelu", x, slope);
}
/** 1 / (1 + e^-x). */
export function sigmoid(x: Tensor): Tensor {
  return applyUnary("sigmoid", x);
}
/** Hyperbolic tangent. */
export function tanh(x: Tensor): Tensor {
  return applyUnary("tanh", x);
}
/** log(1 + e^x). */
export function softplus(x: Tensor): Tensor {
  return applyUnary("softplus", x);
}
/** x limited to [low, high]; the derivative outside is 0. */
export function clamp(x: Tensor, low: number, high: number): Tensor {
  return applyUnary("clamp", x, low, high);
}
/** 1 / x. */
export function reciprocal(x: Tensor): Tensor {
  return applyUnary("reciprocal", x);
}
/** Sine of x in radians. */
export function sin(x: Tensor): Tensor {
  return applyUnary("sin", x);
}
/** Cosine of x in radians. */
export function cos(x: Tensor): Tensor {
  return applyUnary("cos", x);
}

function launchBinary(
  name: BinaryName,
  side: 0 | 1 | 2,
  a: Tensor,
  b: Tensor,
  g: Tensor | null,
  shape: Shape,
): Tensor {
  const y = a.device.empty(shape);
  const same = sameShape(a.shape, b.shape);
  const d = padRank(shape, 1);
  const sa = padRank(broadcastStrides(a.shape, shape), 0);
  const sb = padRank(broadcastStrides(b.shape, shape), 0);
  const params: Record<string, number> = { n: y.size };
  for (let k = 0; k < d.length; k++) {
    params[`d${k}`] = d[k];
    params[`a${k}`] = sa[k];
    params[`b${k}`] = sb[k];
  }
  a.device.run(binary, {
    tensors: { a, b, g: g ?? a, y },
    params,
    constants: { OP: BINARY[name], SIDE: side, SAME: same ? 1 : 0 },
    workgroups: linearWorkgroups(y.size),
  });
  return y;
}

function applyBinary(name: BinaryName, a: Tensor, b: Tensor): Tensor {
  const shape = broadcastShapes(a.shape, b.shape);
  return record(
    launchBinary(name, 0, a, b, null, shape),
    [a, b],
    (g, needs) => [
      needs[0] ? sumTo(launchBinary(name, 1, a, b, g, shape), a.shape) : null,
      needs[1] ? sumTo(launchBinary(name, 2, a, b, g, shape), b.shape) : null,
    ],
  );
}

/** a + b. */
export function add(a: Tensor, b: Tensor): Tensor {
  const shape = broadcastShapes(a.shape, b.shape);
  return record(
    launchBinary("add", 0, a, b, null, shape),
    [a, b],
    (g, needs) => [
      needs[0] ? sumTo(g, a.shape) : null,
      needs[1] ? sumTo(g, b.shape) : null,
    ],
  );
}
/** a - b. */
export function subtract(a: Tensor, b: Tensor): Tensor {
  const shape = broadcastShapes(a.shape, b.shape);
  return record(
    launchBinary("subtract", 0, a, b, null, shape),
    [a, b],
    (g, needs) => [
      needs[0] ? sumTo(g, a.shape) : null,
      needs[1] ? negate(sumTo(g, b.shape)) : null,
    ],
  );
}
/** a b, element by element. */
export function multiply(a: Tensor, b: Tensor): Tensor {
  const shape = broadcastShapes(a.shape, b.shape);
  return record(
    launchBinary("multiply", 0, a, b, null, shape),
    [a, b],
    (g, needs) => [
      needs[0] ? sumTo(multiply(g, b), a.shape) : null,
      needs[1] ? sumTo(multiply(g, a), b.shape) : null,
    ],
  );
}
/** a / b. */
export function divide(a: Tensor, b: Tensor): Tensor {
  return applyBinary("divide", a, b);
}
/** The larger of a and b; ties count for a. */
export function maximum(a: Tensor, b: Tensor): Tensor {
  return applyBinary("maximum", a, b);
}
/** The smaller of a and b; ties count for a. */
export function minimum(a: Tensor, b: Tensor): Tensor {
  return applyBinary("minimum", a, b);
}
/** x where positive, else slope x; `slope` broadcasts (PReLU). */
export function prelu(x: Tensor, slope: Tensor): Tensor {
  return applyBinary("prelu", x, slope);
}
