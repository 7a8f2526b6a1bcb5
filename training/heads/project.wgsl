// screen[b, v] = (x, y, depth): R^T (world[h, v] - t) through the pinhole of picture b
//   and its head h; x and y in samples, right and down; depth along the axis.
//
// world: (heads, vertices, 3).  shots: (B, 36), see look.ts.
// screen: (B, vertices, 3).
// Dispatch: one invocation per vertex in x, pictures in y.
struct Params { vertices: u32, side: f32 }
@group(0) @binding(0) var<storage, read> world: array<f32>;
@group(0) @binding(1) var<storage, read> shots: array<f32>;
@group(0) @binding(2) var<storage, read_write> screen: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let v = id.x;
  if (v >= params.vertices) { return; }
  let shot = 36u * id.y;
  let base = 3u * (u32(shots[shot + 25u]) * params.vertices + v);
  var p = vec3f(0.0);
  for (var k = 0u; k < 3u; k++) {
    // row k of cam2world: three axes of the camera, then where it stands
    let row = shot + 4u * k;
    let d = world[base + k] - shots[row + 3u];
    p += d * vec3f(shots[row], shots[row + 1u], shots[row + 2u]);
  }
  let out = 3u * (id.y * params.vertices + v);
  screen[out] = (p.x / p.z * shots[shot + 16u] + shots[shot + 18u]) * params.side;
  screen[out + 1u] = (p.y / p.z * shots[shot + 20u] + shots[shot + 21u]) * params.side;
  screen[out + 2u] = p.z;
}
