// y[i] = x[i] / unit[0]       the sums of `scatter` as numbers again
// With ABSOLUTE 1: y[i] = |bits of x as f32|, for the largest gradient.
//
// x: n words, y: n numbers.
// Dispatch: one invocation per number, folded over x and y.
override ABSOLUTE: u32 = 0u;
struct Params { n: u32 }
@group(0) @binding(0) var<storage, read> x: array<i32>;
@group(0) @binding(1) var<storage, read> unit: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.n) { return; }
  if (ABSOLUTE == 1u) { y[i] = abs(bitcast<f32>(x[i])); } else { y[i] = f32(x[i]) / unit[0]; }
}
