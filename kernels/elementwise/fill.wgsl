// y[i] = value, given as the bits of a 32-bit number (two of 16 for f16).
//
// Dispatch: one invocation per STEP neighbouring numbers, folded over x and y.
alias bits = u32;
override STEP: u32 = 1u;

struct Params { n: u32, value: u32 }
@group(0) @binding(0) var<storage, read_write> y: array<bits>;
@group(0) @binding(1) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let first = (id.x + id.y * groups.x * 64u) * STEP;
  for (var i = first; i < min(first + STEP, params.n); i++) { y[i] = params.value; }
}
