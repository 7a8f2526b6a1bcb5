// GATHER  (SCATTER 0): y[i] = x[offset + sum_k i_k s_k]
// SCATTER (SCATTER 1): y[offset + sum_k i_k s_k] = x[i]     (strides must not overlap)
//
// (i_0 .. i_5) are the coordinates of the contiguous side, shape (d0 .. d5).
// Serves permute, broadcast, slice, flip, pad and concat; strides may be
// negative.
// Dispatch: one invocation per number of the contiguous side, folded over x, y.
override SCATTER: u32 = 0u;

struct Params {
  n: u32, offset: i32,
  d1: u32, d2: u32, d3: u32, d4: u32, d5: u32,
  s0: i32, s1: i32, s2: i32, s3: i32, s4: i32, s5: i32
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.n) { return; }
  var r = i;
  let i5 = i32(r % params.d5); r = r / params.d5;
  let i4 = i32(r % params.d4); r = r / params.d4;
  let i3 = i32(r % params.d3); r = r / params.d3;
  let i2 = i32(r % params.d2); r = r / params.d2;
  let i1 = i32(r % params.d1); let i0 = i32(r / params.d1);
  let j = u32(params.offset + i0 * params.s0 + i1 * params.s1 + i2 * params.s2
    + i3 * params.s3 + i4 * params.s4 + i5 * params.s5);
  if (SCATTER == 0u) { y[i] = x[j]; } else { y[j] = x[i]; }
}
