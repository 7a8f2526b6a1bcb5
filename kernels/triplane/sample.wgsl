// Tri-plane features at points, bilinear, zero outside:
//   f_k(p)   = grid_sample(plane_k, scale * (p_a(k), p_b(k)))   (a, b) = XY, XZ, ZX or as AXES says
//   y[n]     = mean_k f_k(p_n)      MEAN 1: (batch, N, C)
//   y[k, n]  = f_k(p_n)             MEAN 0: (batch, 3, N, C)
//
// planes: (batch, 3, H, W, C/4) of vec4: channels last, so that one texel is
// one run of memory.  points: (batch, N, 3), world units.
// scale = 2 / box_warp.  align_corners is false, as published.
// AXES: which coordinates each plane sees, two bits each, plane 0 in the lowest
// ones: the published XY, XZ, ZX are 0x284, the corrected XY, YZ, ZX 0x294.
// corners.wgsl is put behind.
// Dispatch: one invocation per point, folded over x and y.
override AXES: u32 = 0x284u;
override MEAN: u32 = 1u;

struct Params { n: u32, points: u32, c4: u32, width: u32, height: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> planes: array<vec4f>;
@group(0) @binding(1) var<storage, read> points: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

fn texel_sum(base: u32, k: Corners, c: u32) -> vec4f {
  let c4 = params.c4;
  return k.weight.x * planes[(base + k.texel.x) * c4 + c]
    + k.weight.y * planes[(base + k.texel.y) * c4 + c]
    + k.weight.z * planes[(base + k.texel.z) * c4 + c]
    + k.weight.w * planes[(base + k.texel.w) * c4 + c];
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.n) { return; }
  let batch = i / params.points;
  let p = vec3f(points[3u * i], points[3u * i + 1u], points[3u * i + 2u]);
  let k0 = corners(projected(p, 0u));
  let k1 = corners(projected(p, 1u));
  let k2 = corners(projected(p, 2u));
  let texels = params.width * params.height;
  let base = batch * 3u * texels;
  for (var c = 0u; c < params.c4; c++) {
    let f0 = texel_sum(base, k0, c);
    let f1 = texel_sum(base + texels, k1, c);
    let f2 = texel_sum(base + 2u * texels, k2, c);
    if (MEAN == 1u) {
      y[i * params.c4 + c] = (f0 + f1 + f2) * (1.0 / 3.0);
    } else {
      let n = i % params.points;
      let row = (batch * 3u * params.points + n) * params.c4 + c;
      let step = params.points * params.c4;
      y[row] = f0;
      y[row + step] = f1;
      y[row + 2u * step] = f2;
    }
  }
}
