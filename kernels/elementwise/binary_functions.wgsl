// f(u, v) by OP and its derivative by SIDE, for binary.wgsl and
// binary_same.wgsl, behind which this is put.
override OP: u32 = 0u;
override SIDE: u32 = 0u;

// by its bits, since some drivers fold v != v away
fn is_nan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }

fn value(u: f32, v: f32) -> f32 {
  switch OP {
    case 0u: { return u + v; }
    case 1u: { return u - v; }
    case 2u: { return u * v; }
    case 3u: { return u / v; }
    case 4u: { return select(v, u, u >= v || is_nan(u)); }
    case 5u: { return select(v, u, u <= v || is_nan(u)); }
    default: { return select(u * v, u, u > 0.0); }
  }
}

fn derivative(u: f32, v: f32) -> f32 {
  let left = SIDE == 1u;
  switch OP {
    case 0u: { return 1.0; }
    case 1u: { return select(-1.0, 1.0, left); }
    case 2u: { return select(u, v, left); }
    case 3u: { return select(-u / (v * v), 1.0 / v, left); }
    case 4u: { return select(0.0, 1.0, (u >= v) == left); }
    case 5u: { return select(0.0, 1.0, (u <= v) == left); }
    default: { return select(select(u, 0.0, u > 0.0), select(v, 1.0, u > 0.0), left); }
  }
}
