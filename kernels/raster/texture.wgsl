// y[c, p] = image[c] at (u, v) = sum_k barycentric[k, p] uv[corner k of triangle[p]],
// bilinear, edges repeated; 0 where pixel p has no triangle.
//
// image: (channels, height, width), pixel centres at + 0.5.  uv: (V, 2) in
// pixels of the image.  triangles: (T, 3), u32.  triangle: (pixels), u32.
// barycentric: (3, pixels).  y: (channels, pixels).
// Dispatch: one invocation per pixel, folded over x and y.
struct Params { pixels: u32, channels: u32, height: u32, width: u32 }
@group(0) @binding(0) var<storage, read> image: array<f32>;
@group(0) @binding(1) var<storage, read> uv: array<f32>;
@group(0) @binding(2) var<storage, read> triangles: array<u32>;
@group(0) @binding(3) var<storage, read> triangle: array<u32>;
@group(0) @binding(4) var<storage, read> barycentric: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

fn place(corner: u32) -> vec2f {
  let v = triangles[corner];
  return vec2f(uv[2u * v], uv[2u * v + 1u]);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let p = id.x + id.y * groups.x * 64u;
  if (p >= params.pixels) { return; }
  let t = triangle[p];
  let none = t == 0xffffffffu;
  let u = select(t, 0u, none) * 3u;
  let at = barycentric[p] * place(u) + barycentric[params.pixels + p] * place(u + 1u)
    + barycentric[2u * params.pixels + p] * place(u + 2u) - 0.5;
  let limit = vec2f(f32(params.width), f32(params.height)) - 1.0;
  let inner = clamp(at, vec2f(0.0), limit);
  let low = vec2u(floor(inner));
  let high = min(low + 1u, vec2u(limit));
  let f = inner - floor(inner);
  for (var c = 0u; c < params.channels; c++) {
    let plane = c * params.height * params.width;
    let r0 = plane + low.y * params.width;
    let r1 = plane + high.y * params.width;
    let top = image[r0 + low.x] * (1.0 - f.x) + image[r0 + high.x] * f.x;
    let bottom = image[r1 + low.x] * (1.0 - f.x) + image[r1 + high.x] * f.x;
    y[c * params.pixels + p] = select(top * (1.0 - f.y) + bottom * f.y, 0.0, none);
  }
}
