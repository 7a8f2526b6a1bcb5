// The gradient of `sample` for the points:
//   dp[n] = sum_k sum_c g[n, c] d f_k,c / d p
//
// Buffers and constants as in sample.wgsl; dp: (batch, N, 3).
// Dispatch: one invocation per point, folded over x and y.
override AXES: u32 = 0x284u;
override MEAN: u32 = 1u;

struct Params { n: u32, points: u32, c4: u32, width: u32, height: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> planes: array<vec4f>;
@group(0) @binding(1) var<storage, read> points: array<f32>;
@group(0) @binding(2) var<storage, read> g: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> dp: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

// dot of a texel with the gradient row, 0 outside the plane
fn along(base: u32, x: f32, y: f32, row: u32) -> f32 {
  if (x < 0.0 || y < 0.0 || x >= f32(params.width) || y >= f32(params.height)) { return 0.0; }
  let at = (base + u32(y) * params.width + u32(x)) * params.c4;
  var acc = 0.0;
  for (var c = 0u; c < params.c4; c++) { acc += dot(planes[at + c], g[row + c]); }
  return acc;
}

// derivative with respect to (u, v) of one plane
fn slope(base: u32, u: f32, v: f32, row: u32) -> vec2f {
  let w = f32(params.width);
  let h = f32(params.height);
  let x = clamp(((u + 1.0) * w - 1.0) * 0.5, -2.0, w + 1.0);
  let y = clamp(((v + 1.0) * h - 1.0) * 0.5, -2.0, h + 1.0);
  let x0 = floor(x);
  let y0 = floor(y);
  let fx = x - x0;
  let fy = y - y0;
  let t00 = along(base, x0, y0, row);
  let t10 = along(base, x0 + 1.0, y0, row);
  let t01 = along(base, x0, y0 + 1.0, row);
  let t11 = along(base, x0 + 1.0, y0 + 1.0, row);
  return vec2f(
    ((t10 - t00) * (1.0 - fy) + (t11 - t01) * fy) * w * 0.5,
    ((t01 - t00) * (1.0 - fx) + (t11 - t10) * fx) * h * 0.5);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.n) { return; }
  let batch = i / params.points;
  let n = i % params.points;
  let p = params.scale * vec3f(points[3u * i], points[3u * i + 1u], points[3u * i + 2u]);
  let texels = params.width * params.height;
  let base = batch * 3u * texels;
  var row = i * params.c4;
  var step = 0u;
  if (MEAN == 0u) { row = (batch * 3u * params.points + n) * params.c4; step = params.points * params.c4; }
  var d = vec3f(0.0);
  for (var k = 0u; k < 3u; k++) {
    let u = (AXES >> (4u * k)) & 3u;
    let v = (AXES >> (4u * k + 2u)) & 3u;
    let s = slope(base + k * texels, p[u], p[v], row + k * step);
    d[u] += s.x;
    d[v] += s.y;
  }
  let factor = params.scale * select(1.0, 1.0 / 3.0, MEAN == 1u);
  dp[3u * i] = factor * d.x;
  dp[3u * i + 1u] = factor * d.y;
  dp[3u * i + 2u] = factor * d.z;
}
