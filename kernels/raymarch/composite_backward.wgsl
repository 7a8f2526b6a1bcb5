// Gradients of `composite` at the samples:
//   d_raw[r, s, 1 + c] = 2 g_c (weight_s-1 + weight_s) / 2 colour'(raw)
//   pull[r, s]         = sum_c 2 g_c colour_s,c + g_C t_s + g_C+1
// so that dL / d weight_k = (pull_k + pull_k+1) / 2, which
// `transmittance_backward` takes on to the densities.  WHITE 1: the colours
// also pull with -1 through 1 - sum of weights.
//
// Buffers as in composite.wgsl; g: (R, C + 2), d_raw: (R, S, 1 + C) without
// column 0, pull: (R, S).
// Dispatch: one invocation per sample, folded over x and y.
override SIGMOID: u32 = 1u;
override WHITE: u32 = 0u;

struct Params { n: u32, samples: u32, channels: u32 }
@group(0) @binding(0) var<storage, read> raw: array<f32>;
@group(0) @binding(1) var<storage, read> t: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> g: array<f32>;
@group(0) @binding(4) var<storage, read_write> d_raw: array<f32>;
@group(0) @binding(5) var<storage, read_write> pull: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

// numbers below the normal ones, on which CPUs spend twenty times as long, are 0
fn flushed(v: f32) -> f32 { return select(v, 0.0, abs(v) < 1e-30); }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.n) { return; }
  let s = i % params.samples;
  var shared_weight = weights[i];
  if (s > 0u) { shared_weight += weights[i - 1u]; }
  let row = i * (params.channels + 1u) + 1u;
  let grow = (i / params.samples) * (params.channels + 2u);
  var acc = g[grow + params.channels] * t[i] + g[grow + params.channels + 1u];
  for (var c = 0u; c < params.channels; c++) {
    let gc = g[grow + c];
    var v = raw[row + c];
    var slope = 1.0;
    if (SIGMOID == 1u) {
      let q = 1.0 / (1.0 + exp(-v));
      v = 1.002 * q - 0.001;
      slope = 1.002 * q * (1.0 - q);
    }
    if (WHITE == 1u) { v -= 1.0; }
    acc += 2.0 * gc * v;
    d_raw[row + c] = flushed(gc * shared_weight * slope);
  }
  pull[i] = acc;
}
