// GATHER  (SCATTER 0): y[i] = x[offset + sum_k i_k s_k]
// SCATTER (SCATTER 1): y[offset + sum_k i_k s_k] = x[i]     (strides must not overlap)
//
// (i_0 .. i_5) are the coordinates of the contiguous side, shape (d0 .. d5).
// Serves permute, broadcast, slice, flip, pad and concat; strides may be
// negative.
// Dispatch: one invocation per STEP neighbours of the contiguous side, folded
// over x and y.
alias stored = f32;
override SCATTER: u32 = 0u;
override STEP: u32 = 1u;

struct Params {
  n: u32, offset: i32,
  d1: u32, d2: u32, d3: u32, d4: u32, d5: u32,
  s0: i32, s1: i32, s2: i32, s3: i32, s4: i32, s5: i32
}
@group(0) @binding(0) var<storage, read> x: array<stored>;
@group(0) @binding(1) var<storage, read_write> y: array<stored>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let first = (id.x + id.y * groups.x * 64u) * STEP;
  // divisions, slow on CPUs, for the first number, then carries
  var r = first;
  var i5 = r % params.d5; r = r / params.d5;
  var i4 = r % params.d4; r = r / params.d4;
  var i3 = r % params.d3; r = r / params.d3;
  var i2 = r % params.d2; r = r / params.d2;
  var i1 = r % params.d1; var i0 = r / params.d1;
  for (var i = first; i < min(first + STEP, params.n); i++) {
    let j = u32(params.offset + i32(i0) * params.s0 + i32(i1) * params.s1 + i32(i2) * params.s2
      + i32(i3) * params.s3 + i32(i4) * params.s4 + i32(i5) * params.s5);
    if (SCATTER == 0u) { y[i] = x[j]; } else { y[j] = x[i]; }
    if (STEP == 1u) { continue; }
    i5++;
    if (i5 == params.d5) { i5 = 0u; i4++; }
    if (i4 == params.d4) { i4 = 0u; i3++; }
    if (i3 == params.d3) { i3 = 0u; i2++; }
    if (i2 == params.d2) { i2 = 0u; i1++; }
    if (i1 == params.d1) { i1 = 0u; i0++; }
  }
}
