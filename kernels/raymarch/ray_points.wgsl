// p[r, s] = origin[r] + t[r, s] direction[r]
//
// rays: (R, 6).  t: (R, S).  p: (R, S, 3).
// Dispatch: one invocation per sample, folded over x and y.
struct Params { n: u32, samples: u32 }
@group(0) @binding(0) var<storage, read> rays: array<f32>;
@group(0) @binding(1) var<storage, read> t: array<f32>;
@group(0) @binding(2) var<storage, read_write> p: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.n) { return; }
  let r = 6u * (i / params.samples);
  for (var k = 0u; k < 3u; k++) { p[3u * i + k] = rays[r + k] + t[i] * rays[r + 3u + k]; }
}
