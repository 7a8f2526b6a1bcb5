// y[part, c, i, j] = sum over the outputs (p, q) of the part of
//                    g[z, p, q] x[z, p + i - top, q + j - left]
//
// Gradient by the weight of the 3 x 3 convolution of stride 1 in which every
// channel is a group of its own.  z is channel c of the part's image.
// x: (N channels, h, w), zero outside.  g: (N channels, oh, ow).
// y: (parts, channels, 3, 3) with parts = N runs blocks; the sum over parts is
// the gradient.
// Tile: part (n, r, b) is image n, output rows [r run, r run + run) and columns
// [4 b, 4 b + 4) of all channels, an invocation for each; it walks down and
// reads each of its pixels once.
// Dispatch: x = blocks / 8, y = runs / 4, z = N channels.
struct Params {
  channels: u32, h: u32, w: u32, oh: u32, ow: u32, top: i32, left: i32, run: u32, runs: u32, blocks: u32
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> g: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

// sums with the three taps of a line: products of four outputs with as many pixels
fn along(l: Line, d: vec4f) -> vec3f {
  return vec3f(dot(d, l.left), dot(d, vec4f(l.left.yzw, l.right.x)), dot(d, vec4f(l.left.zw, l.right)));
}

@compute @workgroup_size(8, 4)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let q = id.x * 4u;
  let first = id.y * params.run;
  if (q >= params.ow || first >= params.oh) { return; }
  let c = id.z % params.channels;
  let columns = vec4u(q, q + 1u, q + 2u, q + 3u);
  let ok = columns < vec4u(params.ow);
  let at_x = i32(q) - params.left;
  var at_y = i32(first) - params.top;
  var upper = line(id.z, at_y, at_x);
  var middle = line(id.z, at_y + 1, at_x);
  var k0 = vec3f(0.0);
  var k1 = vec3f(0.0);
  var k2 = vec3f(0.0);
  var from_g = (id.z * params.oh + first) * params.ow + min(columns, vec4u(params.ow - 1u));
  for (var p = first; p < min(first + params.run, params.oh); p++) {
    let lower = line(id.z, at_y + 2, at_x);
    let d = select(vec4f(0.0), vec4f(g[from_g.x], g[from_g.y], g[from_g.z], g[from_g.w]), ok);
    k0 += along(upper, d);
    k1 += along(middle, d);
    k2 += along(lower, d);
    upper = middle;
    middle = lower;
    at_y++;
    from_g += vec4u(params.ow);
  }
  let part = ((id.z / params.channels) * params.runs + id.y) * params.blocks + id.x;
  let to = (part * params.channels + c) * 9u;
  y[to] = k0.x;
  y[to + 1u] = k0.y;
  y[to + 2u] = k0.z;
  y[to + 3u] = k1.x;
  y[to + 4u] = k1.y;
  y[to + 5u] = k1.z;
  y[to + 6u] = k2.x;
  y[to + 7u] = k2.y;
  y[to + 8u] = k2.z;
}
