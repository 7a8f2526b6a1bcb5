// Gradients of the fused decoder, as decode_backward.wgsl, for CPUs; see
// decode_lanes.wgsl for the tile and for `packed`.
//
// g: (N, OUTPUTS).  df, features: (N, C).  units, dpre: (N, HIDDEN).
// Dispatch: 32 points per workgroup of 8, which is one subgroup, folded over x
// and y.
const C4: u32 = 4u;
const C8: u32 = 2u;
const O8: u32 = 5u;
override AXES: u32 = 0u;
override WEIGHTS: u32 = 0u;

struct Params { points: u32, hidden: u32, outputs: u32, width: u32, height: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> planes: array<vec4f>;
@group(0) @binding(1) var<storage, read> points: array<f32>;
@group(0) @binding(2) var<storage, read> packed: array<f32>;
@group(0) @binding(3) var<storage, read> b1: array<f32>;
@group(0) @binding(4) var<storage, read> g: array<f32>;
@group(0) @binding(5) var<storage, read_write> df: array<f32>;
@group(0) @binding(6) var<storage, read_write> features: array<f32>;
@group(0) @binding(7) var<storage, read_write> units: array<f32>;
@group(0) @binding(8) var<storage, read_write> dpre: array<f32>;
@group(0) @binding(9) var<uniform> params: Params;

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

fn scatter_hidden(first: u32, h: u32, unit: vec4f, d: vec4f) {
  for (var k = 0u; k < 4u; k++) {
    let n = first + 8u * k;
    if (n >= params.points) { continue; }
    units[n * params.hidden + h] = unit[k];
    dpre[n * params.hidden + h] = d[k];
  }
}

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32
) {
  var f: array<vec4f, 8u * C8>;
  let first = (group.x + group.y * grid.x) * 32u + lane;
  let texels = params.width * params.height;
  for (var k = 0u; k < 4u; k++) {
    // points past the end repeat the last one and are not stored
    let n = min(first + 8u * k, params.points - 1u);
    let p = params.scale * vec3f(points[3u * n], points[3u * n + 1u], points[3u * n + 2u]);
    for (var plane = 0u; plane < 3u; plane++) {
      var uv = p.xy;
      if (plane == 1u) { uv = vec2f(select(p.x, p.y, AXES == 1u), p.z); }
      if (plane == 2u) { uv = p.zx; }
      let at = corners(uv.x, uv.y);
      let weight = at.weight * (1.0 / 3.0);
      let texel = (at.texel + vec4u(plane * texels)) * C4;
      for (var c = 0u; c < C4; c++) {
        let v = weight.x * planes[texel.x + c] + weight.y * planes[texel.y + c]
          + weight.z * planes[texel.z + c] + weight.w * planes[texel.w + c];
        f[4u * c][k] += v.x;
        f[4u * c + 1u][k] += v.y;
        f[4u * c + 2u][k] += v.z;
        f[4u * c + 3u][k] += v.w;
      }
    }
  }

  var grad: array<vec4f, 8u * O8>;
  for (var k = 0u; k < 4u; k++) {
    let n = min(first + 8u * k, params.points - 1u);
    for (var o = 0u; o < 8u * O8; o++) {
      if (o < params.outputs) { grad[o][k] = g[n * params.outputs + o]; }
    }
  }

  var d: array<vec4f, 8u * C8>;
  for (var h = 0u; h < params.hidden; h++) {
    let row = h * 8u * (C8 + O8) + lane;
    var pre = vec4f(b1[h]);
    for (var c = 0u; c < C8; c++) {
      let s = packed[row + 8u * c];
      pre += subgroupBroadcast(s, 0u) * f[8u * c + 0u];
      pre += subgroupBroadcast(s, 1u) * f[8u * c + 1u];
      pre += subgroupBroadcast(s, 2u) * f[8u * c + 2u];
      pre += subgroupBroadcast(s, 3u) * f[8u * c + 3u];
      pre += subgroupBroadcast(s, 4u) * f[8u * c + 4u];
      pre += subgroupBroadcast(s, 5u) * f[8u * c + 5u];
      pre += subgroupBroadcast(s, 6u) * f[8u * c + 6u];
      pre += subgroupBroadcast(s, 7u) * f[8u * c + 7u];
    }
    var dh = vec4f(0.0);
    for (var o = 0u; o < O8; o++) {
      let s = packed[row + 8u * (C8 + o)];
      dh += subgroupBroadcast(s, 0u) * grad[8u * o + 0u];
      dh += subgroupBroadcast(s, 1u) * grad[8u * o + 1u];
      dh += subgroupBroadcast(s, 2u) * grad[8u * o + 2u];
      dh += subgroupBroadcast(s, 3u) * grad[8u * o + 3u];
      dh += subgroupBroadcast(s, 4u) * grad[8u * o + 4u];
      dh += subgroupBroadcast(s, 5u) * grad[8u * o + 5u];
      dh += subgroupBroadcast(s, 6u) * grad[8u * o + 6u];
      dh += subgroupBroadcast(s, 7u) * grad[8u * o + 7u];
    }
    let e = exp(-abs(pre));
    let dp = dh * select(e, vec4f(1.0), pre > vec4f(0.0)) / (1.0 + e);
    for (var c = 0u; c < C8; c++) {
      let s = packed[row + 8u * c];
      d[8u * c + 0u] += subgroupBroadcast(s, 0u) * dp;
      d[8u * c + 1u] += subgroupBroadcast(s, 1u) * dp;
      d[8u * c + 2u] += subgroupBroadcast(s, 2u) * dp;
      d[8u * c + 3u] += subgroupBroadcast(s, 3u) * dp;
      d[8u * c + 4u] += subgroupBroadcast(s, 4u) * dp;
      d[8u * c + 5u] += subgroupBroadcast(s, 5u) * dp;
      d[8u * c + 6u] += subgroupBroadcast(s, 6u) * dp;
      d[8u * c + 7u] += subgroupBroadcast(s, 7u) * dp;
    }
    if (WEIGHTS == 1u) { scatter_hidden(first, h, max(pre, vec4f(0.0)) + log(1.0 + e), dp); }
  }

  for (var k = 0u; k < 4u; k++) {
    let n = first + 8u * k;
    if (n >= params.points) { continue; }
    for (var c = 0u; c < 4u * C4; c++) {
      df[n * 4u * C4 + c] = d[c][k];
      if (WEIGHTS == 1u) { features[n * 4u * C4 + c] = f[c][k]; }
    }
  }
}
