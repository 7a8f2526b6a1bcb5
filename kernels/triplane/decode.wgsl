// Tri-plane features and the decoder's two layers, fused; hidden units never
// leave the registers:
//   f      = mean_k grid_sample(plane_k, p)                      C channels
//   h      = softplus(W1 f + b1)                                 HIDDEN units
//   raw[n] = W2 h + b2                                           OUTPUTS numbers
//
// planes: (3, H, W, C) as vec4.  points: (N, 3).
// w1: (HIDDEN, C) as vec4.  b1: (HIDDEN).
// w2: (HIDDEN, 4 O4), transposed and padded, as vec4.  b2: (4 O4) as vec4.
// raw: (N, OUTPUTS).
// features: f as (N, C) of vec4 with SAVE 1, for the gradients; else one vector.
// C4 = C / 4 and O4 = ceil(OUTPUTS / 4) size private arrays.
// corners.wgsl is put behind.
// Dispatch: one invocation per point, folded over x and y.
const C4: u32 = 4u;
const OUTPUTS: u32 = 33u;
const O4: u32 = (OUTPUTS + 3u) / 4u;
override AXES: u32 = 0x284u;
override SAVE: u32 = 0u;

struct Params { points: u32, hidden: u32, width: u32, height: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> planes: array<vec4f>;
@group(0) @binding(1) var<storage, read> points: array<f32>;
@group(0) @binding(2) var<storage, read> w1: array<vec4f>;
@group(0) @binding(3) var<storage, read> b1: array<f32>;
@group(0) @binding(4) var<storage, read> w2: array<vec4f>;
@group(0) @binding(5) var<storage, read> b2: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> raw: array<f32>;
@group(0) @binding(7) var<storage, read_write> features: array<vec4f>;
@group(0) @binding(8) var<uniform> params: Params;

fn softplus(v: f32) -> f32 { return max(v, 0.0) + log(1.0 + exp(-abs(v))); }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let n = id.x + id.y * groups.x * 64u;
  if (n >= params.points) { return; }
  let p = vec3f(points[3u * n], points[3u * n + 1u], points[3u * n + 2u]);

  var f: array<vec4f, C4>;
  for (var k = 0u; k < 3u; k++) {
    let at = corners(projected(p, k));
    let weight = at.weight * (1.0 / 3.0);
    let texel = (at.texel + vec4u(k * params.width * params.height)) * C4;
    for (var c = 0u; c < C4; c++) {
      f[c] += weight.x * planes[texel.x + c] + weight.y * planes[texel.y + c]
        + weight.z * planes[texel.z + c] + weight.w * planes[texel.w + c];
    }
  }

  var out: array<vec4f, O4>;
  for (var o = 0u; o < O4; o++) { out[o] = b2[o]; }
  for (var h = 0u; h < params.hidden; h++) {
    var pre = b1[h];
    for (var c = 0u; c < C4; c++) { pre += dot(w1[h * C4 + c], f[c]); }
    let unit = softplus(pre);
    for (var o = 0u; o < O4; o++) { out[o] += unit * w2[h * O4 + o]; }
  }

  for (var o = 0u; o < O4; o++) {
    for (var k = 0u; k < 4u; k++) {
      if (4u * o + k < OUTPUTS) { raw[n * OUTPUTS + 4u * o + k] = out[o][k]; }
    }
  }
  if (SAVE == 1u) {
    for (var c = 0u; c < C4; c++) { features[n * C4 + c] = f[c]; }
  }
}
