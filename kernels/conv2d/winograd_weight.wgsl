// u[4 i + j, o, c] = (G k G')[i, j]  with the 3 x 3 matrix k = w[o, c]
// G = [1 0 0; 1/2 1/2 1/2; 1/2 -1/2 1/2; 0 0 1]
//
// First step of Winograd's F(2x2, 3x3) (Lavin and Gray, "Fast Algorithms for
// Convolutional Neural Networks", 2015).
// w: read through strides; FLIP 1: its taps from last to first, for the
// gradient by the image.  u: (16, rows, depth).
// Dispatch: x = depth, y = rows.
alias w_t = f32;
override FLIP: u32 = 0u;

struct Params { rows: u32, depth: u32, w_row: u32, w_depth: u32 }
@group(0) @binding(0) var<storage, read> weight: array<w_t>;
@group(0) @binding(1) var<storage, read_write> u: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

fn taps(first: u32, row: u32) -> vec3f {
  let at = first + 3u * select(row, 2u - row, FLIP == 1u);
  let k = vec3f(vec3<w_t>(weight[at], weight[at + 1u], weight[at + 2u]));
  return select(k, k.zyx, FLIP == 1u);
}

fn store(at: u32, k: vec3f) {
  let step = params.rows * params.depth;
  let even = 0.5 * (k.x + k.z);
  let odd = 0.5 * k.y;
  u[at] = k.x;
  u[at + step] = even + odd;
  u[at + 2u * step] = even - odd;
  u[at + 3u * step] = k.z;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) lane: vec3u) {
  let c = group.x * 64u + lane.x;
  if (c >= params.depth) { return; }
  let first = group.y * params.w_row + c * params.w_depth;
  let k0 = taps(first, 0u);
  let k1 = taps(first, 1u);
  let k2 = taps(first, 2u);
  let even = 0.5 * (k0 + k2);
  let odd = 0.5 * k1;
  let at = group.y * params.depth + c;
  let step = 4u * params.rows * params.depth;
  store(at, k0);
  store(at + step, even + odd);
  store(at + 2u * step, even - odd);
  store(at + 3u * step, k2);
}
