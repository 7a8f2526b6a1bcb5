// Gradients of `decode`, everything in between computed again:
//   dh = W2^T g,  dpre = dh * sigmoid(W1 f + b1),  df = W1^T dpre
//
// g: (N, OUTPUTS).  df: (N, C) as vec4, of the mean over the planes.
// With WEIGHTS 1 also f: (N, C), h: (N, HIDDEN) and dpre: (N, HIDDEN), from
// which matrix products give the weights' gradients; with WEIGHTS 0 these
// three buffers may hold a single vector.
// Other buffers and constants as in decode.wgsl.
// Dispatch: one invocation per point, folded over x and y.
const C4: u32 = 4u;
const O4: u32 = 9u;
override AXES: u32 = 0u;
override WEIGHTS: u32 = 0u;

struct Params { points: u32, hidden: u32, outputs: u32, width: u32, height: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> planes: array<vec4f>;
@group(0) @binding(1) var<storage, read> points: array<f32>;
@group(0) @binding(2) var<storage, read> w1: array<vec4f>;
@group(0) @binding(3) var<storage, read> b1: array<f32>;
@group(0) @binding(4) var<storage, read> w2: array<vec4f>;
@group(0) @binding(5) var<storage, read> g: array<f32>;
@group(0) @binding(6) var<storage, read_write> df: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> features: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> units: array<f32>;
@group(0) @binding(9) var<storage, read_write> dpre: array<f32>;
@group(0) @binding(10) var<uniform> params: Params;

struct Corners { texel: vec4u, weight: vec4f }

// as in sample.wgsl
fn corners(u: f32, v: f32) -> Corners {
  let w = f32(params.width);
  let h = f32(params.height);
  let x = clamp(((u + 1.0) * w - 1.0) * 0.5, -2.0, w + 1.0);
  let y = clamp(((v + 1.0) * h - 1.0) * 0.5, -2.0, h + 1.0);
  let x0 = floor(x);
  let y0 = floor(y);
  let fx = x - x0;
  let fy = y - y0;
  let wx0 = select(0.0, 1.0 - fx, x0 >= 0.0 && x0 < w);
  let wx1 = select(0.0, fx, x0 >= -1.0 && x0 < w - 1.0);
  let wy0 = select(0.0, 1.0 - fy, y0 >= 0.0 && y0 < h);
  let wy1 = select(0.0, fy, y0 >= -1.0 && y0 < h - 1.0);
  let ix0 = u32(clamp(x0, 0.0, w - 1.0));
  let ix1 = u32(clamp(x0 + 1.0, 0.0, w - 1.0));
  let iy0 = u32(clamp(y0, 0.0, h - 1.0)) * params.width;
  let iy1 = u32(clamp(y0 + 1.0, 0.0, h - 1.0)) * params.width;
  return Corners(
    vec4u(iy0 + ix0, iy0 + ix1, iy1 + ix0, iy1 + ix1),
    vec4f(wx0 * wy0, wx1 * wy0, wx0 * wy1, wx1 * wy1));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let n = id.x + id.y * groups.x * 64u;
  if (n >= params.points) { return; }
  let p = params.scale * vec3f(points[3u * n], points[3u * n + 1u], points[3u * n + 2u]);
  let texels = params.width * params.height;

  var f: array<vec4f, C4>;
  for (var k = 0u; k < 3u; k++) {
    var uv = p.xy;
    if (k == 1u) { uv = vec2f(select(p.x, p.y, AXES == 1u), p.z); }
    if (k == 2u) { uv = p.zx; }
    let at = corners(uv.x, uv.y);
    let weight = at.weight * (1.0 / 3.0);
    let texel = (at.texel + vec4u(k * texels)) * C4;
    for (var c = 0u; c < C4; c++) {
      f[c] += weight.x * planes[texel.x + c] + weight.y * planes[texel.y + c]
        + weight.z * planes[texel.z + c] + weight.w * planes[texel.w + c];
    }
  }

  var grad: array<vec4f, O4>;
  let row = n * params.outputs;
  for (var o = 0u; o < O4; o++) {
    for (var k = 0u; k < 4u; k++) {
      if (4u * o + k < params.outputs) { grad[o][k] = g[row + 4u * o + k]; }
    }
  }

  var d: array<vec4f, C4>;
  for (var h = 0u; h < params.hidden; h++) {
    var pre = b1[h];
    for (var c = 0u; c < C4; c++) { pre += dot(w1[h * C4 + c], f[c]); }
    var dh = 0.0;
    for (var o = 0u; o < O4; o++) { dh += dot(w2[h * O4 + o], grad[o]); }
    let e = exp(-abs(pre));
    let dp = dh * select(e, 1.0, pre > 0.0) / (1.0 + e);
    for (var c = 0u; c < C4; c++) { d[c] += dp * w1[h * C4 + c]; }
    if (WEIGHTS == 1u) {
      units[n * params.hidden + h] = max(pre, 0.0) + log(1.0 + e);
      dpre[n * params.hidden + h] = dp;
    }
  }
  for (var c = 0u; c < C4; c++) {
    df[n * C4 + c] = d[c];
    if (WEIGHTS == 1u) { features[n * C4 + c] = f[c]; }
  }
}
