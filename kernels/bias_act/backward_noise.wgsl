// dnoise[m, i] = sum over channels c (and the batch, when it shares one noise
// picture) of dv[n, c, i],  dv = g output'(v),  v = x scale + noise + b
//
// x, g: (outer, channels, inner).  dnoise: (outer / repeat, inner).
// output, output_slope and the flags: activation.wgsl, which is put behind.
// Dispatch: one invocation per number of dnoise, folded over x and y.
struct Params {
  n: u32, channels: u32, inner: u32, repeat: u32, alpha: f32, gain: f32, limit: f32
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> scale: array<f32>;
@group(0) @binding(3) var<storage, read> noise: array<f32>;
@group(0) @binding(4) var<storage, read> g: array<f32>;
@group(0) @binding(5) var<storage, read_write> dnoise: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let t = id.x + id.y * groups.x * 64u;
  if (t >= params.n) { return; }
  let first = (t / params.inner) * params.repeat * params.channels;
  var k = first * params.inner + t % params.inner;
  let drift = noise[t];
  var acc = 0.0;
  for (var p = 0u; p < params.repeat * params.channels; p++) {
    var v = x[k] + drift;
    if (SCALED == 1u) { v = x[k] * scale[first + p] + drift; }
    if (BIASED == 1u) { v += b[p % params.channels]; }
    acc += g[k] * output_slope(v, params.alpha, params.gain, params.limit);
    k += params.inner;
  }
  dnoise[t] = acc;
}
