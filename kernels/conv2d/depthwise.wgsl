// y[z, p, q] = sum over i, j < 3 of x[z, p + i + sy, q + j + sx] w[z mod channels, i, j]
//
// The 3 x 3 convolution of stride 1 in which every channel is a group of its
// own; with FLIP 1 (taps from last to first) its gradient by the image.
// x: (N channels, h, w), zero outside.  w: (channels, 3, 3).
// y: (N channels, oh, ow).
// Tile: 4 columns x `run` rows of one plane per invocation, which walks down
// and reads each of its pixels once: the last two lines stay in registers.
// Dispatch: x = ceil(ow / 4) / 8, y = ceil(oh / run) / 4, z = N channels.
alias x_t = f32;
alias w_t = f32;
override FLIP: u32 = 0u;

struct Params { channels: u32, h: u32, w: u32, oh: u32, ow: u32, sy: i32, sx: i32, run: u32 }
@group(0) @binding(0) var<storage, read> x: array<x_t>;
@group(0) @binding(1) var<storage, read> weight: array<w_t>;
@group(0) @binding(2) var<storage, read_write> y: array<x_t>;
@group(0) @binding(3) var<uniform> params: Params;

fn taps(channel: u32, row: u32) -> vec3f {
  let at = channel * 9u + 3u * select(row, 2u - row, FLIP == 1u);
  let k = vec3f(f32(weight[at]), f32(weight[at + 1u]), f32(weight[at + 2u]));
  return select(k, k.zyx, FLIP == 1u);
}

fn along(l: Line, k: vec3f) -> vec4f {
  return k.x * l.left + k.y * vec4f(l.left.yzw, l.right.x) + k.z * vec4f(l.left.zw, l.right);
}

@compute @workgroup_size(8, 4)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let q = id.x * 4u;
  let first = id.y * params.run;
  if (q >= params.ow || first >= params.oh) { return; }
  let channel = id.z % params.channels;
  let k0 = taps(channel, 0u);
  let k1 = taps(channel, 1u);
  let k2 = taps(channel, 2u);
  let at_x = i32(q) + params.sx;
  var at_y = i32(first) + params.sy;
  var upper = line(id.z, at_y, at_x);
  var middle = line(id.z, at_y + 1, at_x);
  var to = (id.z * params.oh + first) * params.ow + q;
  for (var p = first; p < min(first + params.run, params.oh); p++) {
    let lower = line(id.z, at_y + 2, at_x);
    let v = along(upper, k0) + along(middle, k1) + along(lower, k2);
    y[to] = x_t(v.x);
    if (q + 1u < params.ow) { y[to + 1u] = x_t(v.y); }
    if (q + 2u < params.ow) { y[to + 2u] = x_t(v.z); }
    if (q + 3u < params.ow) { y[to + 3u] = x_t(v.w); }
    upper = middle;
    middle = lower;
    at_y++;
    to += params.ow;
  }
}
