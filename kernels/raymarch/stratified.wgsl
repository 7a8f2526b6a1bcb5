// t[r, k] = near + k D + jitter[r, k] D,   D = (far - near) / (S - 1)
// (EG3D's stratified depths; the last sample may lie up to D behind far.)
// DISPARITY 1: evenly in 1 / t,   t = 1 / ((1 - q) / near + q / far),   q = (k + jitter) / (S - 1)
//
// limits: (R, 2), near and far of each ray.  jitter in [0, 1): (R, S).  t: (R, S).
// Dispatch: one invocation per sample, folded over x and y.
override DISPARITY: u32 = 0u;

struct Params { n: u32, samples: u32 }
@group(0) @binding(0) var<storage, read> limits: array<f32>;
@group(0) @binding(1) var<storage, read> jitter: array<f32>;
@group(0) @binding(2) var<storage, read_write> t: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.n) { return; }
  let r = i / params.samples;
  let near = limits[2u * r];
  let far = limits[2u * r + 1u];
  let k = f32(i % params.samples) + jitter[i];
  if (DISPARITY == 1u) {
    let q = k / f32(params.samples - 1u);
    t[i] = 1.0 / ((1.0 - q) / near + q / far);
  } else {
    t[i] = near + k * (far - near) / f32(params.samples - 1u);
  }
}
