// y[i] = f(a[i], b[i])                             SIDE 0
// y[i] = g[i] * df/da                              SIDE 1
// y[i] = g[i] * df/db                              SIDE 2
//
// a, b, g, y: n vec4 of contiguous numbers, the last one filled up with
// whatever lies behind; a CPU stores four numbers for little more than one.
// f: binary_functions.wgsl, chosen by OP, see elementwise.ts.
// Dispatch: one invocation per STEP neighbouring vec4, folded over x and y.
alias stored = f32;
override STEP: u32 = 1u;

struct Params { n: u32 }
@group(0) @binding(0) var<storage, read> a: array<vec4<stored>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<stored>>;
@group(0) @binding(2) var<storage, read> g: array<vec4<stored>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<stored>>;
@group(0) @binding(4) var<uniform> params: Params;

fn values(u: vec4f, v: vec4f) -> vec4f {
  return vec4f(value(u.x, v.x), value(u.y, v.y), value(u.z, v.z), value(u.w, v.w));
}

fn derivatives(u: vec4f, v: vec4f) -> vec4f {
  return vec4f(derivative(u.x, v.x), derivative(u.y, v.y), derivative(u.z, v.z), derivative(u.w, v.w));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let first = (id.x + id.y * groups.x * 64u) * STEP;
  for (var i = first; i < min(first + STEP, params.n); i++) {
    let u = vec4f(a[i]);
    let v = vec4f(b[i]);
    if (SIDE == 0u) {
      y[i] = vec4<stored>(values(u, v));
    } else {
      y[i] = vec4<stored>(vec4f(g[i]) * derivatives(u, v));
    }
  }
}
