// For each triangle t: its corners, and the box of pixel centres they span,
//   bounds[t] = (x0 | x1 << 16, y0 | y1 << 16), inclusive; x0 > x1 when empty.
//
// vertices: (V, 3) = x, y in pixels, depth.  triangles: (T, 3), u32.
// corners: (T, 9) = x, y, depth of each corner.  bounds: (T, 2), u32.
// Dispatch: one invocation per triangle, folded over x and y.
struct Params { triangles: u32, height: u32, width: u32 }
@group(0) @binding(0) var<storage, read> vertices: array<f32>;
@group(0) @binding(1) var<storage, read> triangles: array<u32>;
@group(0) @binding(2) var<storage, read_write> corners: array<f32>;
@group(0) @binding(3) var<storage, read_write> bounds: array<u32>;
@group(0) @binding(4) var<uniform> params: Params;

// pixel centres lie at + 0.5
fn first(v: f32, size: u32) -> u32 { return u32(clamp(ceil(v - 0.5), 0.0, f32(size))); }
fn last(v: f32, size: u32) -> i32 { return i32(clamp(floor(v - 0.5), -1.0, f32(size) - 1.0)); }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let t = id.x + id.y * groups.x * 64u;
  if (t >= params.triangles) { return; }
  var low = vec2f(1e9);
  var high = vec2f(-1e9);
  for (var k = 0u; k < 3u; k++) {
    let v = 3u * triangles[3u * t + k];
    let p = vec2f(vertices[v], vertices[v + 1u]);
    low = min(low, p);
    high = max(high, p);
    corners[9u * t + 3u * k] = p.x;
    corners[9u * t + 3u * k + 1u] = p.y;
    corners[9u * t + 3u * k + 2u] = vertices[v + 2u];
  }
  let x1 = last(high.x, params.width);
  let y1 = last(high.y, params.height);
  let empty = x1 < 0 || y1 < 0;
  let x0 = select(first(low.x, params.width), 0xffffu, empty);
  bounds[2u * t] = x0 | (u32(max(x1, 0)) << 16u);
  bounds[2u * t + 1u] = first(low.y, params.height) | (u32(max(y1, 0)) << 16u);
}
