// Tri-plane features and the decoder's two layers, as decode.wgsl, for CPUs.
//
// A gather costs a CPU as much as six multiply-adds, so each lane keeps four
// points, one gather fetches the weights of 8 channels, one per lane, and
// subgroup broadcasts hand them to all lanes.
//
// planes, points, b1, raw: as in decode.wgsl.  b2: (8 O8).
// packed: (HIDDEN, 8 C8 + 8 O8), a row of W1 and a column of W2, each padded
// to whole vectors of 8.  features: f as (N, C) with SAVE 1, else one number.
// C4 = C / 4, C8 = ceil(C / 8) and O8 = ceil(OUTPUTS / 8) size private arrays.
// corners.wgsl and lanes.wgsl are put behind.
// Dispatch: 32 points per workgroup of 8, which is one subgroup, folded over x
// and y.
const C4: u32 = 4u;
const OUTPUTS: u32 = 33u;
const C8: u32 = (C4 + 1u) / 2u;
const O8: u32 = (OUTPUTS + 7u) / 8u;
override AXES: u32 = 0x284u;
override SAVE: u32 = 0u;

struct Params { points: u32, hidden: u32, width: u32, height: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> planes: array<vec4f>;
@group(0) @binding(1) var<storage, read> points: array<f32>;
@group(0) @binding(2) var<storage, read> packed: array<f32>;
@group(0) @binding(3) var<storage, read> b1: array<f32>;
@group(0) @binding(4) var<storage, read> b2: array<f32>;
@group(0) @binding(5) var<storage, read_write> raw: array<f32>;
@group(0) @binding(6) var<storage, read_write> features: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;

fn softplus(v: vec4f) -> vec4f { return max(v, vec4f(0.0)) + log(1.0 + exp(-abs(v))); }

// features of point n, as number k of each vector
fn sample_point(f: ptr<function, Wide>, n: u32, k: u32) {
  let p = vec3f(points[3u * n], points[3u * n + 1u], points[3u * n + 2u]);
  for (var plane = 0u; plane < 3u; plane++) {
    let at = corners(projected(p, plane));
    let weight = at.weight * (1.0 / 3.0);
    let texel = (at.texel + vec4u(plane * params.width * params.height)) * C4;
    for (var c = 0u; c < C4; c++) {
      let v = weight.x * planes[texel.x + c] + weight.y * planes[texel.y + c]
        + weight.z * planes[texel.z + c] + weight.w * planes[texel.w + c];
      (*f)[4u * c][k] += v.x;
      (*f)[4u * c + 1u][k] += v.y;
      (*f)[4u * c + 2u][k] += v.z;
      (*f)[4u * c + 3u][k] += v.w;
    }
  }
}

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32
) {
  let first = (group.x + group.y * grid.x) * 32u + lane;
  var f: Wide;
  for (var k = 0u; k < 4u; k++) {
    // points past the end repeat the last one and are not stored
    sample_point(&f, min(first + 8u * k, params.points - 1u), k);
  }

  var out: Wide;
  for (var o = 0u; o < OUTPUTS; o++) { out[o] = vec4f(b2[o]); }
  for (var h = 0u; h < params.hidden; h++) {
    let row = h * 8u * (C8 + O8) + lane;
    var pre = vec4f(b1[h]);
    for (var c = 0u; c < C8; c++) {
      pre += dot8(&f, 8u * c, 4u * C4 - 8u * c, packed[row + 8u * c]);
    }
    let unit = softplus(pre);
    for (var o = 0u; o < O8; o++) {
      add8(&out, 8u * o, OUTPUTS - 8u * o, packed[row + 8u * (C8 + o)], unit);
    }
  }

  for (var k = 0u; k < 4u; k++) {
    let n = first + 8u * k;
    if (n >= params.points) { continue; }
    for (var o = 0u; o < OUTPUTS; o++) { raw[n * OUTPUTS + o] = out[o][k]; }
    if (SAVE == 1u) {
      for (var c = 0u; c < 4u * C4; c++) { features[n * 4u * C4 + c] = f[c][k]; }
    }
  }
}
