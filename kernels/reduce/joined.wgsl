// Text shared by rows and columns (put behind each by reduce.ts): OP of vec4 of x
// and z, as in reduce.wgsl.

// by its bits, since some drivers fold v != v away
fn is_nan(v: vec4f) -> vec4<bool> { return (bitcast<vec4u>(v) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u); }

fn larger(u: vec4f, v: vec4f) -> vec4f { return select(u, v, (v > u) | is_nan(v)); }

// sums or maxima with vec4 k added
fn joined(acc: vec4f, k: u32) -> vec4f {
  switch OP {
    case 0u: { return acc + x[k]; }
    case 1u: { return larger(acc, x[k]); }
    case 2u: { return acc + x[k] * x[k]; }
    default: { return acc + x[k] * z[k]; }
  }
}
