// Adam, one step over one parameter, in place:
//   m <- beta1 m + (1 - beta1) g
//   v <- beta2 v + (1 - beta2) g^2
//   x <- x - rate (m / correction1) / (sqrt(v / correction2) + epsilon)
//
// x, m, v, g: n numbers.  rest_k = 1 - beta_k and correction_k = 1 - beta_k^t
// are computed by the caller, in double precision.
// Moments below the normal numbers, on which CPUs spend twenty times as long,
// become 0.
// Dispatch: one invocation per STEP neighbouring numbers, folded over x and y.
override STEP: u32 = 1u;

struct Params {
  n: u32, rate: f32, beta1: f32, beta2: f32, rest1: f32, rest2: f32, epsilon: f32,
  correction1: f32, correction2: f32
}
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> m: array<f32>;
@group(0) @binding(2) var<storage, read_write> v: array<f32>;
@group(0) @binding(3) var<storage, read> g: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

fn flushed(v: f32) -> f32 { return select(v, 0.0, abs(v) < 1e-37); }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let first = (id.x + id.y * groups.x * 64u) * STEP;
  for (var i = first; i < min(first + STEP, params.n); i++) {
    let d = g[i];
    let m1 = flushed(params.beta1 * m[i] + params.rest1 * d);
    let v1 = flushed(params.beta2 * v[i] + params.rest2 * d * d);
    m[i] = m1;
    v[i] = v1;
    x[i] -= params.rate * (m1 / params.correction1) / (sqrt(v1 / params.correction2) + params.epsilon);
  }
}
