// Gradients of `expected_depth`, zero where it was clamped:
//   d_weighted = g / opacity,   d_opacity = -g weighted / opacity^2
//
// Buffers as in expected_depth.wgsl; g, d_weighted, d_opacity: (n).
// Dispatch: one invocation per ray, folded over x and y.
struct Params { n: u32 }
@group(0) @binding(0) var<storage, read> weighted: array<f32>;
@group(0) @binding(1) var<storage, read> opacity: array<f32>;
@group(0) @binding(2) var<storage, read> limits: array<f32>;
@group(0) @binding(3) var<storage, read> g: array<f32>;
@group(0) @binding(4) var<storage, read_write> d_weighted: array<f32>;
@group(0) @binding(5) var<storage, read_write> d_opacity: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.n) { return; }
  var slope = 0.0;
  var d = 0.0;
  if (opacity[i] != 0.0) {
    d = weighted[i] / opacity[i];
    if (d >= limits[0] && d <= limits[1]) { slope = g[i] / opacity[i]; }
  }
  d_weighted[i] = slope;
  d_opacity[i] = -slope * d;
}
