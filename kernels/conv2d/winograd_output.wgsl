// y[n, o, 2 ty + i, 2 tx + j] = (A' m A)[i, j]  with m = the 16 numbers m[:, o, t],
//                               where (n, ty, tx) is tile first + t
// A' = [1 1 1 0; 0 1 -1 -1]
//
// Last step of Winograd's F(2x2, 3x3); the step before is a batch of 16
// products m[k] = u[k] v[k].
// m: (16, rows, count).  y: (N, rows, oh, ow).
// Dispatch: x = count, y = rows.
alias x_t = f32;
struct Params {
  rows: u32, oh: u32, ow: u32,
  tiles: u32, tiles_x: u32, inverse_tiles: f32, inverse_tiles_x: f32, first: u32, count: u32
}
@group(0) @binding(0) var<storage, read> m: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<x_t>;
@group(0) @binding(2) var<uniform> params: Params;

fn products(at: u32) -> vec4f {
  let step = params.rows * params.count;
  return vec4f(m[at], m[at + step], m[at + 2u * step], m[at + 3u * step]);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) lane: vec3u) {
  let t = group.x * 64u + lane.x;
  if (t >= params.count) { return; }
  let tile = params.first + t;
  let n = divide(tile, params.tiles, params.inverse_tiles);
  let inner = tile - n * params.tiles;
  let ty = divide(inner, params.tiles_x, params.inverse_tiles_x);
  let p = 2u * ty;
  let q = 2u * (inner - ty * params.tiles_x);
  let from_m = group.y * params.count + t;
  let step = 4u * params.rows * params.count;
  let m0 = products(from_m);
  let m1 = products(from_m + step);
  let m2 = products(from_m + 2u * step);
  let m3 = products(from_m + 3u * step);
  let upper = m0 + m1 + m2;
  let lower = m1 - m2 - m3;
  let at = ((n * params.rows + group.y) * params.oh + p) * params.ow + q;
  let right = q + 1u < params.ow;
  y[at] = x_t(upper.x + upper.y + upper.z);
  if (right) { y[at + 1u] = x_t(upper.y - upper.z - upper.w); }
  if (p + 1u < params.oh) {
    y[at + params.ow] = x_t(lower.x + lower.y + lower.z);
    if (right) { y[at + params.ow + 1u] = x_t(lower.y - lower.z - lower.w); }
  }
}
