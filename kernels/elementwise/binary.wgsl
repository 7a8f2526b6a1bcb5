// y[i] = f(a[i], b[i])                             SIDE 0
// y[i] = g[i] * df/da                              SIDE 1
// y[i] = g[i] * df/db                              SIDE 2
//
// y, g: contiguous, shape (d0 .. d5).  a, b: read through strides, so that a
// broadcast axis has stride 0.  f: binary_functions.wgsl, chosen by OP, see
// elementwise.ts.  Operands of one shape: binary_same.wgsl.
// LAYOUT 0: strides.  LAYOUT 2: a has the shape of y, (rows, d5), and b one
// number a row, repeating after d1 rows: integer divisions, slow on CPUs, are
// then not needed.
// Dispatch: one invocation per STEP neighbouring numbers of y, folded over x
// and y; for LAYOUT 2 x over d5, y and z over rows.
alias stored = f32;
override LAYOUT: u32 = 0u;
override STEP: u32 = 1u;

struct Params {
  n: u32,
  d1: u32, d2: u32, d3: u32, d4: u32, d5: u32,
  a0: u32, a1: u32, a2: u32, a3: u32, a4: u32, a5: u32,
  b0: u32, b1: u32, b2: u32, b3: u32, b4: u32, b5: u32
}
@group(0) @binding(0) var<storage, read> a: array<stored>;
@group(0) @binding(1) var<storage, read> b: array<stored>;
@group(0) @binding(2) var<storage, read> g: array<stored>;
@group(0) @binding(3) var<storage, read_write> y: array<stored>;
@group(0) @binding(4) var<uniform> params: Params;

fn apply(i: u32, ia: u32, ib: u32) {
  let u = f32(a[ia]);
  let v = f32(b[ib]);
  if (SIDE == 0u) { y[i] = stored(value(u, v)); } else { y[i] = stored(f32(g[i]) * derivative(u, v)); }
}

// numbers first to last through strides: divisions for the first, then carries
fn walk(first: u32, last: u32) {
  var r = first;
  var i5 = r % params.d5; r = r / params.d5;
  var i4 = r % params.d4; r = r / params.d4;
  var i3 = r % params.d3; r = r / params.d3;
  var i2 = r % params.d2; r = r / params.d2;
  var i1 = r % params.d1; var i0 = r / params.d1;
  for (var i = first; i < last; i++) {
    apply(
      i,
      i0 * params.a0 + i1 * params.a1 + i2 * params.a2 + i3 * params.a3 + i4 * params.a4 + i5 * params.a5,
      i0 * params.b0 + i1 * params.b1 + i2 * params.b2 + i3 * params.b3 + i4 * params.b4 + i5 * params.b5);
    if (STEP == 1u) { continue; }
    i5++;
    if (i5 == params.d5) { i5 = 0u; i4++; }
    if (i4 == params.d4) { i4 = 0u; i3++; }
    if (i3 == params.d3) { i3 = 0u; i2++; }
    if (i2 == params.d2) { i2 = 0u; i1++; }
    if (i1 == params.d1) { i1 = 0u; i0++; }
  }
}

@compute @workgroup_size(64)
fn main(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u
) {
  if (LAYOUT == 2u) {
    let row = group.y + group.z * groups.y;
    let first = id.x * STEP;
    // rows past the last one, where y and z are folded, are empty
    let length = select(0u, params.d5, row * params.d5 < params.n);
    let begin = row * params.d5;
    let other = row % params.d1;
    for (var i = first; i < min(first + STEP, length); i++) { apply(begin + i, begin + i, other); }
    return;
  }
  let first = (id.x + id.y * groups.x * 64u) * STEP;
  walk(first, min(first + STEP, params.n));
}
