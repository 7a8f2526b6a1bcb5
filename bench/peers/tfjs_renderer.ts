/**
 * Tri-planes and the volume renderer in TensorFlow.js.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import {
  depthsOf,
  type Numbers,
  type RendererProblem,
  type TriplaneProblem,
} from "../problem.ts";
import { type Named, type Plan, tensor } from "./tfjs_layout.ts";

const PLANE_AXES = [[0, 1], [0, 2], [2, 0]] as const;

/** Four gathers of rows for each plane, or as many scatters. */
export function triplane(
  { wanted, inputs }: TriplaneProblem,
  { planes, points, g }: Record<string, Numbers>,
): Plan {
  const [, , c, h, w] = inputs.planes, [, count] = inputs.points;
  const size: [number, number] = [3 * h * w, c];
  const at = tf.tensor(points.data, [count, 3]);
  if (wanted === "features") {
    const rows = tf.tidy(() =>
      tf.reshape(
        tf.transpose(tf.tensor(planes.data, [3, c, h, w]), [0, 2, 3, 1]),
        size,
      )
    );
    return {
      inputs: { rows, at },
      compute: ({ rows, at }) =>
        total(
          corners(at, h, w).map(({ index, share }) =>
            tf.mul(tf.gather(rows, index), share)
          ),
        ),
    };
  }
  return {
    inputs: { g: tf.tensor(g.data, [count, c]), at },
    compute: ({ g, at }) =>
      total(
        corners(at, h, w).map(({ index, share }) =>
          tf.scatterND(
            tf.reshape(index, [count, 1]),
            tf.mul(g, share),
            size,
          )
        ),
      ),
    back: (t) => tf.transpose(tf.reshape(t, [3, h, w, c]), [0, 3, 1, 2]),
  };
}

/** Features, both layers and the march, one operator after the other. */
export function renderer(
  { inputs: { planes: [, , c, h, w], g: [rays] }, wanted }: RendererProblem,
  numbers: Record<string, Numbers>,
): Plan {
  const { planes, points: { data, shape: [, count] }, ...others } = numbers;
  const samples = count / rays, depths = depthsOf(samples);
  const distances = tf.tensor(depths.subarray(1).map((t, k) => t - depths[k]));
  const colours = (planes: tf.Tensor, { at, w1, b1, w2, b2 }: Named) => {
    const rows = tf.reshape(tf.transpose(planes, [0, 2, 3, 1]), [-1, c]);
    const features = total(
      corners(at, h, w).map(({ index, share }) =>
        tf.mul(tf.gather(rows, index), share)
      ),
    ) as tf.Tensor2D;
    const units = tf.softplus(
      tf.add(tf.matMul(features, w1 as tf.Tensor2D, false, true), b1),
    ) as tf.Tensor2D;
    const raw = tf.reshape(
      tf.add(tf.matMul(units, w2 as tf.Tensor2D, false, true), b2),
      [rays, samples, -1],
    );
    return march(raw, distances);
  };
  const inputs = {
    planes: tf.tensor(planes.data, [3, c, h, w]),
    at: tf.tensor(data, [count, 3]),
    ...Object.fromEntries(
      Object.entries(others).map(([name, n]) => [name, tensor(n)]),
    ),
  };
  if (wanted === "colours") {
    return { inputs, compute: (all) => colours(all.planes, all) };
  }
  return {
    inputs,
    compute: (all) =>
      tf.grad((planes: tf.Tensor) => colours(planes, all))(all.planes, all.g),
  };
}

/** Mid-point march (EG3D's `ray_marcher.py`) over density and colours (R, S, 1 + C). */
function march(raw: tf.Tensor, distances: tf.Tensor): tf.Tensor {
  const [rays, samples, width] = raw.shape;
  const middle = (t: tf.Tensor) => {
    const size = [rays, samples - 1, t.shape[2]!];
    const sum = tf.add(
      tf.slice(t, [0, 0, 0], size),
      tf.slice(t, [0, 1, 0], size),
    );
    return tf.mul(sum, 0.5);
  };
  const sigma = middle(tf.slice(raw, [0, 0, 0], [rays, samples, 1]));
  const colour = middle(tf.sub(
    tf.mul(
      tf.sigmoid(tf.slice(raw, [0, 0, 1], [rays, samples, width - 1])),
      1.002,
    ),
    0.001,
  ));
  const thickness = tf.mul(
    tf.softplus(tf.sub(tf.reshape(sigma, [rays, samples - 1]), 1)),
    distances,
  );
  const light = tf.exp(tf.neg(tf.cumsum(thickness, 1, true)));
  const weights = tf.mul(tf.sub(1, tf.exp(tf.neg(thickness))), light);
  const sum = tf.sum(
    tf.mul(tf.reshape(weights, [rays, samples - 1, 1]), colour),
    1,
  );
  return tf.sub(tf.mul(sum, 2), 1);
}

/** Sums of four; `addN` of many gives wrong numbers, having more buffers than a kernel may. */
function total(terms: tf.Tensor[]): tf.Tensor {
  const fours = [0, 4, 8].map((k) => tf.addN(terms.slice(k, k + 4)));
  return tf.addN(fours);
}

/** Rows of the four texels around each point in each plane, and a third of their bilinear weights. */
function corners(
  points: tf.Tensor,
  h: number,
  w: number,
): { index: tf.Tensor1D; share: tf.Tensor }[] {
  const [count] = points.shape;
  const column = (k: number) =>
    tf.reshape(tf.slice(points, [0, k], [count, 1]), [count]);
  const inside = (t: tf.Tensor, size: number) =>
    tf.cast(
      tf.logicalAnd(tf.greaterEqual(t, 0), tf.less(t, size)),
      "float32",
    );
  return PLANE_AXES.flatMap(([a, b], plane) => {
    const u = tf.sub(tf.mul(tf.add(column(a), 1), w / 2), 0.5);
    const v = tf.sub(tf.mul(tf.add(column(b), 1), h / 2), 0.5);
    return [[0, 0], [1, 0], [0, 1], [1, 1]].map(([i, j]) => {
      const x = tf.add(tf.floor(u), i), y = tf.add(tf.floor(v), j);
      const bilinear = tf.mul(
        tf.sub(1, tf.abs(tf.sub(u, x))),
        tf.sub(1, tf.abs(tf.sub(v, y))),
      );
      const share = tf.mul(bilinear, tf.mul(inside(x, w), inside(y, h)));
      const row = tf.add(tf.clipByValue(y, 0, h - 1), plane * h);
      const index = tf.add(tf.mul(row, w), tf.clipByValue(x, 0, w - 1));
      return {
        index: tf.cast(index, "int32") as tf.Tensor1D,
        share: tf.reshape(tf.mul(share, 1 / 3), [count, 1]),
      };
    });
  });
}
