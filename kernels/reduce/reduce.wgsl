// y[o, p, i] = OP over j of x[o, p + j parts, i]
//
// x: (outer, length, inner), y: (outer, parts, inner).  With parts = 1 this
// is a whole reduction; long axes are reduced in two rounds (parts > 1, then
// 1), which keeps lanes busy, needs no barrier and always adds in one order.
// OP 0: sum.  OP 1: maximum.  OP 2: sum of squares.
// Dispatch: one invocation per number of y, folded over x and y.
override OP: u32 = 0u;

struct Params { n: u32, length: u32, inner: u32, parts: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

// by its bits, since some drivers fold v != v away
fn is_nan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let t = id.x + id.y * groups.x * 64u;
  if (t >= params.n) { return; }
  let i = t % params.inner;
  let p = (t / params.inner) % params.parts;
  let o = t / (params.inner * params.parts);
  var k = (o * params.length + p) * params.inner + i;
  let step = params.parts * params.inner;
  var acc = 0.0;
  if (OP == 1u) { acc = x[k]; }
  for (var j = p; j < params.length; j += params.parts) {
    let v = x[k];
    if (OP == 0u) { acc += v; } else if (OP == 1u) { acc = select(acc, v, v > acc || is_nan(v)); } else { acc += v * v; }
    k += step;
  }
  y[t] = acc * params.scale;
}
