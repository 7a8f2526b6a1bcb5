// y[i] = f(x[i])                                   DIRECTION 0
// y[i] = g[i] * f'(x[i])                           DIRECTION 1
//
// x, g, y: n vec4 of contiguous numbers, the last one filled up with whatever
// lies behind; a CPU stores four numbers for little more than one.  f is chosen
// by OP, see elementwise.ts.  a, b: parameters of f (slope, bounds, affine).
// Dispatch: one invocation per STEP neighbouring vec4, folded over x and y.
alias stored = f32;
override OP: u32 = 0u;
override DIRECTION: u32 = 0u;
override STEP: u32 = 1u;

struct Params { n: u32, a: f32, b: f32 }
@group(0) @binding(0) var<storage, read> x: array<vec4<stored>>;
@group(0) @binding(1) var<storage, read> g: array<vec4<stored>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<stored>>;
@group(0) @binding(3) var<uniform> params: Params;

fn softplus(v: f32) -> f32 { return max(v, 0.0) + log(1.0 + exp(-abs(v))); }
fn sigmoid(v: f32) -> f32 { return 1.0 / (1.0 + exp(-v)); }
// tanh of some drivers overflows in exp for large arguments
fn tanh_safe(v: f32) -> f32 { return select(tanh(v), sign(v), abs(v) > 15.0); }

// by its exponent: drivers may assume that there are no other numbers
fn finite(v: f32) -> bool { return (bitcast<u32>(v) & 0x7f800000u) != 0x7f800000u; }

// select, not max and clamp, which hide NaN on some drivers
fn value(v: f32) -> f32 {
  switch OP {
    case 0u: { return params.a * v + params.b; }
    case 1u: { return exp(v); }
    case 2u: { return log(v); }
    case 3u: { return sqrt(v); }
    case 4u: { return 1.0 / sqrt(v + params.b); }
    case 5u: { return v * v; }
    case 6u: { return abs(v); }
    case 7u: { return select(v, 0.0, v <= 0.0); }
    case 8u: { return select(v * params.a, v, v > 0.0); }
    case 9u: { return sigmoid(v); }
    case 10u: { return tanh_safe(v); }
    case 11u: { return softplus(v); }
    case 12u: { return select(select(v, params.a, v < params.a), params.b, v > params.b); }
    case 13u: { return 1.0 / v; }
    case 14u: { return sin(v); }
    case 15u: { return cos(v); }
    case 16u: { return select(0.0, params.a * v, finite(v)); }
    default: { return v; }
  }
}

fn derivative(v: f32) -> f32 {
  switch OP {
    case 0u: { return params.a; }
    case 1u: { return exp(v); }
    case 2u: { return 1.0 / v; }
    case 3u: { return 0.5 / sqrt(v); }
    case 4u: { return -0.5 / ((v + params.b) * sqrt(v + params.b)); }
    case 5u: { return 2.0 * v; }
    case 6u: { return sign(v); }
    case 7u: { return select(0.0, 1.0, v > 0.0); }
    case 8u: { return select(params.a, 1.0, v > 0.0); }
    case 9u: { let s = sigmoid(v); return s * (1.0 - s); }
    case 10u: { let t = tanh_safe(v); return 1.0 - t * t; }
    case 11u: { return sigmoid(v); }
    case 12u: { return select(0.0, 1.0, v >= params.a && v <= params.b); }
    case 13u: { return -1.0 / (v * v); }
    case 14u: { return cos(v); }
    case 15u: { return -sin(v); }
    case 16u: { return select(0.0, params.a, finite(v)); }
    default: { return 1.0; }
  }
}

fn values(v: vec4f) -> vec4f { return vec4f(value(v.x), value(v.y), value(v.z), value(v.w)); }

fn derivatives(v: vec4f) -> vec4f {
  return vec4f(derivative(v.x), derivative(v.y), derivative(v.z), derivative(v.w));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let first = (id.x + id.y * groups.x * 64u) * STEP;
  for (var i = first; i < min(first + STEP, params.n); i++) {
    let v = vec4f(x[i]);
    if (DIRECTION == 0u) {
      y[i] = vec4<stored>(values(v));
    } else {
      y[i] = vec4<stored>(vec4f(g[i]) * derivatives(v));
    }
  }
}
