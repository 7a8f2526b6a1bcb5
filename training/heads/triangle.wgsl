// A triangle over a sample. Both kernels that include this compute the same
// numbers, so that the sample's nearest triangle is found again by its depth.

fn place(shot: u32, v: u32) -> vec3f {
  let k = 3u * (shot * params.vertices + v);
  return vec3f(screen[k], screen[k + 1u], screen[k + 2u]);
}

fn doubleArea(a: vec2f, b: vec2f, c: vec2f) -> f32 {
  return (b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y);
}

// weights of the corners on the triangle in space, and depth; depth 0 outside
fn cover(a: vec3f, b: vec3f, c: vec3f, p: vec2f) -> vec4f {
  let scale = 1.0 / doubleArea(a.xy, b.xy, c.xy);
  let wa = doubleArea(p, b.xy, c.xy) * scale;
  let wb = doubleArea(p, c.xy, a.xy) * scale;
  let wc = 1.0 - wa - wb;
  let near = vec3f(wa / a.z, wb / b.z, wc / c.z);
  let depth = 1.0 / (near.x + near.y + near.z);
  return select(vec4f(0.0), vec4f(near * depth, depth), wa >= 0.0 && wb >= 0.0 && wc >= 0.0);
}

// brightness of the strands of a card, 0 where it is cut out
fn strand(corners: vec3u, w: vec3f, layer: u32) -> f32 {
  let k = 2u * (corners - params.body);
  let at = w.x * vec2f(uv[k.x], uv[k.x + 1u]) + w.y * vec2f(uv[k.y], uv[k.y + 1u])
    + w.z * vec2f(uv[k.z], uv[k.z + 1u]);
  let texel = min(vec2u((at - floor(at)) * f32(params.texture)), vec2u(params.texture - 1u));
  return strands[(layer * params.texture + texel.y) * params.texture + texel.x];
}
