/**
 * Operators of random graphs that move numbers.
 *
 * @module
 */
import * as ops from "../../engine/mod.ts";
import { build, reader } from "../../engine/ops/reference.ts";
import type { Maker } from "./random_graph.ts";

/** Reshape, permute, slice, pad, flip and concat. */
export const MOVEMENT: readonly Maker[] = [
  (g) => {
    const k = g.find((s) => s.length > 1), shape = g.shape(k);
    const cut = g.whole(1, shape.length - 1);
    const size = (part: number[]) => part.reduce((a, b) => a * b, 1);
    const flat = [size(shape.slice(0, cut)), size(shape.slice(cut))];
    return {
      text: `reshape(n${k}, [${flat}])`,
      inputs: [k],
      run: ([x]) => ops.reshape(x, flat),
      reference: ([x]) => ({ data: x.data, shape: flat }),
    };
  },
  (g) => {
    const k = g.find((s) => s.length > 1), shape = g.shape(k);
    const order = shape.map((_, i) => [g.random(), i]).sort().map(([, i]) => i);
    return {
      text: `permute(n${k}, [${order}])`,
      inputs: [k],
      run: ([x]) => ops.permute(x, order),
      reference: ([x]) => {
        const at = reader(x), source = new Array<number>(order.length);
        return build(order.map((i) => shape[i]), (index) => {
          order.forEach((from, to) => source[from] = index[to]);
          return at(...source);
        });
      },
    };
  },
  (g) => {
    const k = g.find((s) => s.length > 0), shape = g.shape(k);
    const start = shape.map((n) => g.whole(0, Math.min(2, n - 1)));
    const size = shape.map((n, i) => n - start[i] - g.whole(0, n > 3 ? 1 : 0));
    return {
      text: `slice(n${k}, [${start}], [${size.map((n) => Math.max(n, 1))}])`,
      inputs: [k],
      run: ([x]) => ops.slice(x, start, size.map((n) => Math.max(n, 1))),
      reference: ([x]) => {
        const at = reader(x);
        return build(
          size.map((n) => Math.max(n, 1)),
          (index) => at(...index.map((i, axis) => i + start[axis])),
        );
      },
    };
  },
  (g) => {
    const k = g.find((s) => s.length > 0), shape = g.shape(k);
    const widths = shape.map(() => [g.whole(0, 1), g.whole(0, 2)] as const);
    return {
      text: `pad(n${k}, ${JSON.stringify(widths)})`,
      inputs: [k],
      run: ([x]) => ops.pad(x, widths),
      reference: ([x]) => {
        const at = reader(x);
        return build(
          shape.map((n, i) => n + widths[i][0] + widths[i][1]),
          (index) => at(...index.map((i, axis) => i - widths[axis][0])),
        );
      },
    };
  },
  (g) => {
    const k = g.find((s) => s.length > 0), shape = g.shape(k);
    const axes = shape.map((_, i) => i).filter(() => g.random() < 0.5);
    return {
      text: `flip(n${k}, [${axes}])`,
      inputs: [k],
      run: ([x]) => ops.flip(x, axes),
      reference: ([x]) => {
        const at = reader(x);
        return build(
          shape,
          (index) =>
            at(...index.map((i, a) => axes.includes(a) ? shape[a] - 1 - i : i)),
        );
      },
    };
  },
  (g) => {
    const k = g.find((s) => s.length > 0), shape = g.shape(k);
    const axis = g.whole(0, shape.length - 1);
    const fits = (s: number[]) =>
      s.length === shape.length &&
      s.every((n, i) => i === axis || n === shape[i]);
    const other = g.random() < 0.5
      ? g.find(fits)
      : g.given(shape.map((n, i) => i === axis ? g.whole(1, 3) : n));
    return {
      text: `concat([n${k}, n${other}, n${k}], ${axis})`,
      inputs: [k, other],
      run: ([a, b]) => ops.concat([a, b, a], axis),
      reference: ([a, b]) => {
        const first = reader(a), second = reader(b);
        const n = a.shape[axis], m = b.shape[axis];
        return build(
          shape.map((s, i) => i === axis ? 2 * n + m : s),
          (index) => {
            const at = [...index], place = at[axis];
            if (place < n) return first(...at);
            at[axis] = place < n + m ? place - n : place - n - m;
            return place < n + m ? second(...at) : first(...at);
          },
        );
      },
    };
  },
];
