// y[o, p, i] = OP over the j of part p of x[o, j, i]        (OP 3: of x z)
//
// x, z: (outer, length, inner), y: (outer, parts, inner).  With parts = 1 this
// is a whole reduction; long axes are reduced in two rounds (parts > 1, then
// 1), which keeps lanes busy, needs no barrier and always adds in one order.
// Part p has j = p begin, p begin + stride, .. below p begin + span: runs where
// inner is long, so that memory is read in order, else every parts-th number,
// so that lanes read neighbours.
// OP 0: sum.  OP 1: maximum.  OP 2: sum of squares.  OP 3: sum of products.
// Dispatch: one invocation per number of y, folded over x and y.
override OP: u32 = 0u;

struct Params {
  n: u32, length: u32, inner: u32, parts: u32, begin: u32, stride: u32, span: u32, scale: f32
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> z: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

// by its bits, since some drivers fold v != v away
fn is_nan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }

fn larger(u: f32, v: f32) -> f32 { return select(u, v, v > u || is_nan(v)); }

// a sum or maximum with number k added
fn joined(acc: f32, k: u32) -> f32 {
  switch OP {
    case 0u: { return acc + x[k]; }
    case 1u: { return larger(acc, x[k]); }
    case 2u: { return acc + x[k] * x[k]; }
    default: { return acc + x[k] * z[k]; }
  }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let t = id.x + id.y * groups.x * 64u;
  if (t >= params.n) { return; }
  let i = t % params.inner;
  let first = (t / params.inner) % params.parts * params.begin;
  let o = t / (params.inner * params.parts);
  let step = params.stride * params.inner;
  var k = (o * params.length + first) * params.inner + i;
  var sums = vec4f(select(0.0, x[k], OP == 1u));
  // four at a time: an iteration costs a CPU as much as three loads
  var left = (min(params.length - first, params.span) + params.stride - 1u) / params.stride;
  for (; left >= 4u; left -= 4u) {
    sums.x = joined(sums.x, k);
    sums.y = joined(sums.y, k + step);
    sums.z = joined(sums.z, k + 2u * step);
    sums.w = joined(sums.w, k + 3u * step);
    k += 4u * step;
  }
  var acc = (sums.x + sums.y) + (sums.z + sums.w);
  if (OP == 1u) { acc = larger(larger(sums.x, sums.y), larger(sums.z, sums.w)); }
  for (; left > 0u; left--) {
    acc = joined(acc, k);
    k += step;
  }
  y[t] = acc * params.scale;
}
