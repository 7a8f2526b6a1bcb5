// Gradients of the fused decoder, as decode_backward.wgsl, for CPUs; see
// decode_lanes.wgsl for the tile and for `packed`.
//
// g: (N, OUTPUTS).  features, df: (N, C).  units, dpre: (N, HIDDEN).
// lanes.wgsl is put behind.
// Dispatch: 32 points per workgroup of 8, which is one subgroup, folded over x
// and y.
const C4: u32 = 4u;
const OUTPUTS: u32 = 33u;
const C8: u32 = (C4 + 1u) / 2u;
const O8: u32 = (OUTPUTS + 7u) / 8u;
override WEIGHTS: u32 = 0u;

struct Params { points: u32, hidden: u32 }
@group(0) @binding(0) var<storage, read> features: array<f32>;
@group(0) @binding(1) var<storage, read> packed: array<f32>;
@group(0) @binding(2) var<storage, read> b1: array<f32>;
@group(0) @binding(3) var<storage, read> g: array<f32>;
@group(0) @binding(4) var<storage, read_write> df: array<f32>;
@group(0) @binding(5) var<storage, read_write> units: array<f32>;
@group(0) @binding(6) var<storage, read_write> dpre: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;

// CPUs spend twenty times as long on numbers below the normal ones
fn flushed(v: vec4f) -> vec4f { return select(v, vec4f(0.0), abs(v) < vec4f(1e-30)); }

fn store_hidden(first: u32, h: u32, unit: vec4f, d: vec4f) {
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
  let first = (group.x + group.y * grid.x) * 32u + lane;
  var f: Wide;
  var grad: Wide;
  for (var k = 0u; k < 4u; k++) {
    // points past the end repeat the last one and are not stored
    let n = min(first + 8u * k, params.points - 1u);
    for (var c = 0u; c < 4u * C4; c++) { f[c][k] = features[n * 4u * C4 + c]; }
    for (var o = 0u; o < OUTPUTS; o++) { grad[o][k] = g[n * OUTPUTS + o]; }
  }

  var d: Wide;
  for (var h = 0u; h < params.hidden; h++) {
    let row = h * 8u * (C8 + O8) + lane;
    var pre = vec4f(b1[h]);
    for (var c = 0u; c < C8; c++) {
      pre += dot8(&f, 8u * c, 4u * C4 - 8u * c, packed[row + 8u * c]);
    }
    var dh = vec4f(0.0);
    for (var o = 0u; o < O8; o++) {
      dh += dot8(&grad, 8u * o, OUTPUTS - 8u * o, packed[row + 8u * (C8 + o)]);
    }
    let e = exp(-abs(pre));
    let dp = flushed(dh * select(e, vec4f(1.0), pre > vec4f(0.0)) / (1.0 + e));
    for (var c = 0u; c < C8; c++) {
      add8(&d, 8u * c, 4u * C4 - 8u * c, packed[row + 8u * c], dp);
    }
    if (WEIGHTS == 1u) { store_hidden(first, h, max(pre, vec4f(0.0)) + log(1.0 + e), dp); }
  }

  for (var k = 0u; k < 4u; k++) {
    let n = first + 8u * k;
    if (n >= params.points) { continue; }
    for (var c = 0u; c < 4u * C4; c++) { df[n * 4u * C4 + c] = d[c][k]; }
  }
}
