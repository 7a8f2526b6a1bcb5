// u[4 i + j, o, t] = (A d A')[i, j]  with d = 2 x 2 pixels of channel o from
//                    (2 ty, 2 tx) on, where (n, ty, tx) is tile first + t
// A = [1 0; 1 1; 1 -1; 0 -1]
//
// The adjoint of the last step of Winograd's F(2x2, 3x3): what a gradient of
// the result becomes before it is multiplied with transformed pixels.
// g: (N, rows, oh, ow), zero outside.  u: (16, rows, pitch), `count` of each
// row written.
// Dispatch: x = count, y = rows.
struct Params {
  rows: u32, oh: u32, ow: u32,
  tiles: u32, tiles_x: u32, inverse_tiles: f32, inverse_tiles_x: f32, first: u32, count: u32, pitch: u32
}
@group(0) @binding(0) var<storage, read> g: array<f32>;
@group(0) @binding(1) var<storage, read_write> u: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

fn store(at: u32, d: vec2f) {
  let step = params.rows * params.pitch;
  u[at] = d.x;
  u[at + step] = d.x + d.y;
  u[at + 2u * step] = d.x - d.y;
  u[at + 3u * step] = -d.y;
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
  let from_g = ((n * params.rows + group.y) * params.oh + p) * params.ow + q;
  let right = q + 1u < params.ow;
  let below = p + 1u < params.oh;
  let a = g[from_g];
  let b = select(0.0, g[from_g + select(0u, 1u, right)], right);
  let c = select(0.0, g[from_g + select(0u, params.ow, below)], below);
  let d = select(0.0, g[from_g + select(0u, params.ow + 1u, right && below)], right && below);
  let upper = vec2f(a, b);
  let lower = vec2f(c, d);
  let at = group.y * params.pitch + t;
  let step = 4u * params.rows * params.pitch;
  store(at, upper);
  store(at + step, upper + lower);
  store(at + 2u * step, upper - lower);
  store(at + 3u * step, -lower);
}
