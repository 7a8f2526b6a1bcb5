// Tri-plane features and the decoder's two layers, as decode.wgsl, for CPUs.
//
// A gather costs a CPU as much as six multiply-adds, so each lane keeps four
// points, one gather fetches the weights of 8 channels, one per lane, and
// subgroup broadcasts hand them to all lanes.
//
// planes, points, b1, raw: as in decode.wgsl.  b2: (8 O8).
// packed: (HIDDEN, 8 C8 + 8 O8), a row of W1 and a column of W2, each padded
// with zeros to whole vectors of 8.
// C4 = C / 4, C8 = ceil(C / 8) and O8 = ceil(OUTPUTS / 8) size private arrays.
// Dispatch: 32 points per workgroup of 8, which is one subgroup, folded over x
// and y.
const C4: u32 = 4u;
const C8: u32 = 2u;
const O8: u32 = 5u;
override AXES: u32 = 0u;

struct Params { points: u32, hidden: u32, outputs: u32, width: u32, height: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> planes: array<vec4f>;
@group(0) @binding(1) var<storage, read> points: array<f32>;
@group(0) @binding(2) var<storage, read> packed: array<f32>;
@group(0) @binding(3) var<storage, read> b1: array<f32>;
@group(0) @binding(4) var<storage, read> b2: array<f32>;
@group(0) @binding(5) var<storage, read_write> raw: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

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

fn softplus(v: vec4f) -> vec4f { return max(v, vec4f(0.0)) + log(1.0 + exp(-abs(v))); }

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

  var out: array<vec4f, 8u * O8>;
  for (var o = 0u; o < 8u * O8; o++) { out[o] = vec4f(b2[o]); }
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
    let unit = softplus(pre);
    for (var o = 0u; o < O8; o++) {
      let s = packed[row + 8u * (C8 + o)];
      out[8u * o + 0u] += subgroupBroadcast(s, 0u) * unit;
      out[8u * o + 1u] += subgroupBroadcast(s, 1u) * unit;
      out[8u * o + 2u] += subgroupBroadcast(s, 2u) * unit;
      out[8u * o + 3u] += subgroupBroadcast(s, 3u) * unit;
      out[8u * o + 4u] += subgroupBroadcast(s, 4u) * unit;
      out[8u * o + 5u] += subgroupBroadcast(s, 5u) * unit;
      out[8u * o + 6u] += subgroupBroadcast(s, 6u) * unit;
      out[8u * o + 7u] += subgroupBroadcast(s, 7u) * unit;
    }
  }

  for (var k = 0u; k < 4u; k++) {
    let n = first + 8u * k;
    if (n >= params.points) { continue; }
    for (var o = 0u; o < 8u * O8; o++) {
      if (o < params.outputs) { raw[n * params.outputs + o] = out[o][k]; }
    }
  }
}
