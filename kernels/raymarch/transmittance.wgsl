// How much light reaches each interval of a ray (EG3D's mid-point marcher):
//   s_k = softplus((sigma_k + sigma_k+1) / 2 - 1),  alpha_k = 1 - exp(-s_k (t_k+1 - t_k))
//   T_k = prod_{j<k} (1 - alpha_j + 1e-10),         weight_k = alpha_k T_k
//
// raw: (R, S, 1 + C), density first.  t: (R, S) ascending.
// through: (R, S), T_k for k < S - 1, then what is left behind the last interval.
// weights: (R, S), weight_k for k < S - 1, then 0.
// Dispatch: one invocation per ray, folded over x and y.

// Light fainter than this counts as none: products with it would fall below the
// normal numbers, on which CPUs spend twenty times as long.
const FAINT: f32 = 1e-20;

struct Params { rays: u32, samples: u32, stride: u32 }
@group(0) @binding(0) var<storage, read> raw: array<f32>;
@group(0) @binding(1) var<storage, read> t: array<f32>;
@group(0) @binding(2) var<storage, read_write> through: array<f32>;
@group(0) @binding(3) var<storage, read_write> weights: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

fn softplus(v: f32) -> f32 { return max(v, 0.0) + log(1.0 + exp(-abs(v))); }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let r = id.x + id.y * groups.x * 64u;
  if (r >= params.rays) { return; }
  let base = r * params.samples;
  var left = 1.0;
  var s0 = raw[base * params.stride];
  for (var k = base; k + 1u < base + params.samples; k++) {
    let s1 = raw[(k + 1u) * params.stride];
    let alpha = 1.0 - exp(-softplus(0.5 * (s0 + s1) - 1.0) * (t[k + 1u] - t[k]));
    through[k] = left;
    weights[k] = alpha * left;
    left *= 1.0 - alpha + 1e-10;
    if (left < FAINT) { left = 0.0; }
    s0 = s1;
  }
  through[base + params.samples - 1u] = left;
  weights[base + params.samples - 1u] = 0.0;
}
