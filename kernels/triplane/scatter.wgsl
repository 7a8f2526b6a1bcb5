// The adjoint of `sample` for the planes, added in fixed point so that the
// order of additions does not matter:
//   accumulator[k, texel, c] += round(unit * weight_k(n, texel) * g[n, c])
// WEIGHTS 1 instead adds only the bilinear weights, rounded up at 2^-12:
//   accumulator[k, texel] += ceil(4096 weight)
// from which the caller knows how large a sum can get, and so which unit
// cannot overflow.
//
// accumulator: (batch, 3, H, W, C) of i32, or (batch, 3, H, W) for WEIGHTS 1.
// g: (batch, N, C) for MEAN 1, (batch, 3, N, C) for MEAN 0.  points: (batch, N, 3).
// unit[0]: units per 1, a single number on the device.
// corners.wgsl is put behind.
// Dispatch: one invocation per point, folded over x and y.
override AXES: u32 = 0x284u;
override MEAN: u32 = 1u;
override WEIGHTS: u32 = 0u;

struct Params { n: u32, points: u32, channels: u32, width: u32, height: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> g: array<f32>;
@group(0) @binding(1) var<storage, read> points: array<f32>;
@group(0) @binding(2) var<storage, read> unit: array<f32>;
@group(0) @binding(3) var<storage, read_write> accumulator: array<atomic<i32>>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.n) { return; }
  let batch = i / params.points;
  let n = i % params.points;
  let p = vec3f(points[3u * i], points[3u * i + 1u], points[3u * i + 2u]);
  let texels = params.width * params.height;
  let factor = unit[0] * select(1.0, 1.0 / 3.0, MEAN == 1u);
  for (var k = 0u; k < 3u; k++) {
    let at = corners(projected(p, k));
    let base = (batch * 3u + k) * texels;
    var row = i * params.channels;
    if (MEAN == 0u) { row = ((batch * 3u + k) * params.points + n) * params.channels; }
    for (var corner = 0u; corner < 4u; corner++) {
      let weight = at.weight[corner];
      if (weight == 0.0) { continue; }
      let texel = base + at.texel[corner];
      if (WEIGHTS == 1u) {
        atomicAdd(&accumulator[texel], i32(ceil(weight * 4096.0)));
      } else {
        for (var c = 0u; c < params.channels; c++) {
          atomicAdd(&accumulator[texel * params.channels + c],
            i32(round(weight * factor * g[row + c])));
        }
      }
    }
  }
}
