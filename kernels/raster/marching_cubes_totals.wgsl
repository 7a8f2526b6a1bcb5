// totals[i] = sum of items[SPAN i .. SPAN i + SPAN - 1]: one level up in a
// prefix sum.
//
// items: (n, 2), u32.  totals: (ceil(n / SPAN), 2), u32.
// Dispatch: one invocation per total, folded over x and y.
const SPAN: u32 = 64u;

struct Params { n: u32 }
@group(0) @binding(0) var<storage, read> items: array<vec2u>;
@group(0) @binding(1) var<storage, read_write> totals: array<vec2u>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i * SPAN >= params.n) { return; }
  var sum = vec2u(0u);
  for (var k = i * SPAN; k < min(i * SPAN + SPAN, params.n); k++) { sum += items[k]; }
  totals[i] = sum;
}
