// Coarse depths, importance samples drawn from the coarse weights, and the
// union of both in order (EG3D's sample_importance and unify_samples):
//   weights of the S - 1 intervals, smoothed (max of 2, mean of 2, + 0.01),
//   inner ones + 1e-5 normalised to a CDF over the interval mid-points,
//   inverted at u, joined with the coarse depths and sorted.
// No gradient runs through this step, as published.
//
// t: (R, S) ascending.  sigma: (R, S), row stride STRIDE, raw densities.
// u in [0, 1): (R, F).  merged: (R, S + F).
// COARSE = S, FINE = F size the private arrays.
// Dispatch: one invocation per ray, folded over x and y.
const COARSE: u32 = 24u;
const FINE: u32 = 24u;

struct Params { rays: u32, stride: u32 }
@group(0) @binding(0) var<storage, read> t: array<f32>;
@group(0) @binding(1) var<storage, read> sigma: array<f32>;
@group(0) @binding(2) var<storage, read> u: array<f32>;
@group(0) @binding(3) var<storage, read_write> merged: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

fn softplus(v: f32) -> f32 { return max(v, 0.0) + log(1.0 + exp(-abs(v))); }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let r = id.x + id.y * groups.x * 64u;
  if (r >= params.rays) { return; }
  let base = r * COARSE;

  var weight: array<f32, COARSE>;  // of interval k, k < COARSE - 1
  var through = 1.0;
  var s0 = sigma[base * params.stride];
  for (var k = 0u; k + 1u < COARSE; k++) {
    let s1 = sigma[(base + k + 1u) * params.stride];
    let alpha = 1.0 - exp(-softplus(0.5 * (s0 + s1) - 1.0) * (t[base + k + 1u] - t[base + k]));
    weight[k] = alpha * through;
    through *= 1.0 - alpha + 1e-10;
    s0 = s1;
  }

  // cdf[j] over bins j = 0 .. COARSE - 3, whose edges are the mid-points
  var cdf: array<f32, COARSE>;
  let last = COARSE - 2u;
  var total = 0.0;
  cdf[0] = 0.0;
  for (var k = 1u; k < last; k++) {
    let smooth_weight = 0.5 * (max(weight[k - 1u], weight[k]) + max(weight[k], weight[k + 1u])) + 0.01;
    total += smooth_weight + 1e-5;
    cdf[k] = total;
  }

  // insertion keeps the fine depths in order as they come
  let out = r * (COARSE + FINE);
  for (var f = 0u; f < FINE; f++) {
    let v = u[r * FINE + f] * total;
    var bin = 0u;  // largest index with cdf[bin] <= v, at most last - 2
    for (var k = 1u; k + 1u < last; k++) { if (cdf[k] <= v) { bin = k; } }
    let width = cdf[bin + 1u] - cdf[bin];
    let low = 0.5 * (t[base + bin] + t[base + bin + 1u]);
    let high = 0.5 * (t[base + bin + 1u] + t[base + bin + 2u]);
    // the published code divides by 1 where a bin of the normalised CDF is below 1e-5
    let fraction = select((v - cdf[bin]) / width, (v - cdf[bin]) / total, width < 1e-5 * total);
    let depth = low + fraction * (high - low);
    var k = f;
    while (k > 0u && merged[out + k - 1u] > depth) {
      merged[out + k] = merged[out + k - 1u];
      k--;
    }
    merged[out + k] = depth;
  }

  // merge from the back, in place
  var f = FINE;
  var c = COARSE;
  for (var k = COARSE + FINE; c > 0u; k--) {
    if (f > 0u && merged[out + f - 1u] > t[base + c - 1u]) {
      merged[out + k - 1u] = merged[out + f - 1u];
      f--;
    } else {
      merged[out + k - 1u] = t[base + c - 1u];
      c--;
    }
  }
}
