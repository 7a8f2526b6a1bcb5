/**
 * Operators that treat every element alike, with NumPy broadcasting.
 *
 * @module
 */
import {
  BINARY,
  binary,
  binarySame,
  UNARY,
  unary,
} from "../../kernels/elementwise/elementwise.ts";
import { commonDtype } from "../dtype.ts";
import { broadcastShapes, sameShape } from "../shape.ts";
import { firstDerivative, record } from "../tape.ts";
import { elementCount, type Shape, type Tensor } from "../tensor.ts";
import { binaryLayout } from "./binary_layout.ts";
import { reshape } from "./movement.ts";
import { neighbouringVectors, neighbours } from "./neighbours.ts";
import { sumOfProducts, sumTo } from "./reduce.ts";

type UnaryName = keyof typeof UNARY;
type BinaryName = keyof typeof BINARY;

function launchUnary(
  name: UnaryName,
  x: Tensor,
  g: Tensor | null,
  a: number,
  b: number,
): Tensor {
  const y = x.device.empty(x.shape, x.dtype);
  const { step, count, workgroups } = neighbouringVectors(x.device, x.size);
  x.device.run(unary, {
    tensors: { x, g: g ?? x, y },
    params: { n: count, a, b },
    constants: { OP: UNARY[name], DIRECTION: g ? 1 : 0, STEP: step },
    workgroups,
  });
  return y;
}

function applyUnary(name: UnaryName, x: Tensor, a = 0, b = 0): Tensor {
  return record(
    launchUnary(name, x, null, a, b),
    [x],
    (g) => [unaryGradient(name, x, g, a, b)],
  );
}

/** Operators whose second derivative is 0 wherever there is one. */
const PIECEWISE_LINEAR: ReadonlySet<UnaryName> = new Set<UnaryName>([
  "abs",
  "relu",
  "leakyRelu",
  "clamp",
  "finite",
]);

function unaryGradient(
  name: UnaryName,
  x: Tensor,
  g: Tensor,
  a: number,
  b: number,
): Tensor {
  const dx = launchUnary(name, x, g, a, b);
  return PIECEWISE_LINEAR.has(name)
    ? record(dx, [g], (h) => [unaryGradient(name, x, h, a, b)])
    : firstDerivative(dx, [x, g], name);
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
  const y = launchUnary("exp", x, null, 0, 0);
  return record(y, [x], (g) => [multiply(g, y)]);
}
/** Natural logarithm. */
export function log(x: Tensor): Tensor {
  return applyUnary("log", x);
}
/** Square root. */
export function sqrt(x: Tensor): Tensor {
  return applyUnary("sqrt", x);
}
/** 1 / square root of x + shift. */
export function rsqrt(x: Tensor, shift = 0): Tensor {
  return applyUnary("rsqrt", x, 0, shift);
}
/** x^2. */
export function square(x: Tensor): Tensor {
  return record(
    launchUnary("square", x, null, 0, 0),
    [x],
    (g) => [
      x.device.recording
        ? multiply(g, affine(x, 2))
        : launchUnary("square", x, g, 0, 0),
    ],
  );
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
/** scale x where that is a number, 0 where x is infinite or NaN. */
export function finite(x: Tensor, scale = 1): Tensor {
  return applyUnary("finite", x, scale);
}

function launchBinary(
  name: BinaryName,
  side: 0 | 1 | 2,
  a: Tensor,
  b: Tensor,
  g: Tensor | null,
  shape: Shape,
): Tensor {
  const y = a.device.empty(shape, commonDtype(name, [a, b]));
  const tensors = { a, b, g: g ?? a, y };
  const operation = { OP: BINARY[name], SIDE: side };
  if (sameShape(a.shape, b.shape)) {
    const { step, count, workgroups } = neighbouringVectors(a.device, y.size);
    a.device.run(binarySame, {
      tensors,
      params: { n: count },
      constants: { ...operation, STEP: step },
      workgroups,
    });
    return y;
  }
  const run = neighbours(a.device, y.size);
  const { layout, params, workgroups } = binaryLayout(
    a.shape,
    b.shape,
    shape,
    run,
  );
  a.device.run(binary, {
    tensors,
    params: { n: y.size, ...params },
    constants: { ...operation, LAYOUT: layout, STEP: run.step },
    workgroups,
  });
  return y;
}

function applyBinary(name: BinaryName, a: Tensor, b: Tensor): Tensor {
  const shape = broadcastShapes(a.shape, b.shape);
  return record(
    launchBinary(name, 0, a, b, null, shape),
    [a, b],
    (g, needs) => [
      needs[0] ? sumTo(binaryGradient(name, 1, a, b, g), a.shape) : null,
      needs[1] ? sumTo(binaryGradient(name, 2, a, b, g), b.shape) : null,
    ],
  );
}

function binaryGradient(
  name: BinaryName,
  side: 1 | 2,
  a: Tensor,
  b: Tensor,
  g: Tensor,
): Tensor {
  const part = launchBinary(name, side, a, b, g, g.shape);
  return firstDerivative(part, [a, b, g], name);
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
/** g x, summed over the axes along which `shape` was broadcast to g. */
function productTo(g: Tensor, x: Tensor, shape: Shape): Tensor {
  const rank = g.shape.length;
  let last = 0;
  while (last < rank && (shape.at(-1 - last) ?? 1) === 1) last++;
  const rows = g.shape.slice(0, rank - last);
  const one = sameShape(g.shape, x.shape) &&
    rows.every((n, k) => n === 1 || shape[k + shape.length - rank] === n);
  // in one kernel where whole rows belong to each number
  return last > 0 && one && elementCount(shape) < g.size
    ? reshape(sumOfProducts(g, x, last), shape)
    : sumTo(multiply(g, x), shape);
}

/** a b, element by element. */
export function multiply(a: Tensor, b: Tensor): Tensor {
  const shape = broadcastShapes(a.shape, b.shape);
  return record(
    launchBinary("multiply", 0, a, b, null, shape),
    [a, b],
    (g, needs) => [
      needs[0] ? productTo(g, b, a.shape) : null,
      needs[1] ? productTo(g, a, b.shape) : null,
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
