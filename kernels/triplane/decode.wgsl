// Tri-plane features and the decoder's two layers, fused; features and hidden
// units never leave the registers:
//   f      = mean_k grid_sample(plane_k, scale * p)              C channels
//   h      = softplus(W1 f + b1)                                 HIDDEN units
//   raw[n] = W2 h + b2                                           OUTPUTS numbers
//
// planes: (3, H, W, C) as vec4.  points: (N, 3).
// w1: (HIDDEN, C) as vec4.  b1: (HIDDEN).
// w2: (HIDDEN, 4 O4), transposed and padded, as vec4.  b2: (4 O4) as vec4.
// raw: (N, OUTPUTS).
// C4 = C / 4 and O4 = ceil(OUTPUTS / 4) size private arrays.
// Dispatch: one invocation per point, folded over x and y.
const C4: u32 = 4u;
const O4: u32 = 9u;
override AXES: u32 = 0u;

struct Params { points: u32, hidden: u32, outputs: u32, width: u32, height: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> planes: array<vec4f>;
@group(0) @binding(1) var<storage, read> points: array<f32>;
@group(0) @binding(2) var<storage, read> w1: array<vec4f>;
@group(0) @binding(3) var<storage, read> b1: array<f32>;
@group(0) @binding(4) var<storage, read> w2: array<vec4f>;
@group(0) @binding(5) var<storage, read> b2: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> raw: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;

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

fn softplus(v: f32) -> f32 { return max(v, 0.0) + log(1.0 + exp(-abs(v))); }

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

  var out: array<vec4f, O4>;
  for (var o = 0u; o < O4; o++) { out[o] = b2[o]; }
  for (var h = 0u; h < params.hidden; h++) {
    var pre = b1[h];
    for (var c = 0u; c < C4; c++) { pre += dot(w1[h * C4 + c], f[c]); }
    let unit = softplus(pre);
    for (var o = 0u; o < O4; o++) { out[o] += unit * w2[h * O4 + o]; }
  }

  let row = n * params.outputs;
  for (var o = 0u; o < O4; o++) {
    for (var k = 0u; k < 4u; k++) {
      if (4u * o + k < params.outputs) { raw[row + 4u * o + k] = out[o][k]; }
    }
  }
}
