// y[c, p] = sum_k barycentric[k, p] values[corner k of triangle[p], c]   FLAT 0
// y[c, p] = values[triangle[p], c]                                       FLAT 1
// and 0 where pixel p has no triangle.
//
// values: (V, channels), or (T, channels) with FLAT 1.  triangles: (T, 3), u32.
// triangle: (pixels), u32.  barycentric: (3, pixels).  y: (channels, pixels).
// Dispatch: one invocation per pixel, folded over x and y.
override FLAT: u32 = 0u;

struct Params { pixels: u32, channels: u32 }
@group(0) @binding(0) var<storage, read> values: array<f32>;
@group(0) @binding(1) var<storage, read> triangles: array<u32>;
@group(0) @binding(2) var<storage, read> triangle: array<u32>;
@group(0) @binding(3) var<storage, read> barycentric: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let p = id.x + id.y * groups.x * 64u;
  if (p >= params.pixels) { return; }
  let t = triangle[p];
  let none = t == 0xffffffffu;
  let u = select(t, 0u, none);
  let n = params.channels;
  if (FLAT == 1u) {
    for (var c = 0u; c < n; c++) { y[c * params.pixels + p] = select(values[u * n + c], 0.0, none); }
    return;
  }
  let wa = barycentric[p];
  let wb = barycentric[params.pixels + p];
  let wc = barycentric[2u * params.pixels + p];
  let ia = triangles[3u * u] * n;
  let ib = triangles[3u * u + 1u] * n;
  let ic = triangles[3u * u + 2u] * n;
  for (var c = 0u; c < n; c++) {
    let v = wa * values[ia + c] + wb * values[ib + c] + wc * values[ic + c];
    y[c * params.pixels + p] = select(v, 0.0, none);
  }
}
