/**
 * Change of element type.
 *
 * @module
 */
import { cast as castKernel } from "../../kernels/elementwise/elementwise.ts";
import type { Dtype } from "../../kernels/kernel.ts";
import { record } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { neighbours } from "./neighbours.ts";

/**
 * x in another element type, rounded to the nearest number; x itself when it
 * has that type. f16 stores, and every kernel computes in f32: networks that
 * were published with f16 layers need half the memory for them.
 *
 * The gradient is cast back to the type of x.
 *
 * @returns the shape of x; beyond 65,504 f16 is infinite
 * @throws {DtypeError} when the device has no such element type
 */
export function cast(x: Tensor, dtype: Dtype): Tensor {
  if (x.dtype === dtype) return x;
  const y = x.device.empty(x.shape, dtype);
  const { step, workgroups } = neighbours(x.device, x.size);
  x.device.run(castKernel, {
    tensors: { x, y },
    params: { n: x.size },
    constants: { STEP: step },
    workgroups,
  });
  return record(y, [x], (g) => [cast(g, x.dtype)]);
}
