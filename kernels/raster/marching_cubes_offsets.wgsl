// items[k] = starts[i] + sum of items[SPAN i .. k - 1] for the k of span i: one
// level down in an exclusive prefix sum.
//
// items: (n, 2), u32, replaced.  starts: (ceil(n / SPAN), 2), u32.
// Dispatch: one invocation per span, folded over x and y.
const SPAN: u32 = 64u;

struct Params { n: u32 }
@group(0) @binding(0) var<storage, read> starts: array<vec2u>;
@group(0) @binding(1) var<storage, read_write> items: array<vec2u>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i * SPAN >= params.n) { return; }
  var sum = starts[i];
  for (var k = i * SPAN; k < min(i * SPAN + SPAN, params.n); k++) {
    let own = items[k];
    items[k] = sum;
    sum += own;
  }
}
