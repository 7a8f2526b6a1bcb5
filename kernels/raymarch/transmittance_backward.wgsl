// Gradient of the densities from the pulls on the weights:
//   dw_k     = (pull_k + pull_k+1) / 2
//   dalpha_k = T_k dw_k - (sum_{j>k} dw_j weight_j) / (1 - alpha_k + 1e-10)
//   ds_k     = dalpha_k delta_k exp(-s_k delta_k)
//   dsigma_k and dsigma_k+1 each receive ds_k sigmoid((sigma_k + sigma_k+1) / 2 - 1) / 2
//
// raw, t, through: as in transmittance.wgsl.  pull: (R, S).
// d_raw: (R, S, 1 + C), of which only column 0 is written.
// Dispatch: one invocation per ray, folded over x and y; it walks from the
// far end to the near one.
struct Params { rays: u32, samples: u32, stride: u32 }
@group(0) @binding(0) var<storage, read> raw: array<f32>;
@group(0) @binding(1) var<storage, read> t: array<f32>;
@group(0) @binding(2) var<storage, read> through: array<f32>;
@group(0) @binding(3) var<storage, read> pull: array<f32>;
@group(0) @binding(4) var<storage, read_write> d_raw: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

fn softplus(v: f32) -> f32 { return max(v, 0.0) + log(1.0 + exp(-abs(v))); }

// numbers below the normal ones, on which CPUs spend twenty times as long, are 0
fn flushed(v: f32) -> f32 { return select(v, 0.0, abs(v) < 1e-30); }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let r = id.x + id.y * groups.x * 64u;
  if (r >= params.rays) { return; }
  let base = r * params.samples;
  var behind = 0.0;  // sum of dw_j weight_j over intervals behind k
  var from_behind = 0.0;  // what interval k gives to sample k + 1
  var k = base + params.samples - 1u;
  var s1 = raw[k * params.stride];
  while (k > base) {
    k--;
    let s0 = raw[k * params.stride];
    let m = 0.5 * (s0 + s1) - 1.0;
    let delta = t[k + 1u] - t[k];
    let kept = exp(-softplus(m) * delta);  // 1 - alpha
    let dw = 0.5 * (pull[k] + pull[k + 1u]);
    let dalpha = through[k] * dw - behind / (kept + 1e-10);
    let dm = flushed(dalpha * delta * kept / (1.0 + exp(-m)) * 0.5);
    d_raw[(k + 1u) * params.stride] = from_behind + dm;
    from_behind = dm;
    behind += dw * (1.0 - kept) * through[k];
    s1 = s0;
  }
  d_raw[base * params.stride] = from_behind;
}
