// dx = g output'(v) scale,  v = x scale + noise + b
//
// x, g, dx: (outer, channels, inner).
// output, output_slope and the flags: activation.wgsl, which is put behind.
// Dispatch: one invocation per STEP neighbouring numbers, folded over x and y;
// STEP divides inner.
override STEP: u32 = 1u;

struct Params {
  n: u32, channels: u32, inner: u32, noise_step: u32, alpha: f32, gain: f32, limit: f32
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> scale: array<f32>;
@group(0) @binding(3) var<storage, read> noise: array<f32>;
@group(0) @binding(4) var<storage, read> g: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let first = (id.x + id.y * groups.x * 64u) * STEP;
  if (first >= params.n) { return; }
  let plane = first / params.inner;
  var factor = 1.0;
  var shift = 0.0;
  if (SCALED == 1u) { factor = scale[plane]; }
  if (BIASED == 1u) { shift = b[plane % params.channels]; }
  let at = (plane / params.channels) * params.noise_step + first - plane * params.inner;
  for (var k = 0u; k < STEP; k++) {
    var v = x[first + k] * factor + shift;
    if (NOISY == 1u) { v += noise[at + k]; }
    dx[first + k] = g[first + k] * output_slope(v, params.alpha, params.gain, params.limit) * factor;
  }
}
