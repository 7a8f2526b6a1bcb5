// y[part, o, c, i, j] = sum over the output rows (n, p) of the part and q of
//     g[n, o, p, q] x[n, c + group(o) cin, p stride + i dilation - top, q stride + j dilation - left]
//
// x: (N, groups cin, h, w), zero outside.  g: (N, groups cout, oh, ow).
// y: (parts, groups cout, cin, kh, kw); the sum over parts is the gradient of
// conv2d by its weight.  Part k has the rows [k lines, k lines + lines) of the
// N oh output rows.
// Tile: ROWS (1, 4, 8, 12 or 16) output channels x 32 numbers (c, i, j) per
// workgroup of 8 lanes, which is one subgroup.
// Dispatch: x = tiles of cin kh kw, y = blocks of ROWS channels, z = parts groups.
override ROWS: u32 = 16u;

struct Params {
  n: u32, groups: u32, cin: u32, cout: u32,
  h: u32, w: u32, oh: u32, ow: u32, kh: u32, kw: u32,
  stride: u32, dilation: u32, top: i32, left: i32, lines: u32, height: u32
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> g: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

fn scalar(at: u32) -> f32 { return g[at]; }

fn put(at: u32, v: f32) { y[at] = v; }

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_id) lane: vec3u) {
  let row = tile.y * ROWS;
  let group = tile.z % params.groups;
  let part = tile.z / params.groups;
  let column = tile.x * 32u + lane.x;
  let area = params.kh * params.kw;
  // columns and channels past the end repeat the last one
  let k = min(vec4u(column, column + 8u, column + 16u, column + 24u), vec4u(params.cin * area - 1u));
  let c = k / area;
  let i = (k - c * area) / params.kw;
  let j = k - c * area - i * params.kw;
  let shift_y = vec4i(i * params.dilation) - params.top;
  let shift_x = vec4i(j * params.dilation) - params.left;
  let channel = min(vec2u(row + lane.x, row + lane.x + 8u), vec2u(params.cout - 1u));
  let plane = params.h * params.w;
  let last = min((part + 1u) * params.lines, params.n * params.oh);
  // block: lanes_registers
  let begin = part * params.lines;
  var n = begin / params.oh;
  var p = begin - n * params.oh;
  for (var line = begin; line < last; line++) {
    let iy = shift_y + i32(p * params.stride);
    // a negative number is a large one without its sign
    let ok_y = vec4u(iy) < vec4u(params.h);
    let base = vec4i((n * params.groups * params.cin + group * params.cin + c) * plane) + iy * i32(params.w);
    var scalars = ((n * params.groups + group) * params.cout + channel) * params.oh * params.ow + p * params.ow;
    var ix = shift_x;
    // counted on, since a CPU has no vector division of integers
    p++;
    if (p == params.oh) { p = 0u; n++; }
    for (var q = 0u; q < params.ow; q++) {
      let ok = ok_y & (vec4u(ix) < vec4u(params.w));
      let at = vec4u(base + ix);
      let v = select(vec4f(0.0), vec4f(x[at.x], x[at.y], x[at.z], x[at.w]), ok);
      // block: lanes_multiply_add
      ix += vec4i(i32(params.stride));
      scalars += vec2u(1u);
    }
  }
  var to = k + ((part * params.groups + group) * params.cout + row) * params.cin * area;
  let rows = min(params.height, params.cout - row);
  let pitch = params.cin * area;
  // block: lanes_store
}
