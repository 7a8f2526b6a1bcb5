// y[part, o, c, i, j] = sum over the output rows (n, p) of the part and q of
//     g[n, o, p, q] x[n, c + group(o) cin, p stride + i dilation - top, q stride + j dilation - left]
//
// x: (N, groups cin, h, w), zero outside.  g: (N, groups cout, oh, ow).
// y: (parts, groups cout, cin, kh, kw); the sum over parts is the gradient of
// conv2d by its weight.  Part k has the rows [k rows, k rows + rows) of the
// N oh output rows.  The always-right kernel: every stride, dilation, group
// count and padding.
// Tile: one number of y per invocation.
// Dispatch: parts groups cout cin kh kw invocations, folded over x, y.
struct Params {
  n: u32, groups: u32, cin: u32, cout: u32,
  h: u32, w: u32, oh: u32, ow: u32, kh: u32, kw: u32,
  stride: u32, dilation: u32, top: i32, left: i32, parts: u32, rows: u32
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> g: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  let t = id.x + id.y * grid.x * 64u;
  let j = t % params.kw;
  let i = (t / params.kw) % params.kh;
  let pair = t / (params.kw * params.kh);
  let c = pair % params.cin;
  let channels = params.groups * params.cout;
  let o = (pair / params.cin) % channels;
  let part = pair / (params.cin * channels);
  if (part >= params.parts) { return; }
  let image = (o / params.cout) * params.cin + c;
  let shift = i32(j * params.dilation) - params.left;
  let last = min((part + 1u) * params.rows, params.n * params.oh);
  var acc = 0.0;
  for (var row = part * params.rows; row < last; row++) {
    let n = row / params.oh;
    let p = row % params.oh;
    let iy = i32(p * params.stride + i * params.dilation) - params.top;
    if (iy < 0 || iy >= i32(params.h)) { continue; }
    let source = ((n * params.groups * params.cin + image) * params.h + u32(iy)) * params.w;
    let to = ((n * channels + o) * params.oh + p) * params.ow;
    for (var q = 0u; q < params.ow; q++) {
      let ix = i32(q * params.stride) + shift;
      if (ix >= 0 && ix < i32(params.w)) { acc += g[to + q] * x[source + u32(ix)]; }
    }
  }
  y[t] = acc;
}
