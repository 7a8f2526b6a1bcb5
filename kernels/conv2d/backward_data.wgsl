// y[n, c, r, s] = sum over o, i, j with  p stride + i dilation - top  = r,
//                                        q stride + j dilation - left = s  of
//                 g[n, o, p, q] w[o, c, i, j]
//
// g: (N, groups cout, oh, ow).  w: (groups cout, cin, kh, kw).
// y: (N, groups cin, h, w).  The gradient of conv2d by its image, and
// therefore the transposed convolution.  The always-right kernel.
// Tile: one pixel and CHANNELS (4 or 1) image channels of one group per
// invocation; neighbouring lanes are neighbouring pixels and share weights.
// Dispatch: N groups ceil(cin / CHANNELS) h w invocations, folded over x, y.
alias x_t = f32;
alias w_t = f32;
override CHANNELS: u32 = 4u;

struct Params {
  n: u32, groups: u32, cin: u32, cout: u32,
  h: u32, w: u32, oh: u32, ow: u32, kh: u32, kw: u32,
  stride: u32, dilation: u32, top: i32, left: i32
}
@group(0) @binding(0) var<storage, read> g: array<x_t>;
@group(0) @binding(1) var<storage, read> weight: array<w_t>;
@group(0) @binding(2) var<storage, read_write> y: array<x_t>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  let t = id.x + id.y * grid.x * 64u;
  let s = t % params.w;
  let r = (t / params.w) % params.h;
  let plane = params.h * params.w;
  let blocks = (params.cin + CHANNELS - 1u) / CHANNELS;
  let block = t / plane;
  let c = (block % blocks) * CHANNELS;
  let group = (block / blocks) % params.groups;
  let n = block / (blocks * params.groups);
  if (n >= params.n) { return; }
  let area = params.kh * params.kw;
  let row = params.cin * area;
  // channels past the end repeat the last one and are not stored
  let first = min(vec4u(c, c + 1u, c + 2u, c + 3u), vec4u(params.cin - 1u)) * area;
  let stride = i32(params.stride);
  var acc = vec4f(0.0);
  for (var i = 0u; i < params.kh; i++) {
    let py = i32(r) + params.top - i32(i * params.dilation);
    let p = py / stride;
    if (py < 0 || p * stride != py || p >= i32(params.oh)) { continue; }
    for (var j = 0u; j < params.kw; j++) {
      let qx = i32(s) + params.left - i32(j * params.dilation);
      let q = qx / stride;
      let inside = qx >= 0 && q * stride == qx && q < i32(params.ow);
      var source = ((n * params.groups + group) * params.cout * params.oh + u32(p)) * params.ow + u32(select(0, q, inside));
      var k = group * params.cout * row + i * params.kw + j;
      for (var o = 0u; o < params.cout; o++) {
        let v = select(0.0, f32(g[source]), inside);
        if (CHANNELS == 1u) {
          acc.x += v * f32(weight[first.x + k]);
        } else {
          acc += v * vec4f(vec4<w_t>(weight[first.x + k], weight[first.y + k], weight[first.z + k], weight[first.w + k]));
        }
        source += params.oh * params.ow;
        k += row;
      }
    }
  }
  let at = (n * params.groups * params.cin + group * params.cin + c) * plane + r * params.w + s;
  y[at] = x_t(acc.x);
  if (CHANNELS == 1u) { return; }
  if (c + 1u < params.cin) { y[at + plane] = x_t(acc.y); }
  if (c + 2u < params.cin) { y[at + 2u * plane] = x_t(acc.z); }
  if (c + 3u < params.cin) { y[at + 3u * plane] = x_t(acc.w); }
}
