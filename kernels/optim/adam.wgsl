// Adam, one step over one parameter, in place:
//   m <- beta1 m + (1 - beta1) g
//   v <- beta2 v + (1 - beta2) g^2
//   x <- x - rate (m / correction1) / (sqrt(v / correction2) + epsilon)
//
// x, m, v, g: n vec4 of contiguous numbers, the last one filled up with
// whatever lies behind.  With correction_k = 1 - beta_k^t the caller
// computes, in double precision, rest_k = 1 - beta_k, rate = rate / correction1
// and spread = 1 / sqrt(correction2): a division is the slowest step here.
// Moments below the normal numbers, on which CPUs spend twenty times as long,
// become 0.
// Dispatch: one invocation per STEP neighbouring vec4, folded over x and y.
override STEP: u32 = 1u;

struct Params {
  n: u32, rate: f32, spread: f32, epsilon: f32, beta1: f32, beta2: f32, rest1: f32, rest2: f32
}
@group(0) @binding(0) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> v: array<vec4f>;
@group(0) @binding(3) var<storage, read> g: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

fn flushed(v: vec4f) -> vec4f { return select(v, vec4f(0.0), abs(v) < vec4f(1e-37)); }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let first = (id.x + id.y * groups.x * 64u) * STEP;
  for (var i = first; i < min(first + STEP, params.n); i++) {
    let d = g[i];
    let m1 = flushed(params.beta1 * m[i] + params.rest1 * d);
    let v1 = flushed(params.beta2 * v[i] + params.rest2 * d * d);
    m[i] = m1;
    v[i] = v1;
    x[i] -= params.rate * m1 / (sqrt(v1) * params.spread + params.epsilon);
  }
}
