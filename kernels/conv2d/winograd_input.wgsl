// v[4 i + j, c, t] = (B' d B)[i, j]  with d = 4 x 4 pixels of channel c from
//                    (2 ty + sy, 2 tx + sx) on, where (n, ty, tx) is tile first + t
// B' = [1 0 -1 0; 0 1 1 0; 0 -1 1 0; 0 1 0 -1]
//
// Second step of Winograd's F(2x2, 3x3).
// x: (N, depth, h, w), zero outside.  v: (16, depth, pitch), `count` of each row
// written.
// Dispatch: x = count, y = depth.
alias x_t = f32;
struct Params {
  depth: u32, h: u32, w: u32, sy: i32, sx: i32,
  tiles: u32, tiles_x: u32, inverse_tiles: f32, inverse_tiles_x: f32, first: u32, count: u32, pitch: u32
}
@group(0) @binding(0) var<storage, read> x: array<x_t>;
@group(0) @binding(1) var<storage, read_write> v: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

fn pixels(image: u32, y: i32, left: i32) -> vec4f {
  let at = vec4i(left, left + 1, left + 2, left + 3);
  let ok = (at >= vec4i(0)) & (at < vec4i(i32(params.w))) & vec4<bool>(y >= 0 && y < i32(params.h));
  let k = select(vec4u(0u), vec4u(i32(image) + y * i32(params.w) + at), ok);
  return select(vec4f(0.0), vec4f(vec4<x_t>(x[k.x], x[k.y], x[k.z], x[k.w])), ok);
}

fn store(at: u32, d: vec4f) {
  let step = params.depth * params.pitch;
  v[at] = d.x - d.z;
  v[at + step] = d.y + d.z;
  v[at + 2u * step] = d.z - d.y;
  v[at + 3u * step] = d.y - d.w;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) lane: vec3u) {
  let t = group.x * 64u + lane.x;
  if (t >= params.count) { return; }
  let tile = params.first + t;
  let n = divide(tile, params.tiles, params.inverse_tiles);
  let inner = tile - n * params.tiles;
  let ty = divide(inner, params.tiles_x, params.inverse_tiles_x);
  let tx = inner - ty * params.tiles_x;
  let image = (n * params.depth + group.y) * params.h * params.w;
  let top = i32(2u * ty) + params.sy;
  let left = i32(2u * tx) + params.sx;
  let d0 = pixels(image, top, left);
  let d1 = pixels(image, top + 1, left);
  let d2 = pixels(image, top + 2, left);
  let d3 = pixels(image, top + 3, left);
  let at = group.y * params.pitch + t;
  let step = 4u * params.depth * params.pitch;
  store(at, d0 - d2);
  store(at + step, d1 + d2);
  store(at + 2u * step, d2 - d1);
  store(at + 3u * step, d1 - d3);
}
