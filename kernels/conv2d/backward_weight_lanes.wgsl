// y[part, o, c, i, j] = sum over the output rows (n, p) of the part and q of
//     g[n, o, p, q] x[n, c + group(o) cin, p stride + i dilation - top, q stride + j dilation - left]
//
// x: (N, groups cin, h, w), zero outside.  g: (N, groups cout, oh, ow).
// y: (parts, groups cout, cin, kh, kw); the sum over parts is the gradient of
// conv2d by its weight.  Part k has the rows [k lines, k lines + lines) of the
// N oh output rows.
// Tile: ROWS (1, 4, 8, 12 or 16) output channels x 32 numbers (c, i, j) per
// workgroup of 8 lanes, which is one subgroup.  One gather fetches g of 8
// channels, one per lane, and subgroup broadcasts hand them to all lanes.
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
  var c0 = vec4f(0.0);
  var c1 = vec4f(0.0);
  var c2 = vec4f(0.0);
  var c3 = vec4f(0.0);
  var c4 = vec4f(0.0);
  var c5 = vec4f(0.0);
  var c6 = vec4f(0.0);
  var c7 = vec4f(0.0);
  var c8 = vec4f(0.0);
  var c9 = vec4f(0.0);
  var c10 = vec4f(0.0);
  var c11 = vec4f(0.0);
  var c12 = vec4f(0.0);
  var c13 = vec4f(0.0);
  var c14 = vec4f(0.0);
  var c15 = vec4f(0.0);
  let begin = part * params.lines;
  var n = begin / params.oh;
  var p = begin - n * params.oh;
  for (var line = begin; line < last; line++) {
    let iy = shift_y + i32(p * params.stride);
    // a negative number is a large one without its sign
    let ok_y = vec4u(iy) < vec4u(params.h);
    let base = vec4i((n * params.groups * params.cin + group * params.cin + c) * plane) + iy * i32(params.w);
    var from_g = ((n * params.groups + group) * params.cout + channel) * params.oh * params.ow + p * params.ow;
    var ix = shift_x;
    // counted on, since a CPU has no vector division of integers
    p++;
    if (p == params.oh) { p = 0u; n++; }
    for (var q = 0u; q < params.ow; q++) {
      let ok = ok_y & (vec4u(ix) < vec4u(params.w));
      let at = vec4u(base + ix);
      let v = select(vec4f(0.0), vec4f(x[at.x], x[at.y], x[at.z], x[at.w]), ok);
      let s = g[from_g.x];
      c0 += subgroupBroadcast(s, 0u) * v;
      if (ROWS > 1u) {
        c1 += subgroupBroadcast(s, 1u) * v;
        c2 += subgroupBroadcast(s, 2u) * v;
        c3 += subgroupBroadcast(s, 3u) * v;
      }
      if (ROWS > 4u) {
        c4 += subgroupBroadcast(s, 4u) * v;
        c5 += subgroupBroadcast(s, 5u) * v;
        c6 += subgroupBroadcast(s, 6u) * v;
        c7 += subgroupBroadcast(s, 7u) * v;
      }
      if (ROWS > 8u) {
        let r = g[from_g.y];
        c8 += subgroupBroadcast(r, 0u) * v;
        c9 += subgroupBroadcast(r, 1u) * v;
        c10 += subgroupBroadcast(r, 2u) * v;
        c11 += subgroupBroadcast(r, 3u) * v;
        if (ROWS > 12u) {
          c12 += subgroupBroadcast(r, 4u) * v;
          c13 += subgroupBroadcast(r, 5u) * v;
          c14 += subgroupBroadcast(r, 6u) * v;
          c15 += subgroupBroadcast(r, 7u) * v;
        }
      }
      ix += vec4i(i32(params.stride));
      from_g += vec2u(1u);
    }
  }
  var to = k + ((part * params.groups + group) * params.cout + row) * params.cin * area;
  var all = array<vec4f, 16>(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15);
  // 64 stores written out would take half a second to compile: the bound is a
  // parameter so that the driver cannot unroll the loop
  let rows = min(params.height, params.cout - row);
  for (var o = 0u; o < rows; o++) {
    let v = all[o];
    y[to.x] = v.x;
    y[to.y] = v.y;
    y[to.z] = v.z;
    y[to.w] = v.w;
    to += vec4u(params.cin * area);
  }
}
