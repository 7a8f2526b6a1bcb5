// y[i] = x[i]
//
// x, y: n vec4.  STEP neighbours per invocation on a CPU, 1 on a GPU.
// Dispatch: one invocation per STEP vec4, folded over x and y.
override STEP: u32 = 1u;

struct Params { n: u32 }
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let first = (id.x + id.y * groups.x * 64u) * STEP;
  for (var i = first; i < min(first + STEP, params.n); i++) { y[i] = x[i]; }
}
