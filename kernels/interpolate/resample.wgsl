// y[p, oy, ox] = sum_{a < ny} wy[oy, a] sum_{b < nx} wx[ox, b] x[p, sy + a, sx + b]
//
// Any separable linear map with neighbouring taps: bilinear (with or without
// antialiasing), area, nearest, average pooling, and the adjoint of each.
// x: (planes, h, w).  y: (planes, oh, ow).
// rows: (oh, ky) and columns: (ow, kx), a line per result: start s, count n,
// then n weights (numbers, exact below 2^24).
// Dispatch: one invocation per number of y in each group of PLANES (1 or 4)
// planes, which share the taps; folded over x and y.
override PLANES: u32 = 1u;

struct Params { n: u32, h: u32, w: u32, oh: u32, ow: u32, ky: u32, kx: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> rows: array<f32>;
@group(0) @binding(2) var<storage, read> columns: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.n) { return; }
  let line = i / params.ow;
  let bundle = line / params.oh;
  let oy = line - bundle * params.oh;
  let ox = i - line * params.ow;
  let ry = oy * params.ky;
  let rx = ox * params.kx;
  let ny = u32(rows[ry + 1u]);
  let nx = u32(columns[rx + 1u]);
  let plane = params.h * params.w;
  let base = PLANES * bundle * plane + u32(rows[ry]) * params.w + u32(columns[rx]);
  var acc = vec4f(0.0);
  for (var b = 0u; b < nx; b++) {
    let across = columns[rx + 2u + b];
    for (var a = 0u; a < ny; a++) {
      let k = base + a * params.w + b;
      let tap = rows[ry + 2u + a] * across;
      acc.x += tap * x[k];
      if (PLANES == 4u) {
        acc.y += tap * x[k + plane];
        acc.z += tap * x[k + 2u * plane];
        acc.w += tap * x[k + 3u * plane];
      }
    }
  }
  let out = (PLANES * bundle * params.oh + oy) * params.ow + ox;
  y[out] = acc.x;
  if (PLANES == 4u) {
    let size = params.oh * params.ow;
    y[out + size] = acc.y;
    y[out + 2u * size] = acc.z;
    y[out + 3u * size] = acc.w;
  }
}
