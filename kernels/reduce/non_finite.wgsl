// y[p] = how many of the numbers of part p are infinite or NaN
//
// x: n numbers as words, one f32 or (HALF 1) two f16 each.  Told by their bits,
// all of the exponent set, since drivers may take floats to be finite.
// y: (parts); part p has the words p, p + parts, .. so that lanes read
// neighbours.
// Dispatch: one invocation per part, folded over x and y.
alias bits = u32;
override HALF: u32 = 0u;

struct Params { n: u32, words: u32, parts: u32 }
@group(0) @binding(0) var<storage, read> x: array<bits>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

fn found(word: u32, k: u32) -> u32 {
  if (HALF == 0u) { return select(0u, 1u, (word & 0x7f800000u) == 0x7f800000u); }
  let low = select(0u, 1u, (word & 0x7c00u) == 0x7c00u);
  // the last word may hold one number only
  let high = select(0u, 1u, (word & 0x7c000000u) == 0x7c000000u && 2u * k + 1u < params.n);
  return low + high;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let p = id.x + id.y * groups.x * 64u;
  if (p >= params.parts) { return; }
  var count = 0u;
  for (var k = p; k < params.words; k += params.parts) { count += found(x[k], k); }
  y[p] = f32(count);
}
