// y[n, o, p, q] = sum over c, i, j of
//                 x[n, c + group(o) cin, p stride + i dilation - top, q stride + j dilation - left] w[o, c, i, j]
//
// x: (N, groups cin, h, w), zero outside.  w: (groups cout, cin, kh, kw).
// y: (N, groups cout, oh, ow).  The always-right kernel: every stride,
// dilation, group count and padding.
// Tile: one pixel and CHANNELS (4 or 1) output channels of one group per
// invocation; neighbouring lanes are neighbouring pixels and share weights.
// Dispatch: N groups ceil(cout / CHANNELS) oh ow invocations, folded over x, y.
alias x_t = f32;
alias w_t = f32;
override CHANNELS: u32 = 4u;

struct Params {
  n: u32, groups: u32, cin: u32, cout: u32,
  h: u32, w: u32, oh: u32, ow: u32, kh: u32, kw: u32,
  stride: u32, dilation: u32, top: i32, left: i32
}
@group(0) @binding(0) var<storage, read> x: array<x_t>;
@group(0) @binding(1) var<storage, read> weight: array<w_t>;
@group(0) @binding(2) var<storage, read_write> y: array<x_t>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  let t = id.x + id.y * grid.x * 64u;
  let q = t % params.ow;
  let p = (t / params.ow) % params.oh;
  let plane = params.oh * params.ow;
  let blocks = (params.cout + CHANNELS - 1u) / CHANNELS;
  let block = t / plane;
  let o = (block % blocks) * CHANNELS;
  let group = (block / blocks) % params.groups;
  let n = block / (blocks * params.groups);
  if (n >= params.n) { return; }
  let area = params.kh * params.kw;
  let row = params.cin * area;
  // channels past the end repeat the last one and are not stored
  let channel = min(vec4u(o, o + 1u, o + 2u, o + 3u), vec4u(params.cout - 1u)) + group * params.cout;
  let first = channel * row;
  var acc = vec4f(0.0);
  for (var c = 0u; c < params.cin; c++) {
    let image = (n * params.groups * params.cin + group * params.cin + c) * params.h * params.w;
    for (var i = 0u; i < params.kh; i++) {
      let iy = i32(p * params.stride + i * params.dilation) - params.top;
      if (iy < 0 || iy >= i32(params.h)) { continue; }
      for (var j = 0u; j < params.kw; j++) {
        let ix = i32(q * params.stride + j * params.dilation) - params.left;
        let inside = ix >= 0 && ix < i32(params.w);
        let v = select(0.0, f32(x[image + u32(iy) * params.w + u32(max(ix, 0))]), inside);
        let k = c * area + i * params.kw + j;
        if (CHANNELS == 1u) {
          acc.x += v * f32(weight[first.x + k]);
        } else {
          acc += v * vec4f(vec4<w_t>(weight[first.x + k], weight[first.y + k], weight[first.z + k], weight[first.w + k]));
        }
      }
    }
  }
  let at = (n * params.groups * params.cout + group * params.cout + o) * plane + p * params.ow + q;
  y[at] = x_t(acc.x);
  if (CHANNELS == 1u) { return; }
  if (o + 1u < params.cout) { y[at + plane] = x_t(acc.y); }
  if (o + 2u < params.cout) { y[at + 2u * plane] = x_t(acc.z); }
  if (o + 3u < params.cout) { y[at + 3u * plane] = x_t(acc.w); }
}
