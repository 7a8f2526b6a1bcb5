// y[i] = value, given as the bits of a 32-bit number.
//
// Dispatch: one invocation per number, folded over x and y.
struct Params { n: u32, value: u32 }
@group(0) @binding(0) var<storage, read_write> y: array<u32>;
@group(0) @binding(1) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i < params.n) { y[i] = params.value; }
}
