/**
 * A convolution, its gradient by the image and the phases of a strided
 * transposed convolution, all as one kind of walk over pixels and taps.
 *
 * @module
 */

/** Everything that the kernels need to know of one convolution. */
export interface Geometry {
  /** Images. */
  n: number;
  /** Groups of channels that do not see each other. */
  groups: number;
  /** Image channels of a group. */
  cin: number;
  /** Output channels of a group. */
  cout: number;
  /** Image height. */
  h: number;
  /** Image width. */
  w: number;
  /** Output height. */
  oh: number;
  /** Output width. */
  ow: number;
  /** Weight height. */
  kh: number;
  /** Weight width. */
  kw: number;
  /** Step between outputs, in pixels. */
  stride: number;
  /** Distance of taps, in pixels. */
  dilation: number;
  /** Zero rows above the image. */
  top: number;
  /** Zero columns left of the image. */
  left: number;
}

/** How one axis of a walk goes. */
export interface AxisWalk {
  /** Pixels made. */
  size: number;
  /** Pixel k made is pixel `first + k step` of the whole result. */
  step: number;
  /** See `step`. */
  first: number;
  /** Pixel k made reads pixel `source + k sourceStep` at tap 0. */
  source: number;
  /** See `source`. */
  sourceStep: number;
  /** Number of taps. */
  taps: number;
  /** Distance of neighbouring taps in the source; may be negative. */
  tapStep: number;
  /** Tap k has index `weightFirst + k weightStep` in the weight. */
  weightFirst: number;
  /** See `weightFirst`. */
  weightStep: number;
}

/** A walk over pixels and taps; see `forward_lanes.wgsl`. */
export interface Walk {
  /** Vertically. */
  y: AxisWalk;
  /** Horizontally. */
  x: AxisWalk;
  /** Channels made, per group. */
  rows: number;
  /** Channels summed over, per group. */
  depth: number;
  /** Height of the whole result. */
  oh: number;
  /** Width of the whole result. */
  ow: number;
  /** Height of the source. */
  sh: number;
  /** Width of the source. */
  sw: number;
  /** Distance in the weight of two channels made. */
  wRow: number;
  /** Distance in the weight of two channels summed over. */
  wDepth: number;
}

/** The convolution itself. */
export function forwardWalk(c: Geometry): Walk {
  const axis = (size: number, before: number, taps: number): AxisWalk => ({
    size,
    step: 1,
    first: 0,
    source: -before,
    sourceStep: c.stride,
    taps,
    tapStep: c.dilation,
    weightFirst: 0,
    weightStep: 1,
  });
  return {
    y: axis(c.oh, c.top, c.kh),
    x: axis(c.ow, c.left, c.kw),
    rows: c.cout,
    depth: c.cin,
    oh: c.oh,
    ow: c.ow,
    sh: c.h,
    sw: c.w,
    wRow: c.cin * c.kh * c.kw,
    wDepth: c.kh * c.kw,
  };
}

/** One walk for each pair of phases; together they make every pixel once. */
export function backwardWalks(c: Geometry): Walk[] {
  const rows = phases(c, c.h, c.top, c.kh),
    columns = phases(c, c.w, c.left, c.kw);
  return rows.flatMap((y) =>
    columns.map((x) => ({
      y,
      x,
      rows: c.cin,
      depth: c.cout,
      oh: c.h,
      ow: c.w,
      sh: c.oh,
      sw: c.ow,
      wRow: c.kh * c.kw,
      wDepth: c.cin * c.kh * c.kw,
    }))
  );
}

/**
 * The image's pixels r by r mod stride. Output p reached r through tap i when
 * p stride + i dilation = r + before; within a phase the same taps do.
 */
function phases(
  c: Geometry,
  size: number,
  before: number,
  kernel: number,
): AxisWalk[] {
  const found: AxisWalk[] = [];
  for (let r = 0; r < Math.min(c.stride, size); r++) {
    const taps = Array.from({ length: kernel }, (_, i) => i)
      .filter((i) => (r + before - i * c.dilation) % c.stride === 0);
    const first = taps[0] ?? 0, step = taps.length > 1 ? taps[1] - first : 1;
    found.push({
      size: Math.ceil((size - r) / c.stride),
      step: c.stride,
      first: r,
      source: taps.length > 0
        ? (r + before - first * c.dilation) / c.stride
        : 0,
      sourceStep: 1,
      taps: taps.length,
      tapStep: taps.length > 1 ? -(step * c.dilation) / c.stride : 0,
      weightFirst: first,
      weightStep: step,
    });
  }
  return found;
}

/** Values of the kernels' `Params` for a walk. */
export function walkParams(
  c: Geometry,
  walk: Walk,
): Record<string, number> {
  const { y, x } = walk;
  return {
    rows: walk.rows,
    depth: walk.depth,
    ph: y.size,
    pw: x.size,
    inverse_pw: 1 / x.size,
    oh: walk.oh,
    ow: walk.ow,
    ostep: y.step,
    oy: y.first,
    ox: x.first,
    sh: walk.sh,
    sw: walk.sw,
    sstep: y.sourceStep,
    sy: y.source,
    sx: x.source,
    taps_y: y.taps,
    taps_x: x.taps,
    ty: y.tapStep,
    tx: x.tapStep,
    w_group: c.cout * c.cin * c.kh * c.kw,
    w_row: walk.wRow,
    w_depth: walk.wDepth,
    w_first: y.weightFirst * c.kw + x.weightFirst,
    w_y: y.weightStep * c.kw,
    w_x: x.weightStep,
  };
}
