
// Behind kernels that sample planes; needs params.width, height, scale and AXES.

// the four texels around a point of one plane, and their bilinear weights (0 outside)
struct Corners { texel: vec4u, weight: vec4f }

// where plane k sees a point, in [-1, 1] inside; AXES holds two bits for each of the six coordinates
fn projected(p: vec3f, k: u32) -> vec2f {
  let q = params.scale * p;
  let code = AXES >> (4u * k);
  return vec2f(coordinate(q, code & 3u), coordinate(q, (code >> 2u) & 3u));
}

fn coordinate(q: vec3f, axis: u32) -> f32 {
  return select(select(q.x, q.y, axis == 1u), q.z, axis == 2u);
}

fn corners(uv: vec2f) -> Corners {
  let w = f32(params.width);
  let h = f32(params.height);
  // far outside is all zero; the clamp keeps the conversion to integers defined
  let x = clamp(((uv.x + 1.0) * w - 1.0) * 0.5, -2.0, w + 1.0);
  let y = clamp(((uv.y + 1.0) * h - 1.0) * 0.5, -2.0, h + 1.0);
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
