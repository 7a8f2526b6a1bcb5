// Mean distance of what a ray sees:
//   depth = clamp(weighted / opacity, near, far)
// where a ray that meets nothing, 0 / 0, counts as far (EG3D's marcher turns
// NaN to infinity before it clamps).
//
// weighted, opacity, depth: (n).  limits: (2), near and far.
// Dispatch: one invocation per ray, folded over x and y.
struct Params { n: u32 }
@group(0) @binding(0) var<storage, read> weighted: array<f32>;
@group(0) @binding(1) var<storage, read> opacity: array<f32>;
@group(0) @binding(2) var<storage, read> limits: array<f32>;
@group(0) @binding(3) var<storage, read_write> depth: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.n) { return; }
  var d = limits[1];
  if (opacity[i] != 0.0) { d = weighted[i] / opacity[i]; }
  depth[i] = clamp(d, limits[0], limits[1]);
}
