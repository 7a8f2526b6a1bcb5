// y = clamp(gain act(x scale + noise + b))
//
// x, y: (outer, channels, inner).  noise_step: inner, or 0 for one noise
// picture shared by the batch.  b, scale and noise may be f32 where x is f16.
// output, output_slope and the flags: activation.wgsl, which is put behind.
// Dispatch: one invocation per STEP neighbouring numbers, folded over x and y;
// STEP divides inner.
alias x_t = f32;
alias b_t = f32;
alias scale_t = f32;
alias noise_t = f32;
override STEP: u32 = 1u;

struct Params {
  n: u32, channels: u32, inner: u32, noise_step: u32, alpha: f32, gain: f32, limit: f32
}
@group(0) @binding(0) var<storage, read> x: array<x_t>;
@group(0) @binding(1) var<storage, read> b: array<b_t>;
@group(0) @binding(2) var<storage, read> scale: array<scale_t>;
@group(0) @binding(3) var<storage, read> noise: array<noise_t>;
@group(0) @binding(4) var<storage, read_write> y: array<x_t>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let first = (id.x + id.y * groups.x * 64u) * STEP;
  if (first >= params.n) { return; }
  let plane = first / params.inner;
  var factor = 1.0;
  var shift = 0.0;
  if (SCALED == 1u) { factor = f32(scale[plane]); }
  if (BIASED == 1u) { shift = f32(b[plane % params.channels]); }
  let at = (plane / params.channels) * params.noise_step + first - plane * params.inner;
  for (var k = 0u; k < STEP; k++) {
    var v = f32(x[first + k]) * factor + shift;
    if (NOISY == 1u) { v += f32(noise[at + k]); }
    y[first + k] = x_t(output(v, params.alpha, params.gain, params.limit));
  }
}
