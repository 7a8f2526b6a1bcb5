// shares[plane, p]   = sum over j = p, p + parts, ... of dv[plane, j]
// products[plane, p] = the same of dv[plane, j] x[plane, j]
//   with dv = g output'(v),  v = x scale + noise + b
//
// x, g: (planes = outer channels, inner).  shares, products: (planes, parts);
// summed on, they are the gradients of b and of scale.
// output, output_slope and the flags: activation.wgsl, which is put behind.
// Dispatch: one invocation per (plane, part), folded over x and y.
struct Params {
  n: u32, channels: u32, inner: u32, noise_step: u32, alpha: f32, gain: f32, limit: f32, parts: u32
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> scale: array<f32>;
@group(0) @binding(3) var<storage, read> noise: array<f32>;
@group(0) @binding(4) var<storage, read> g: array<f32>;
@group(0) @binding(5) var<storage, read_write> shares: array<f32>;
@group(0) @binding(6) var<storage, read_write> products: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let t = id.x + id.y * groups.x * 64u;
  if (t >= params.n) { return; }
  let plane = t / params.parts;
  var factor = 1.0;
  var shift = 0.0;
  if (SCALED == 1u) { factor = scale[plane]; }
  if (BIASED == 1u) { shift = b[plane % params.channels]; }
  let at = (plane / params.channels) * params.noise_step;
  let base = plane * params.inner;
  var share = 0.0;
  var product = 0.0;
  for (var j = t % params.parts; j < params.inner; j += params.parts) {
    let u = x[base + j];
    var v = u * factor + shift;
    if (NOISY == 1u) { v += noise[at + j]; }
    let dv = g[base + j] * output_slope(v, params.alpha, params.gain, params.limit);
    share += dv;
    product += dv * u;
  }
  shares[t] = share;
  products[t] = product;
}
