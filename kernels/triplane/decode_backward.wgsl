// Gradients of `decode`, the hidden units computed again:
//   dh = W2^T g,  dpre = dh * sigmoid(W1 f + b1),  df = W1^T dpre
//
// g: (N, OUTPUTS).  features: f as (N, C) of vec4.  df: (N, C) as vec4.
// With WEIGHTS 1 also units: h, (N, HIDDEN), and dpre: (N, HIDDEN), from which
// matrix products give the weights' gradients; with WEIGHTS 0 these two
// buffers may hold a single number.
// Weights and constants as in decode.wgsl.
// Dispatch: one invocation per point, folded over x and y.
const C4: u32 = 4u;
const OUTPUTS: u32 = 33u;
const O4: u32 = (OUTPUTS + 3u) / 4u;
override WEIGHTS: u32 = 0u;

struct Params { points: u32, hidden: u32 }
@group(0) @binding(0) var<storage, read> features: array<vec4f>;
@group(0) @binding(1) var<storage, read> w1: array<vec4f>;
@group(0) @binding(2) var<storage, read> b1: array<f32>;
@group(0) @binding(3) var<storage, read> w2: array<vec4f>;
@group(0) @binding(4) var<storage, read> g: array<f32>;
@group(0) @binding(5) var<storage, read_write> df: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> units: array<f32>;
@group(0) @binding(7) var<storage, read_write> dpre: array<f32>;
@group(0) @binding(8) var<uniform> params: Params;

// CPUs spend twenty times as long on numbers below the normal ones
fn flushed(v: f32) -> f32 { return select(v, 0.0, abs(v) < 1e-30); }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let n = id.x + id.y * groups.x * 64u;
  if (n >= params.points) { return; }

  var f: array<vec4f, C4>;
  for (var c = 0u; c < C4; c++) { f[c] = features[n * C4 + c]; }
  var grad: array<vec4f, O4>;
  for (var o = 0u; o < O4; o++) {
    for (var k = 0u; k < 4u; k++) {
      if (4u * o + k < OUTPUTS) { grad[o][k] = g[n * OUTPUTS + 4u * o + k]; }
    }
  }

  var d: array<vec4f, C4>;
  for (var h = 0u; h < params.hidden; h++) {
    var pre = b1[h];
    for (var c = 0u; c < C4; c++) { pre += dot(w1[h * C4 + c], f[c]); }
    var dh = 0.0;
    for (var o = 0u; o < O4; o++) { dh += dot(w2[h * O4 + o], grad[o]); }
    let e = exp(-abs(pre));
    let dp = flushed(dh * select(e, 1.0, pre > 0.0) / (1.0 + e));
    for (var c = 0u; c < C4; c++) { d[c] += dp * w1[h * C4 + c]; }
    if (WEIGHTS == 1u) {
      units[n * params.hidden + h] = max(pre, 0.0) + log(1.0 + e);
      dpre[n * params.hidden + h] = dp;
    }
  }
  for (var c = 0u; c < C4; c++) { df[n * C4 + c] = d[c]; }
}
