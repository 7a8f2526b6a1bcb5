// y[part, o, c, i, j] = sum over the output rows (n, p) of the part and q of
//     g[n, o, p, q] x[n, c + group(o) cin, p stride + i dilation - top, q stride + j dilation - left]
//
// x: (N, groups cin, h, w), zero outside.  g: (N, groups cout, oh, ow).
// y: (parts, groups cout, cin, kh, kw); the sum over parts is the gradient of
// conv2d by its weight.  Part k has the rows [k lines, k lines + lines) of the
// N oh output rows.
// Tile: ROWS channels x LANES numbers (c, i, j) per workgroup, MICRO (8 or 4)
// squared per invocation; per step DEPTH pixels are staged in workgroup memory.
// Dispatch: x = tiles of LANES of cin kh kw, y = blocks of ROWS channels, z =
// parts groups.
struct Params {
  n: u32, groups: u32, cin: u32, cout: u32,
  h: u32, w: u32, oh: u32, ow: u32, kh: u32, kw: u32,
  stride: u32, dilation: u32, top: i32, left: i32, lines: u32
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> g: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

const ROWS: u32 = 64u;
const LANES: u32 = 64u;
const DEPTH: u32 = 16u;
const MICRO: u32 = 8u;
const GROUP: u32 = (ROWS / MICRO) * (LANES / MICRO);
// one vec4 more than a row has, against bank conflicts
const LEFT_PITCH: u32 = ROWS / 4u + 1u;
const RIGHT_PITCH: u32 = LANES / 4u + 1u;
var<workgroup> left: array<vec4f, DEPTH * LEFT_PITCH>;
var<workgroup> right: array<vec4f, DEPTH * RIGHT_PITCH>;
// of each column (c, i, j): first number of its channel, shift in y and x
var<workgroup> columns: array<vec4i, LANES>;

fn pixel(column: u32, n: u32, p: i32, q: i32, ok: bool) -> f32 {
  let k = columns[column];
  let y_at = p + k.y;
  let x_at = q + k.z;
  let inside = ok && y_at >= 0 && y_at < i32(params.h) && x_at >= 0 && x_at < i32(params.w);
  let at = n * params.groups * params.cin * params.h * params.w + u32(k.x + y_at * i32(params.w) + x_at);
  return select(0.0, x[select(0u, at, inside)], inside);
}

fn place(base: u32, column: u32) -> u32 {
  return base + column;
}

fn store(to: u32, row: u32, column: u32, v: vec4f) {
  if (row >= params.cout) { return; }
  let count = params.cin * params.kh * params.kw;
  let at = to + row * count;
  if (column < count) { y[at] = v.x; }
  if (column + 1u < count) { y[at + 1u] = v.y; }
  if (column + 2u < count) { y[at + 2u] = v.z; }
  if (column + 3u < count) { y[at + 3u] = v.w; }
}

@compute @workgroup_size(GROUP)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_index) t: u32) {
  let block = tile.y * ROWS;
  let group = tile.z % params.groups;
  let part = tile.z / params.groups;
  let tx = t % (LANES / MICRO);
  let ty = t / (LANES / MICRO);
  // GROUP is a multiple of DEPTH: an invocation always brings the same of the
  // staged pixels
  let quad = t % DEPTH;
  let area = params.kh * params.kw;
  let plane = params.oh * params.ow;
  if (t < LANES) {
    let column = min(tile.x * LANES + t, params.cin * area - 1u);
    let c = column / area;
    let i = (column % area) / params.kw;
    let j = column % params.kw;
    columns[t] = vec4i(
      i32((group * params.cin + c) * params.h * params.w),
      i32(i * params.dilation) - params.top,
      i32(j * params.dilation) - params.left,
      0
    );
  }
  workgroupBarrier();
  let first = part * params.lines * params.ow;
  let last = min((part + 1u) * params.lines, params.n * params.oh) * params.ow;
  // block: tiles_registers
  for (var k0 = first; k0 < last; k0 += DEPTH) {
    let k = k0 + quad;
    let ok = k < last;
    let n = min(k, last - 1u) / plane;
    let at = min(k, last - 1u) - n * plane;
    let p = at / params.ow;
    let py = i32(p * params.stride);
    let qx = i32((at - p * params.ow) * params.stride);
    for (var i = 0u; i < DEPTH * ROWS / 4u / GROUP; i++) {
      let four = t / DEPTH + i * (GROUP / DEPTH);
      let r = min(vec4u(block + 4u * four) + vec4u(0u, 1u, 2u, 3u), vec4u(params.cout - 1u));
      let from_g = (n * params.groups * params.cout + group * params.cout + r) * plane + at;
      left[quad * LEFT_PITCH + four] = select(vec4f(0.0), vec4f(g[from_g.x], g[from_g.y], g[from_g.z], g[from_g.w]), ok);
    }
    for (var i = 0u; i < DEPTH * LANES / 4u / GROUP; i++) {
      let four = t / DEPTH + i * (GROUP / DEPTH);
      right[quad * RIGHT_PITCH + four] = vec4f(
        pixel(4u * four, n, py, qx, ok),
        pixel(4u * four + 1u, n, py, qx, ok),
        pixel(4u * four + 2u, n, py, qx, ok),
        pixel(4u * four + 3u, n, py, qx, ok)
      );
    }
    workgroupBarrier();
    // block: tiles_multiply_add
    workgroupBarrier();
  }
  let base = (part * params.groups + group) * params.cout * params.cin * area;
  let column = tile.x * LANES + tx * 4u;
  let row = block + ty * MICRO;
  // block: tiles_store
}
