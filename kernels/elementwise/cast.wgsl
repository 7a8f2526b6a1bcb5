// y[i] = x[i], rounded to the element type of y
//
// x, y: n numbers, contiguous, each f32 or f16.
// Dispatch: one invocation per STEP neighbouring numbers, folded over x and y.
alias x_t = f32;
alias y_t = f32;
override STEP: u32 = 1u;

struct Params { n: u32 }
@group(0) @binding(0) var<storage, read> x: array<x_t>;
@group(0) @binding(1) var<storage, read_write> y: array<y_t>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let first = (id.x + id.y * groups.x * 64u) * STEP;
  for (var i = first; i < min(first + STEP, params.n); i++) { y[i] = y_t(x[i]); }
}
